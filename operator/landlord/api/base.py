"""The base class of everything that is sent as JSON: Kubernetes objects and workflow requests."""

import re

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


def wire_name(name: str) -> str:
    """Convert to camelCase as in the Kubernetes API: `tenant_id` is tenantID, `host_port` is hostPort."""
    return re.sub(r"Id$", "ID", to_camel(name))


class Model(BaseModel):
    """An immutable model: camelCase in JSON, unknown fields are ignored.

    A field's docstring is its description in the CRD and in `kubectl explain`.
    """

    model_config = ConfigDict(
        alias_generator=wire_name,
        populate_by_name=True,
        serialize_by_alias=True,
        frozen=True,
        use_attribute_docstrings=True,
    )

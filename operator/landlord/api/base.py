"""The base of everything that travels as JSON: Kubernetes objects and workflow requests."""

import re

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


def wire_name(name: str) -> str:
    """camelCase as in the Kubernetes API conventions: `tenant_id` is tenantID, `host_port` is hostPort."""
    return re.sub(r"Id$", "ID", to_camel(name))


class Model(BaseModel):
    """Immutable, camelCase on the wire, unknown fields ignored.

    A field's docstring is its description in the CRD and in `kubectl explain`.
    """

    model_config = ConfigDict(
        alias_generator=wire_name,
        populate_by_name=True,
        serialize_by_alias=True,
        frozen=True,
        use_attribute_docstrings=True,
    )

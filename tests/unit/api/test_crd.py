"""From the models to the CRD: what is generated, and that the committed file is what would be generated."""

from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from pydantic import BaseModel

from dev.reference import generated
from landlord.api.crd import structural, tenant_crd
from landlord.cli import main


@pytest.mark.parametrize("path", generated(), ids=lambda path: path.name)
def test_what_is_generated_is_committed_as_it_would_be_generated(path: Path) -> None:
    assert path.read_text() == generated()[path], "run `make generate`"


def test_landlord_crd_prints_the_crd() -> None:
    assert yaml.safe_load(CliRunner().invoke(main, ["crd"]).output) == tenant_crd()


def test_the_crd_fits_into_the_annotation_of_a_client_side_apply() -> None:
    assert len(str(tenant_crd())) < 256 * 1024


class Inner(BaseModel):
    name: str


class Outer(BaseModel):
    inner: Inner | None = None
    many: tuple[Inner, ...] = ()
    amount: int | str | None = None
    flag: bool = False
    text: str = ""


def test_references_are_inlined_and_null_is_dropped() -> None:
    schema = structural(Outer.model_json_schema())
    inner = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
    assert schema["properties"]["inner"] == inner
    assert schema["properties"]["many"] == {"type": "array", "items": inner}


def test_a_union_of_number_and_text_becomes_int_or_string() -> None:
    assert structural(Outer.model_json_schema())["properties"]["amount"] == {
        "x-kubernetes-int-or-string": True
    }


def test_only_defaults_that_say_something_are_stored_in_every_object() -> None:
    properties = structural(Outer.model_json_schema())["properties"]
    assert properties["flag"] == {"type": "boolean", "default": False}
    assert "default" not in properties["many"]
    assert "default" not in properties["text"]


class Unfit(BaseModel):
    either: Inner | list[str]


def test_a_union_that_no_crd_can_hold_is_an_error() -> None:
    with pytest.raises(ValueError, match="does not support this union"):
        structural(Unfit.model_json_schema())

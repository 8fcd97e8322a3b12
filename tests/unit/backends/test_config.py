"""`spec.compute.config` is checked before any step, and never repeated in what is said about it."""

from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AfterValidator, BaseModel, Field, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError
from tests.support.requests import request, workload

from landlord.api.request import Desired
from landlord.backends.config import check_config
from landlord.backends.memory import MemoryBackend
from landlord.errors import Terminal


def talkative(value: str) -> str:
    if value != "right":
        raise ValueError(f"should be right, not {value!r}")
    return value


def odd(value: str) -> str:
    raise PydanticCustomError("odd", "{value} is even", {"value": value})


class Cat(BaseModel):
    kind: Literal["cat"]


class Dog(BaseModel):
    kind: Literal["dog"]


class Part(BaseModel):
    size: Annotated[int, Field(ge=1)]


class Fussy(BaseModel, extra="forbid"):
    root: str = Field(pattern="^/")
    word: Annotated[str, AfterValidator(talkative)] = "right"
    number: Annotated[str, AfterValidator(odd)] = "one"
    parts: list[Part] = []
    pet: Annotated[Cat | Dog | None, Field(discriminator="kind")] = None

    @model_validator(mode="before")
    @classmethod
    def _whole(cls, given: Any, info: ValidationInfo) -> Any:
        assert "secret" not in given, f"there should be no secret in {given}"
        return given


class Plugin(MemoryBackend):
    name = "plugin"
    Config = Fussy  # type: ignore[assignment]


def desired(config: dict[str, Any] | None) -> Desired:
    return Desired(tenant_id="acme", workload=workload(), config=config)


def refusal(config: dict[str, Any] | None) -> str:
    with pytest.raises(Terminal) as refused:
        check_config(Plugin(), desired(config))
    assert refused.value.code == "InvalidSpec"
    return str(refused.value)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (None, "compute.config.root: Field required"),
        ({"root": 5}, "compute.config.root: Input should be a valid string"),
        ({"root": "srv"}, "compute.config.root: String should match pattern '^/'"),
        ({"root": "/srv", "rot": "x"}, "compute.config.rot: Extra inputs are not permitted"),
        (
            {"root": "/srv", "parts": [{"size": 1}, {"size": 0}]},
            "compute.config.parts.1.size: Input should be",
        ),
        ({"root": "/srv", "word": "wrong"}, "compute.config.word: should be right, not '…'"),
        ({"root": "/srv", "number": "four"}, "compute.config.number: … is even"),
        ({"root": "/srv", "pet": {"kind": "bird"}}, "compute.config.pet: Input tag '…' found"),
        ({"secret": "xyzzy"}, "compute.config: there should be no secret in {'secret': '…'}"),
    ],
)
def test_each_wrong_field_is_named_with_what_is_expected(config: dict[str, Any] | None, words: str) -> None:
    assert words in refusal(config)


def test_all_that_is_wrong_is_told_at_once_and_what_to_do() -> None:
    message = refusal({"root": 5, "word": "wrong"})
    assert message.startswith("compute.config.root: Input should be a valid string; compute.config.word: ")
    assert message.endswith("`landlord backends plugin`, run where the worker runs, prints its schema")


@given(
    st.dictionaries(
        st.sampled_from(["root", "word", "number", "parts", "pet", "secret", "other"]),
        st.recursive(
            st.text("0123456789ÄÖÜ", min_size=4),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.just("kind"), inner),
        ),
        min_size=1,
    )
)
def test_no_value_is_ever_repeated(config: dict[str, Any]) -> None:
    message = refusal(config)
    assert not any(text in message for text in texts(config)), message


def texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [text for each in (value.values() if isinstance(value, dict) else value) for text in texts(each)]


@pytest.mark.parametrize("config", [{"root": "/srv"}, {"root": "/srv", "parts": [{"size": 2}]}])
def test_what_fits_passes(config: dict[str, Any]) -> None:
    check_config(Plugin(), desired(config))


def test_backend_that_takes_none_refuses_any_and_says_where_its_settings_are() -> None:
    with pytest.raises(Terminal, match=r"memory takes no compute\.config(.|\n)*compute\.docker"):
        check_config(MemoryBackend(), desired({"network": "blue"}))
    check_config(MemoryBackend(), desired(None))


def test_config_is_part_of_what_is_desired_only_when_it_is_set() -> None:
    asked = request().desired
    assert asked is not None
    assert asked.hash() == asked.model_copy(update={"config": None}).hash()
    assert asked.hash() != asked.model_copy(update={"config": {"root": "/srv"}}).hash()

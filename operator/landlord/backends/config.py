"""Checks `spec.compute.config` against what a backend says that it reads. Pure.

Whatever is in it may be secret, so what is wrong is told by the names of fields and never by their values.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from landlord.api.request import Desired
from landlord.backends.contract import Backend, NoConfig
from landlord.errors import Terminal

FIELD = "compute.config"
SHORTEST_SECRET = 4
QUOTING = {"error", "tag"}
"""What pydantic puts into the texts of its errors that may repeat what was given."""


def check_config(backend: Backend, desired: Desired) -> None:
    """Raise Terminal, naming each wrong field and what is expected there, unless the backend can read it."""
    if desired.config is not None and issubclass(backend.Config, NoConfig):
        raise Terminal(
            "InvalidSpec",
            f"the backend {backend.name} takes no {FIELD}\nTo do: remove it; what the backends docker and "
            "kubernetes read is in compute.docker and compute.kubernetes.",
        )
    try:
        backend.Config.model_validate(desired.config or {})
    except ValidationError as error:
        raise Terminal(
            "InvalidSpec",
            f"{'; '.join(f'{_name_field(each)}: {_describe(each)}' for each in error.errors())}\n"
            f"To do: correct {FIELD}; `landlord backends {backend.name}`, where the worker runs, prints "
            "its schema.",
        ) from None


def _name_field(error: Mapping[str, Any]) -> str:
    return ".".join((FIELD, *map(str, error["loc"])))


def _describe(error: Mapping[str, Any]) -> str:
    said: str = error["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    # Only pydantic's own errors have a URL; a validator's may say anything.
    if "url" in error and not QUOTING & error.get("ctx", {}).keys():
        return said
    for text in sorted(_iterate_texts(error["input"]), key=len, reverse=True):
        said = said.replace(text, "…")
    return said


def _iterate_texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from _iterate_texts(each)
    elif len(text := str(value)) >= SHORTEST_SECRET:
        yield text

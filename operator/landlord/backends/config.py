"""Checks `spec.compute.config` against the schema of a backend. Pure.

The config may contain secrets, so messages name fields and never repeat their values.
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
"""What pydantic puts into error messages that may repeat the input."""


def check_config(backend: Backend, desired: Desired) -> None:
    """Raise Terminal with each wrong field and what it must be, unless the backend accepts the config."""
    if desired.config is not None and issubclass(backend.Config, NoConfig):
        raise Terminal(
            "InvalidSpec",
            f"the backend {backend.name} takes no {FIELD}",
            f"remove {FIELD}; the backends docker and kubernetes read compute.docker and compute.kubernetes",
        )
    try:
        backend.Config.model_validate(desired.config or {})
    except ValidationError as error:
        raise Terminal(
            "InvalidSpec",
            "; ".join(f"{_name_field(each)}: {_describe(each)}" for each in error.errors()),
            f"correct {FIELD}; `landlord backends {backend.name}`, run where the worker runs, prints its "
            "schema",
        ) from None


def _name_field(error: Mapping[str, Any]) -> str:
    return ".".join((FIELD, *map(str, error["loc"])))


def _describe(error: Mapping[str, Any]) -> str:
    message: str = error["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    # Only pydantic's own errors have a URL. The message of a plug-in's validator may repeat anything.
    if "url" in error and not QUOTING & error.get("ctx", {}).keys():
        return message
    for text in sorted(_iterate_texts(error["input"]), key=len, reverse=True):
        message = message.replace(text, "…")
    return message


def _iterate_texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from _iterate_texts(each)
    elif len(text := str(value)) >= SHORTEST_SECRET:
        yield text

"""Compares a live object with what an apply would make of it. No I/O.

Only the fields that landlord owns count. The API server lists them in managedFields, as
https://kubernetes.io/docs/reference/using-api/server-side-apply/ describes them.
"""

import json
from collections.abc import Iterator
from typing import Any

from landlord.api import names
from landlord.api.schema import JsonObject
from landlord.backends.drift import describe_difference, describe_missing

LONGEST = 200
"""Characters of a value that a line shows."""


def find_differences(live: JsonObject, applied: JsonObject) -> Iterator[str]:
    """Find a phrase for each field that differs; it never contains a value of env or of a Secret."""
    return _compare(_find_owned_fields(applied), live, applied, "", hidden=applied["kind"] == "Secret")


def _find_owned_fields(applied: JsonObject) -> JsonObject:
    """Find the fields that the apply owns, as a tree."""
    return next(
        each["fieldsV1"]
        for each in applied["metadata"]["managedFields"]
        if (each["manager"], each["operation"]) == (names.FIELD_MANAGER_OF_TENANTS, "Apply")
    )


def _compare(owned: JsonObject, live: Any, applied: Any, path: str, *, hidden: bool) -> Iterator[str]:
    for key, inner in owned.items():
        if key == ".":  # the field itself: it exists, or the level above reported it as missing
            continue
        name, present, expected = _look_up(key, live, applied)
        where, hides = join_path(path, name), hidden or name == "env"
        below = {each: fields for each, fields in inner.items() if each != "."}
        if present is None and expected is None:  # it is empty, so the API server does not store it
            continue
        if present is None:
            yield describe_missing(where)
        elif expected is None:
            yield f"{where} {'differs' if hides else f'is {format_value(present)}, should not be set'}"
        elif below:
            yield from _compare(below, present, expected, where, hidden=hides)
        elif present != expected and hides:
            yield f"{where} differs"
        elif present != expected:
            yield describe_difference(where, format_value(present), format_value(expected))


def _look_up(key: str, live: Any, applied: Any) -> tuple[str, Any, Any]:
    """Return the name of a child, and the child in both objects; None where it is missing."""
    how, _, what = key.partition(":")
    if how == "f":
        return what, live.get(what), applied.get(what)
    # An item of a list whose items have keys. landlord owns all other lists as a whole.
    keys = json.loads(what)
    return f"[{','.join(map(str, keys.values()))}]", _find_item(live, keys), _find_item(applied, keys)


def _find_item(items: Any, keys: JsonObject) -> Any:
    return next((each for each in items if keys.items() <= each.items()), None)


def join_path(path: str, name: str) -> str:
    """Build the path of a child."""
    if name.startswith("["):
        return path + name
    plain = name.replace("_", "").isalnum()
    return f"{path}.{name}".removeprefix(".") if plain else f"{path}[{name}]"


def format_value(value: Any) -> str:
    """Format a value for a person."""
    text = value if isinstance(value, str) and value else json.dumps(value, sort_keys=True)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."

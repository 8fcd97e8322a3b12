"""In what a live object differs from what an apply would make of it. No I/O.

Only the fields count that landlord owns, and which these are the API server itself says in managedFields, as
https://kubernetes.io/docs/reference/using-api/server-side-apply/ describes them.
"""

import json
from collections.abc import Iterator
from typing import Any

from landlord.api import names
from landlord.api.schema import JsonObject

LONGEST = 200
"""Characters of a value that are shown."""


def find_differences(live: JsonObject, applied: JsonObject) -> Iterator[str]:
    """One phrase for each field, such as "spec.replicas is 3, should be 2"; no values of env or Secrets."""
    return _compare(_find_owned_fields(applied), live, applied, "", hidden=applied["kind"] == "Secret")


def _find_owned_fields(applied: JsonObject) -> JsonObject:
    """The fields that the apply owns, as a tree."""
    return next(
        each["fieldsV1"]
        for each in applied["metadata"]["managedFields"]
        if (each["manager"], each["operation"]) == (names.FIELD_MANAGER_OF_TENANTS, "Apply")
    )


def _compare(owned: JsonObject, live: Any, applied: Any, path: str, *, hidden: bool) -> Iterator[str]:
    for key, inner in owned.items():
        if key == ".":  # the thing itself: it is there, or else it was missing one level above
            continue
        name, present, should = _look_up(key, live, applied)
        where, hides = join_path(path, name), hidden or name == "env"
        below = {each: fields for each, fields in inner.items() if each != "."}
        if present is None and should is None:  # it is empty, and the API server keeps nothing of that
            continue
        if present is None:
            yield f"{where} is missing"
        elif should is None:
            yield f"{where} {'differs' if hides else f'is {format_value(present)}, should not be set'}"
        elif below:
            yield from _compare(below, present, should, where, hidden=hides)
        elif present != should:
            values = "differs" if hides else f"is {format_value(present)}, should be {format_value(should)}"
            yield f"{where} {values}"


def _look_up(key: str, live: Any, applied: Any) -> tuple[str, Any, Any]:
    """The name of a child, and the child in both; None where it is missing."""
    how, _, what = key.partition(":")
    if how == "f":
        return what, live.get(what), applied.get(what)
    # Of a list whose items have keys. Those of other lists landlord owns only as a whole.
    keys = json.loads(what)
    return f"[{','.join(map(str, keys.values()))}]", _find_item(live, keys), _find_item(applied, keys)


def _find_item(items: Any, keys: JsonObject) -> Any:
    return next((each for each in items if keys.items() <= each.items()), None)


def join_path(path: str, name: str) -> str:
    """The path of a child."""
    if name.startswith("["):
        return path + name
    plain = name.replace("_", "").isalnum()
    return f"{path}.{name}".removeprefix(".") if plain else f"{path}[{name}]"


def format_value(value: Any) -> str:
    """A value, for a person."""
    text = value if isinstance(value, str) and value else json.dumps(value, sort_keys=True)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."

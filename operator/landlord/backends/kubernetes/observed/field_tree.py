"""Trees of fields, in the form in which managedFields lists them. No I/O.

A leaf is a whole field. The keys are `f:<name>` for a field, `k:{...}` for the item of a list that has these
values, and `.` for the field that the tree belongs to. The format is described in
https://kubernetes.io/docs/reference/using-api/server-side-apply/.
"""

import json
from collections.abc import Iterator
from typing import Any

from landlord.api.schema import JsonObject

Fields = JsonObject


def merge(one: Fields, other: Fields) -> Fields:
    """Merge two trees."""
    return one | other | {key: merge(one[key], other[key]) for key in one.keys() & other.keys()}


def subtract(fields: Fields, others: Fields) -> Fields:
    """Find the fields that are not in the other tree. What includes the field itself becomes a leaf."""
    left: Fields = {}
    for key, inner in fields.items():
        if key == ".":
            continue
        if key not in others and (not inner or "." in inner):
            left[key] = {}
        elif below := subtract(inner, others.get(key, {})):
            left[key] = below
    return left


def list_paths(fields: Fields, path: str = "") -> Iterator[str]:
    """List the path of each leaf, for a person."""
    for key, inner in fields.items():
        below = join_path(path, name_child(key))
        if inner:
            yield from list_paths(inner, below)
        else:
            yield below


def has_fields(content: Any, fields: Fields) -> bool:
    """Whether an object, or a part of it, has all fields of the tree."""
    return all(
        key == "." or ((child := find_child(key, content)) is not None and has_fields(child, inner))
        for key, inner in fields.items()
    )


def without_fields(content: Any, fields: Fields) -> Any:
    """Copy an object, or a part of it, without the tree's leaves."""
    if isinstance(content, list):
        copies = [(each, _find_inner(each, fields)) for each in content]
        return [without_fields(each, inner or {}) for each, inner in copies if inner != {}]
    if not isinstance(content, dict):
        return content
    return {
        key: without_fields(value, fields.get(f"f:{key}", {}))
        for key, value in content.items()
        if fields.get(f"f:{key}") != {}
    }


def _find_inner(item: Any, fields: Fields) -> Fields | None:
    """Find the fields of a list's item; None if the tree does not have it."""
    return next((inner for key, inner in fields.items() if find_child(key, [item]) is not None), None)


def find_child(key: str, content: Any) -> Any:
    """Find a child in an object or a list; None if it is missing."""
    how, _, what = key.partition(":")
    if how == "f":
        return content.get(what)
    # An item of a list whose items have keys. The API server attributes all other lists as a whole.
    keys = json.loads(what)
    return next((each for each in content if keys.items() <= each.items()), None)


def name_child(key: str) -> str:
    """Name a child for a person; the name of a list's item stands in brackets."""
    how, _, what = key.partition(":")
    return what if how == "f" else f"[{','.join(map(str, json.loads(what).values()))}]"


def join_path(path: str, name: str) -> str:
    """Build the path of a child."""
    if name.startswith("["):
        return path + name
    plain = name.replace("_", "").isalnum()
    return f"{path}.{name}".removeprefix(".") if plain else f"{path}[{name}]"

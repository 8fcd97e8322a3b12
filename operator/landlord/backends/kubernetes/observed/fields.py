"""Compares a live object with what an apply would make of it. No I/O.

Only the fields that are landlord's count.
"""

import json
from collections.abc import Iterator
from typing import Any

from landlord.api.schema import JsonObject
from landlord.backends.drift import describe_difference, describe_missing
from landlord.backends.kubernetes.observed.field_tree import Fields, find_child, join_path, name_child

LONGEST = 200
"""Characters of a value that a line shows."""


def find_differences(live: JsonObject, expected: JsonObject, fields: Fields) -> Iterator[str]:
    """Find a phrase for each of the fields that differs; it never contains a value of env or of a Secret."""
    return _compare(fields, live, expected, "", hidden=expected["kind"] == "Secret")


def _compare(fields: Fields, live: Any, expected_object: Any, path: str, *, hidden: bool) -> Iterator[str]:
    for key, inner in fields.items():
        if key == ".":  # the field itself: it exists, or the level above reported it as missing
            continue
        present, expected = find_child(key, live), find_child(key, expected_object)
        name = name_child(key)
        where, hides = join_path(path, name), hidden or name == "env"
        below = {each: of for each, of in inner.items() if each != "."}
        if present is None and expected is None:  # it is empty, so the API server does not store it
            continue
        if present is None:
            yield describe_missing(where)
        elif expected is None:
            yield _describe_surplus(where, present, hides=hides)
        elif below:
            yield from _compare(below, present, expected, where, hidden=hides)
        elif present != expected and hides:
            yield f"{where} differs"
        elif present != expected:
            yield describe_difference(where, format_value(present), format_value(expected))


def _describe_surplus(where: str, present: Any, *, hides: bool) -> str:
    """Describe a field that must not be set. What is inside of it, such as variables, is not shown."""
    if hides or isinstance(present, dict | list):
        return f"{where} is set, should not be"
    return f"{where} is {format_value(present)}, should not be set"


def format_value(value: Any) -> str:
    """Format a value for a person."""
    text = value if isinstance(value, str) and value else json.dumps(value, sort_keys=True)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."

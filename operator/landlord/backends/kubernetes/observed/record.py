"""Finds changes of objects without a generation by a record of what landlord applied. No I/O.

Each apply records landlord's fields in an annotation, and a survey compares them with the current ones. What
others add belongs to them, and an apply leaves it alone too.
"""

import json
from collections.abc import Iterator
from typing import Any

from landlord.api import names
from landlord.api.schema import JsonObject
from landlord.backends.cluster import kinds
from landlord.backends.drift import describe_difference, describe_missing
from landlord.backends.kubernetes.observed.field_tree import join_path
from landlord.backends.kubernetes.observed.fields import format_value
from landlord.backends.quantity import parse_quantity

LISTED_IN_FULL = (kinds.SERVICE, kinds.SERVICE_ACCOUNT, kinds.LIMIT_RANGE, kinds.RESOURCE_QUOTA)
"""The kinds that a survey must list in full, because only a namespace has its fields in the metadata."""
KINDS_WITH_RECORD = (kinds.NAMESPACE, *LISTED_IN_FULL)
"""The kinds without a generation, except Secrets, whose content must not be in an annotation."""


def with_record(manifest: JsonObject) -> JsonObject:
    """Copy the manifest with the annotation."""
    metadata = manifest["metadata"]
    fields = {name: manifest[name] for name in manifest.keys() - {"apiVersion", "kind", "metadata"}}
    if others := {
        key: given
        for key in ("labels", "annotations")
        if (given := {name: of for name, of in metadata.get(key, {}).items() if not _is_own(name)})
    }:
        fields["metadata"] = others
    record = {names.ANNOTATION_APPLIED: json.dumps(fields, sort_keys=True, separators=(",", ":"))}
    return manifest | {"metadata": metadata | {"annotations": metadata.get("annotations", {}) | record}}


def read_metadata(found: JsonObject) -> JsonObject:
    """Read the labels and annotations that landlord recorded; empty if it recorded none."""
    try:
        metadata: JsonObject = json.loads(_read(found) or "{}").get("metadata", {})
    except ValueError:
        return {}
    return metadata


def find_changes(found: JsonObject) -> list[str]:
    """Find a phrase for each changed field; none without the annotation."""
    record = _read(found)
    if record is None:
        return []
    try:
        return list(_compare(found, json.loads(record), ""))
    except ValueError:
        return [f"metadata.annotations[{names.ANNOTATION_APPLIED}] can't be read"]


def _read(found: JsonObject) -> str | None:
    annotations: JsonObject = found["metadata"].get("annotations") or {}
    return annotations.get(names.ANNOTATION_APPLIED)


def _is_own(name: str) -> bool:
    return name.startswith(f"{names.GROUP}/")


def _compare(present: Any, applied: Any, path: str) -> Iterator[str]:
    if present == applied:  # nearly always, and the fastest comparison
        return
    if present is None or type(present) is not type(applied):
        yield describe_missing(path) if present is None else _describe(present, applied, path)
    elif isinstance(applied, dict):
        for name, value in applied.items():
            yield from _compare(present.get(name), value, join_path(path, name))
    elif isinstance(applied, list):
        for number, item in enumerate(applied):
            if all(any(_compare(each, item, "")) for each in present):
                at_its_place = present[number] if len(present) == len(applied) else None
                yield from _compare(at_its_place, item, f"{path}[{number}]")
    elif not _is_same_amount(present, applied):
        yield _describe(present, applied, path)


def _describe(present: Any, applied: Any, path: str) -> str:
    return describe_difference(path, format_value(present), format_value(applied))


def _is_same_amount(present: Any, applied: Any) -> bool:
    """Compare amounts by value, because the API server writes 1000m as 1."""
    try:
        return parse_quantity(present) == parse_quantity(applied)
    except ValueError:
        return False

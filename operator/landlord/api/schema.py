"""Kubernetes extensions of JSON Schema, as values for `json_schema_extra`."""

from typing import Any

JsonObject = dict[str, Any]


def cel(rule: str, message: str) -> JsonObject:
    """Return a validation rule in CEL. The API server answers with `message`, so it says what to do."""
    return {"x-kubernetes-validations": [{"rule": rule, "message": message}]}


def cels(*rules: tuple[str, str]) -> JsonObject:
    """Return several (rule, message) pairs for one schema node."""
    return {"x-kubernetes-validations": [{"rule": rule, "message": message} for rule, message in rules]}


def map_list(*keys: str) -> JsonObject:
    """Return a list type whose items are identified by `keys`, by which server-side apply merges them."""
    return {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": list(keys)}

"""Kubernetes extensions of JSON Schema, as values for `json_schema_extra`."""

from typing import Any

JsonObject = dict[str, Any]


def cel(rule: str, message: str) -> JsonObject:
    """A validation rule in CEL; `message` is what the API server answers, so it says what to do."""
    return {"x-kubernetes-validations": [{"rule": rule, "message": message}]}


def cels(*rules: tuple[str, str]) -> JsonObject:
    """Several (rule, message) pairs on one schema node."""
    return {"x-kubernetes-validations": [{"rule": rule, "message": message} for rule, message in rules]}


def map_list(*keys: str) -> JsonObject:
    """A list whose items `keys` identify: they must be unique, and server-side apply merges by them."""
    return {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": list(keys)}

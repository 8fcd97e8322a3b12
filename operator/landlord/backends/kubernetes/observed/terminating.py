"""Reads what blocks the deletion of a namespace. No I/O."""

import re
from collections.abc import Iterable, Sequence

from landlord.api.schema import JsonObject
from landlord.errors import Retryable

REMAINING = re.compile(r"(?P<plural>[a-z0-9]+)\.(?P<group>[a-z0-9.-]*) has \d+ resource instances")
NAMED = 3
"""How many objects of each kind a message names."""


def find_remaining(namespace: JsonObject) -> list[tuple[str, str]]:
    """Find plural and group of the resources that the namespace still contains."""
    messages = " ".join(each["message"] for each in _read_active_conditions(namespace))
    return [(match["plural"], match["group"]) for match in REMAINING.finditer(messages)]


def find_blocked(plural: str, found: Iterable[JsonObject]) -> list[str]:
    """Find the objects of a resource that finalizers block, in kubectl's notation, with the finalizers."""
    held = [
        f"{plural}/{each['metadata']['name']} ({', '.join(each['metadata']['finalizers'])})"
        for each in found
        if each["metadata"].get("finalizers")
    ]
    return held[:NAMED] + ([f"{len(held) - NAMED} more {plural}"] if len(held) > NAMED else [])


def explain_delay(namespace: JsonObject, held: Sequence[str]) -> Retryable:
    """Explain why a namespace still exists."""
    name = namespace["metadata"]["name"]
    own = [*namespace["metadata"].get("finalizers", ()), *namespace.get("spec", {}).get("finalizers", ())]
    if others := [each for each in own if each != "kubernetes"]:
        held = [f"the namespace itself ({', '.join(others)})", *held]
    troubles = _read_active_conditions(namespace)
    why = "; ".join(each["message"] for each in troubles) or "its content is being deleted"
    fix = "let the controller that set them finish, or remove them by hand if it no longer exists"
    if held:
        what = ", ".join(held)
        return Retryable(
            "HeldByFinalizers", f"finalizers block the deletion of the namespace {name}: {what}", fix
        )
    if any(each["type"] == "NamespaceFinalizersRemaining" for each in troubles):
        # The worker may lack the right to list others' objects. The namespace's conditions name their kinds.
        kinds = ",".join(f"{plural}.{group}".rstrip(".") for plural, group in find_remaining(namespace))
        return Retryable(
            "HeldByFinalizers",
            f"finalizers block the deletion of the namespace {name}: {why}",
            f"find them with `kubectl get {kinds} -n {name} -o yaml`; {fix}",
        )
    return Retryable("StillTerminating", f"the namespace {name} still exists: {why}")


def _read_active_conditions(namespace: JsonObject) -> list[JsonObject]:
    conditions = namespace.get("status", {}).get("conditions") or []
    return [each for each in conditions if each["status"] == "True"]

"""What keeps a namespace from going. No I/O."""

import re
from collections.abc import Iterable, Sequence

from landlord.api.schema import JsonObject
from landlord.errors import Retryable

REMAINING = re.compile(r"(?P<plural>[a-z0-9]+)\.(?P<group>[a-z0-9.-]*) has \d+ resource instances")
NAMED = 3
"""Objects that are named of each kind."""


def find_remaining(namespace: JsonObject) -> list[tuple[str, str]]:
    """Plural and group of the resources that are still in it."""
    said = " ".join(each["message"] for each in _read_active_conditions(namespace))
    return [(match["plural"], match["group"]) for match in REMAINING.finditer(said)]


def find_blocked(plural: str, found: Iterable[JsonObject]) -> list[str]:
    """Of the objects of a resource those that finalizers hold, as kubectl takes them, with the finalizers."""
    held = [
        f"{plural}/{each['metadata']['name']} ({', '.join(each['metadata']['finalizers'])})"
        for each in found
        if each["metadata"].get("finalizers")
    ]
    return held[:NAMED] + ([f"{len(held) - NAMED} more {plural}"] if len(held) > NAMED else [])


def explain_delay(namespace: JsonObject, held: Sequence[str]) -> Retryable:
    """The failure of a namespace that does not go."""
    name = namespace["metadata"]["name"]
    own = [*namespace["metadata"].get("finalizers", ()), *namespace.get("spec", {}).get("finalizers", ())]
    if others := [each for each in own if each != "kubernetes"]:
        held = [f"the namespace itself ({', '.join(others)})", *held]
    troubles = _read_active_conditions(namespace)
    why = "; ".join(each["message"] for each in troubles) or "its content is being removed"
    todo = "have the controller that set them finish, or remove them by hand if it is gone for good"
    if held:
        what = ", ".join(held)
        return Retryable(
            "HeldByFinalizers", f"the namespace {name} is held by finalizers of {what}\nTo do: {todo}."
        )
    if any(each["type"] == "NamespaceFinalizersRemaining" for each in troubles):
        # The worker may not see what others have put there. The namespace knows of which kinds it is.
        kinds = ",".join(f"{plural}.{group}".rstrip(".") for plural, group in find_remaining(namespace))
        return Retryable(
            "HeldByFinalizers",
            f"the namespace {name} is held: {why}\n"
            f"To do: find them with `kubectl get {kinds} -n {name} -o yaml`; {todo}.",
        )
    return Retryable("StillTerminating", f"the namespace {name} is not gone yet: {why}")


def _read_active_conditions(namespace: JsonObject) -> list[JsonObject]:
    conditions = namespace.get("status", {}).get("conditions") or []
    return [each for each in conditions if each["status"] == "True"]

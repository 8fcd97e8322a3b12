"""How much a tenant may use of the cluster. No I/O."""

from landlord.api.schema import JsonObject
from landlord.backends.kubernetes import spec
from landlord.workflow.request import Desired

REQUEST = {"cpu": "50m", "memory": "64Mi"}
"""What a container counts for that asks for nothing: without, the scheduler would take it for free."""
LIMIT = {"cpu": "500m", "memory": "512Mi"}
"""The limit of a container that names none, where the quota is on limits: it would be refused without."""


def resource_quota(desired: Desired) -> JsonObject | None:
    """What the namespace may use as a whole, if it is limited."""
    quota = spec.kubernetes(desired).quota
    return {"spec": {"hard": {name: str(amount) for name, amount in quota.items()}}} if quota else None


def limit_range(desired: Desired) -> JsonObject:
    """What containers get that do not say how much they need, be they landlord's or somebody else's."""
    quota = spec.kubernetes(desired).quota
    defaults = {name: amount for name, amount in LIMIT.items() if f"limits.{name}" in quota}
    container = {"type": "Container", "defaultRequest": REQUEST} | ({"default": defaults} if defaults else {})
    return {"spec": {"limits": [container]}}

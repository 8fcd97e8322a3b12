"""How much a tenant may use of the cluster. No I/O."""

from decimal import Decimal

from landlord.api.request import Desired
from landlord.api.schema import JsonObject
from landlord.api.workload import Container, ResourceAmounts, Resources
from landlord.backends.kubernetes import ownership
from landlord.backends.quantity import parse_quantity
from landlord.errors import Terminal

REQUEST = {"cpu": "50m", "memory": "64Mi"}
"""What a container counts for that asks for nothing: without, the scheduler would take it for free."""
LIMIT = {"cpu": "500m", "memory": "512Mi"}
"""The limit of a container that names none, where the quota is on limits: it would be refused without."""

_ALSO_CALLED = {"cpu": "requests.cpu", "memory": "requests.memory", "count/pods": "pods"}


def build_resource_quota(desired: Desired) -> JsonObject | None:
    """What the namespace may use as a whole, if it is limited."""
    quota = ownership.read_settings(desired).quota
    return {"spec": {"hard": {name: str(amount) for name, amount in quota.items()}}} if quota else None


def build_limit_range(desired: Desired) -> JsonObject:
    """What containers get that do not say how much they need, be they landlord's or somebody else's."""
    quota = ownership.read_settings(desired).quota
    defaults = {name: amount for name, amount in LIMIT.items() if f"limits.{name}" in quota}
    container = {"type": "Container", "defaultRequest": REQUEST} | ({"default": defaults} if defaults else {})
    return {"spec": {"limits": [container]}}


def check_quota(desired: Desired) -> None:
    """Raises Terminal if the tenant's own quota is too small for what runs of it."""
    replicas = desired.workload.replicas
    if lacking := _find_lacking(desired, replicas):
        raise Terminal(
            "QuotaExceeded",
            f"{replicas} replicas need more than compute.kubernetes.quota holds: {', '.join(lacking)}\n"
            "To do: raise it, or ask for less in spec.workload.",
        )


def has_room(desired: Desired, pods: int) -> bool:
    """Whether the tenant's own quota admits so many of its pods at a time."""
    return not _find_lacking(desired, pods)


def _find_lacking(desired: Desired, pods: int) -> list[str]:
    """What so many pods need more of than there is, such as "pods (3 of 2)"."""
    used = {"pods": Decimal(1)}
    for container in desired.workload.containers:
        for name, amount in _count_amounts(container).items():
            used[name] = used.get(name, Decimal(0)) + amount
    needed = {
        name: used.get(_ALSO_CALLED.get(name, name), Decimal(0)) * pods
        for name in ownership.read_settings(desired).quota
    }
    return [
        f"{name} ({needed[name].normalize():f} of {hard})"
        for name, hard in ownership.read_settings(desired).quota.items()
        if needed[name] > parse_quantity(hard)
    ]


def _count_amounts(container: Container) -> dict[str, Decimal]:
    """What a container counts for, with what the API server fills in: a limit is a request, too."""
    resources = container.resources or Resources()
    limits, requests = read_amounts(resources.limits), read_amounts(resources.requests)
    counted = {f"requests.{name}": amount for name, amount in (REQUEST | limits | requests).items()}
    counted |= {f"limits.{name}": amount for name, amount in (LIMIT | limits).items()}
    return {name: parse_quantity(amount) for name, amount in counted.items()}


def read_amounts(of: ResourceAmounts | None) -> dict[str, str]:
    """Those that are given, by name, as Kubernetes has them."""
    given = of.model_dump(exclude_none=True) if of else {}
    return {name: str(amount) for name, amount in given.items()}

"""Builds the limits on what a tenant may use of the cluster. No I/O."""

from decimal import Decimal

from landlord.api.request import Desired
from landlord.api.schema import JsonObject
from landlord.api.workload import Container, ResourceAmounts, Resources
from landlord.backends.kubernetes import ownership
from landlord.backends.quantity import parse_quantity
from landlord.errors import Terminal

REQUEST = {"cpu": "50m", "memory": "64Mi"}
"""The request of a container that names none: the scheduler would assume that it needs nothing."""
LIMIT = {"cpu": "500m", "memory": "512Mi"}
"""The limit of a container that names none, if the quota counts limits: the quota would reject the pod."""

_ALSO_CALLED = {"cpu": "requests.cpu", "memory": "requests.memory", "count/pods": "pods"}


def build_resource_quota(desired: Desired) -> JsonObject | None:
    """Build the limit of the whole namespace, if it has one."""
    quota = ownership.read_settings(desired).quota
    return {"spec": {"hard": {name: str(amount) for name, amount in quota.items()}}} if quota else None


def build_limit_range(desired: Desired) -> JsonObject:
    """Build the defaults of all containers in the namespace that name no amounts, landlord's or not."""
    quota = ownership.read_settings(desired).quota
    defaults = {name: amount for name, amount in LIMIT.items() if f"limits.{name}" in quota}
    container = {"type": "Container", "defaultRequest": REQUEST} | ({"default": defaults} if defaults else {})
    return {"spec": {"limits": [container]}}


def check_quota(desired: Desired) -> None:
    """Raise Terminal if the tenant's own quota is too small for all of its replicas."""
    replicas = desired.workload.replicas
    if lacking := _find_lacking(desired, replicas):
        raise Terminal(
            "QuotaExceeded",
            f"{replicas} replicas need more than compute.kubernetes.quota allows: {', '.join(lacking)}",
            "raise the quota, or request less in spec.workload",
        )


def has_room(desired: Desired, pods: int) -> bool:
    """Whether the tenant's own quota admits this number of its pods at the same time."""
    return not _find_lacking(desired, pods)


def _find_lacking(desired: Desired, pods: int) -> list[str]:
    """Find the resources of which this number of pods needs too much, such as "pods (3 of 2)"."""
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
    """Count what a container uses of a quota, with the API server's defaults: a limit is also a request."""
    resources = container.resources or Resources()
    limits, requests = read_amounts(resources.limits), read_amounts(resources.requests)
    counted = {f"requests.{name}": amount for name, amount in (REQUEST | limits | requests).items()}
    counted |= {f"limits.{name}": amount for name, amount in (LIMIT | limits).items()}
    return {name: parse_quantity(amount) for name, amount in counted.items()}


def read_amounts(of: ResourceAmounts | None) -> dict[str, str]:
    """Read the amounts that are set, by name, in Kubernetes' notation."""
    given = of.model_dump(exclude_none=True) if of else {}
    return {name: str(amount) for name, amount in given.items()}

"""Builds the limits on what a tenant may use of the cluster. No I/O."""

from collections.abc import Mapping
from decimal import Decimal

from landlord.api.amounts import Quantity
from landlord.api.request import Desired
from landlord.api.schema import JsonObject
from landlord.api.workload import Container, ResourceAmounts, Resources
from landlord.backends.kubernetes import ownership
from landlord.backends.quantity import parse_quantity
from landlord.errors import Terminal

Amounts = dict[str, str]
"""Amounts by the names cpu and memory, in Kubernetes' notation."""
REQUEST = {"cpu": "50m", "memory": "64Mi"}
"""The request of a container that names none: the scheduler would assume that it needs nothing."""
LIMIT = {"cpu": "500m", "memory": "512Mi"}
"""The limit of a container that names none, if the quota counts limits: the quota would reject the pod.

A container that requests more gets its request as limit, because a limit below it makes a pod invalid."""

_ALSO_CALLED = {"cpu": "requests.cpu", "memory": "requests.memory", "count/pods": "pods"}


def build_resource_quota(desired: Desired) -> JsonObject | None:
    """Build the limit of the whole namespace, if it has one."""
    quota = ownership.read_settings(desired).quota
    return {"spec": {"hard": {name: str(amount) for name, amount in quota.items()}}} if quota else None


def build_limit_range(desired: Desired) -> JsonObject:
    """Build the defaults of all containers in the namespace that name no amounts.

    The limits are for pods of others: landlord's own name theirs, see `find_amounts`.
    """
    quota = ownership.read_settings(desired).quota
    defaults = {name: amount for name, amount in LIMIT.items() if f"limits.{name}" in quota}
    container = {"type": "Container", "defaultRequest": REQUEST} | ({"default": defaults} if defaults else {})
    return {"spec": {"limits": [container]}}


def find_amounts(container: Container, quota: Mapping[str, Quantity]) -> tuple[Amounts, Amounts]:
    """Find the requests and the limits that the container of a pod must name.

    Defaults of the namespace would be copied into a pod only when it is created. With the amounts in the pod
    itself, a quota that counts limits and comes later replaces the pods that it would not admit again.
    """
    resources = container.resources or Resources()
    requests, limits = read_amounts(resources.requests), read_amounts(resources.limits)
    for name, amount in LIMIT.items():
        if f"limits.{name}" in quota and name not in limits:
            requests.setdefault(name, REQUEST[name])  # otherwise the API server makes the limit the request
            limits[name] = max(amount, requests[name], key=parse_quantity)
    return requests, limits


def check_quota(desired: Desired) -> None:
    """Raise Terminal if the tenant's own quota is too small for all of its replicas."""
    replicas = desired.workload.replicas
    if lacking := _find_lacking(desired, replicas):
        raise Terminal(
            "QuotaExceeded",
            f"{replicas} replicas need more than compute.kubernetes.quota allows: {', '.join(lacking)}",
            "raise the quota, or set smaller resources.requests and resources.limits for the containers in "
            f"spec.workload, which otherwise have requests of {_format(REQUEST)} and limits of "
            f"{_format(LIMIT)}",
        )


def has_room(desired: Desired, pods: int) -> bool:
    """Whether the tenant's own quota admits this number of its pods at the same time."""
    return not _find_lacking(desired, pods)


def _find_lacking(desired: Desired, pods: int) -> list[str]:
    """Find the resources of which this number of pods needs too much, such as "pods (3 of 2)"."""
    quota, used = ownership.read_settings(desired).quota, {"pods": Decimal(1)}
    for container in desired.workload.containers:
        for name, amount in _count_amounts(container, quota).items():
            used[name] = used.get(name, Decimal(0)) + amount
    needed = {name: used.get(_ALSO_CALLED.get(name, name), Decimal(0)) * pods for name in quota}
    return [
        f"{name} ({needed[name].normalize():f} of {hard})"
        for name, hard in quota.items()
        if needed[name] > parse_quantity(hard)
    ]


def _count_amounts(container: Container, quota: Mapping[str, Quantity]) -> dict[str, Decimal]:
    """Count what a container uses of a quota, with the API server's defaults: a limit is also a request."""
    requests, limits = find_amounts(container, quota)
    counted = {f"requests.{name}": amount for name, amount in (REQUEST | limits | requests).items()}
    counted |= {f"limits.{name}": amount for name, amount in limits.items()}
    return {name: parse_quantity(amount) for name, amount in counted.items()}


def _format(amounts: Amounts) -> str:
    return " and ".join(f"{amount} {name}" for name, amount in amounts.items())


def read_amounts(of: ResourceAmounts | None) -> Amounts:
    """Read the amounts that are set, by name, in Kubernetes' notation."""
    given = of.model_dump(exclude_none=True) if of else {}
    return {name: str(amount) for name, amount in given.items()}

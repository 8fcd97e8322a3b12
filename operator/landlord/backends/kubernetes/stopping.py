"""Finds what a tenant has, and has its pods end."""

from collections.abc import Awaitable, Callable

from landlord.api import names
from landlord.api.schema import JsonObject
from landlord.backends.cluster import kinds
from landlord.backends.cluster.client import Cluster
from landlord.backends.cluster.kinds import ObjectKind
from landlord.backends.kubernetes import ownership
from landlord.backends.kubernetes.observed import terminating
from landlord.backends.patience import Patience
from landlord.errors import Retryable

WINDOW_SECONDS = 20.0
"""How long one step looks."""

Halt = Callable[[Cluster, JsonObject], Awaitable[bool]]
"""Has a Deployment make no more pods. Returns whether it may still have some to come."""


async def stop(cluster: Cluster, tenant_id: str, halt: Halt) -> None:
    """Have the Deployment halted and all its pods gone."""
    patience = Patience(WINDOW_SECONDS)
    while (left := await _list_stopping(cluster, tenant_id, halt)) is not None:
        if not await patience.pause():
            names_left = ", ".join(terminating.find_blocked("pods", left)) or f"{len(left)} pods are ending"
            raise Retryable("StillTerminating", f"the tenant's pods are not gone yet: {names_left}")


async def list_namespaces(cluster: Cluster, tenant_id: str) -> list[JsonObject]:
    """The tenant's namespaces; by its label, as the manifest may give them any name."""
    labelled = ownership.build_selector(names.labels(tenant_id))
    found = await cluster.all(kinds.NAMESPACE, labelSelector=labelled)
    return [each for each in found if ownership.is_tenant_namespace(each)]


async def list_created(
    cluster: Cluster, kind: ObjectKind, namespace: str, tenant_id: str
) -> list[JsonObject]:
    """The tenant's objects of a kind; of those that are made by landlord there is one at most."""
    if kind in kinds.CREATED:
        found = await cluster.get(kind, namespace, names.OBJECT_NAME)
        return [found] if found and ownership.is_owned(found, tenant_id) else []
    return await cluster.all(kind, namespace, labelSelector=ownership.build_selector(names.labels(tenant_id)))


async def list_all_created(
    cluster: Cluster, namespace: JsonObject, tenant_id: str
) -> dict[ObjectKind, list[JsonObject]]:
    """All that was made for the tenant in a namespace, by kind, in the order in which it goes."""
    name = namespace["metadata"]["name"]
    made = {kind: await list_created(cluster, kind, name, tenant_id) for kind in kinds.CREATED}
    return {kind: found for kind, found in made.items() if found}


async def _list_stopping(cluster: Cluster, tenant_id: str, halt: Halt) -> list[JsonObject] | None:
    """The pods that are left; None when there are none, and none to come."""
    left: list[JsonObject] = []
    coming = False
    for namespace in await list_namespaces(cluster, tenant_id):
        name = namespace["metadata"]["name"]
        for found in await list_created(cluster, kinds.DEPLOYMENT, name, tenant_id):
            coming |= await halt(cluster, found)
        left += await list_created(cluster, kinds.POD, name, tenant_id)
    return left if left or coming else None

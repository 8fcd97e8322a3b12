"""Finds a tenant's objects, and stops its pods."""

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
"""How long one try waits."""

Halt = Callable[[Cluster, JsonObject], Awaitable[bool]]
"""Makes a Deployment create no more pods. Returns whether it may still create some."""


async def stop(cluster: Cluster, tenant_id: str, halt: Halt) -> None:
    """Halt the Deployment and wait until none of its pods exist."""
    patience = Patience(WINDOW_SECONDS)
    while (left := await _list_stopping(cluster, tenant_id, halt)) is not None:
        if not await patience.pause():
            pods = ", ".join(terminating.find_blocked("pods", left)) or f"{len(left)} pods are terminating"
            raise Retryable("StillTerminating", f"the tenant's pods still exist: {pods}")


async def list_namespaces(cluster: Cluster, tenant_id: str) -> list[JsonObject]:
    """List the tenant's namespaces by label, because the manifest may give them any name."""
    labelled = ownership.build_selector(names.labels(tenant_id))
    found = await cluster.list_all(kinds.NAMESPACE, labelSelector=labelled)
    return [each for each in found if ownership.is_tenant_namespace(each)]


async def list_created(
    cluster: Cluster, kind: ObjectKind, namespace: str, tenant_id: str
) -> list[JsonObject]:
    """List the tenant's objects of a kind; landlord creates at most one of each kind."""
    if kind in kinds.CREATED:
        found = await cluster.get(kind, namespace, names.OBJECT_NAME)
        return [found] if found and ownership.is_owned(found, tenant_id) else []
    return await cluster.list_all(
        kind, namespace, labelSelector=ownership.build_selector(names.labels(tenant_id))
    )


async def list_all_created(
    cluster: Cluster, namespace: JsonObject, tenant_id: str
) -> dict[ObjectKind, list[JsonObject]]:
    """List all that landlord created in a tenant's namespace, by kind, in the order of its deletion."""
    name = namespace["metadata"]["name"]
    made = {kind: await list_created(cluster, kind, name, tenant_id) for kind in kinds.CREATED}
    return {kind: found for kind, found in made.items() if found}


async def _list_stopping(cluster: Cluster, tenant_id: str, halt: Halt) -> list[JsonObject] | None:
    """List the pods that still exist; None if there are none and no more will be created."""
    left: list[JsonObject] = []
    coming = False
    for namespace in await list_namespaces(cluster, tenant_id):
        name = namespace["metadata"]["name"]
        for found in await list_created(cluster, kinds.DEPLOYMENT, name, tenant_id):
            coming |= await halt(cluster, found)
        left += await list_created(cluster, kinds.POD, name, tenant_id)
    return left if left or coming else None

"""Removes what was made for a tenant, and returns when it is gone."""

from collections.abc import Mapping

from landlord.api import names
from landlord.api.schema import JsonObject
from landlord.backends.kubernetes import kinds, spec, terminating
from landlord.backends.kubernetes.cluster import Cluster
from landlord.backends.kubernetes.kinds import Kind
from landlord.backends.kubernetes.patience import Patience
from landlord.errors import Retryable
from landlord.kubernetes_api import METADATA_LIST, KubeError

WINDOW_SECONDS = 20.0
"""How long one step looks. A namespace takes 5 s at least: so long its controller waits before it begins."""
MADE = (
    kinds.DEPLOYMENT,
    kinds.SERVICE,
    kinds.SERVICE_ACCOUNT,
    kinds.NETWORK_POLICY,
    kinds.LIMIT_RANGE,
    kinds.RESOURCE_QUOTA,
    kinds.SECRET,
)
"""What is made in a namespace, in the order in which it goes."""


async def stop(cluster: Cluster, tenant_id: str) -> None:
    """Have the Deployment gone and all its pods: a namespace that still has pods goes only much later."""
    patience = Patience(WINDOW_SECONDS)
    while left := await _stopping(cluster, tenant_id):
        if not await patience.pause():
            names_left = ", ".join(terminating.holders("pods", left)) or f"{len(left)} pods are ending"
            raise Retryable("StillTerminating", f"the tenant's pods are not gone yet: {names_left}")


async def remove(cluster: Cluster, tenant_id: str) -> None:
    """Have the namespace gone; of one that was taken over, what was made in it."""
    patience = Patience(WINDOW_SECONDS)
    while namespaces := await _namespaces(cluster, tenant_id):
        for namespace in namespaces:
            if spec.adopted(namespace):
                await _let_go(cluster, namespace, tenant_id)
            elif "deletionTimestamp" not in namespace["metadata"]:
                await cluster.delete(kinds.NAMESPACE, namespace)
        if not await patience.pause():
            raise await _still_there(cluster, namespaces[0], tenant_id)


async def _stopping(cluster: Cluster, tenant_id: str) -> list[JsonObject]:
    """Delete the Deployments; returns the pods that are left."""
    left: list[JsonObject] = []
    for namespace in await _namespaces(cluster, tenant_id):
        name = namespace["metadata"]["name"]
        for found in await _made(cluster, kinds.DEPLOYMENT, name, tenant_id):
            await cluster.delete(kinds.DEPLOYMENT, found)
        left += await _made(cluster, kinds.POD, name, tenant_id)
    return left


async def _let_go(cluster: Cluster, namespace: JsonObject, tenant_id: str) -> None:
    """Delete what was made in it; when all that is gone, give up the fields that landlord set."""
    left = await _left(cluster, namespace, tenant_id)
    for kind, found in left.items():
        for each in found:
            await cluster.delete(kind, each)
    if not left:
        metadata = {key: namespace["metadata"][key] for key in ("name", "uid")}
        nothing = {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
        await cluster.apply(kinds.NAMESPACE, nothing)


async def _still_there(cluster: Cluster, namespace: JsonObject, tenant_id: str) -> Retryable:
    name = namespace["metadata"]["name"]
    held: list[str] = []
    if spec.adopted(namespace):
        for kind, found in (await _left(cluster, namespace, tenant_id)).items():
            held += terminating.holders(kind.plural, found)
    else:
        namespace = await cluster.get(kinds.NAMESPACE, None, name) or namespace
        for plural, group in terminating.remaining(namespace):
            held += await _holders(cluster, plural, group, name)
    return terminating.still_there(namespace, held)


async def _holders(cluster: Cluster, plural: str, group: str, namespace: str) -> list[str]:
    try:
        version = (
            (await cluster.call("GET", f"/apis/{group}"))["preferredVersion"]["version"] if group else ""
        )
        kind = Kind(f"{group}/{version}" if group else "v1", "", plural)
        return terminating.holders(plural, await cluster.all(kind, namespace, accept=METADATA_LIST))
    except KubeError as error:
        if error.status not in (403, 404):
            raise
        # The worker need not have the right to see whatever others put there: the namespace says the rest.
        return []


async def _left(cluster: Cluster, namespace: JsonObject, tenant_id: str) -> Mapping[Kind, list[JsonObject]]:
    name = namespace["metadata"]["name"]
    left = {kind: await _made(cluster, kind, name, tenant_id) for kind in MADE}
    return {kind: found for kind, found in left.items() if found}


async def _namespaces(cluster: Cluster, tenant_id: str) -> list[JsonObject]:
    return await cluster.all(kinds.NAMESPACE, labelSelector=spec.selector(names.labels(tenant_id)))


async def _made(cluster: Cluster, kind: Kind, namespace: str, tenant_id: str) -> list[JsonObject]:
    if kind is kinds.SECRET:
        found = await cluster.get(kind, namespace, spec.NAME)
        return [found] if found and spec.owned(found, tenant_id) else []
    return await cluster.all(kind, namespace, labelSelector=spec.selector(names.labels(tenant_id)))

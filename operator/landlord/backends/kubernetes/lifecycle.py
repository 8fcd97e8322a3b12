"""Brings a tenant to rest. Applying it brings it back, whatever is left of it.

The namespace is marked first, so that half-way a survey sees a tenant that is not as it should be. The mark
is taken away by the apply of the namespace, which comes first too: until the Deployment is applied as well,
that says by a mark of its own that it is suspended, or is missing.
"""

from landlord.api import names
from landlord.api.lifecycle import State
from landlord.api.outcome import ResourceRef, Result
from landlord.api.schema import JsonObject
from landlord.backends.cluster import kinds
from landlord.backends.cluster.client import Cluster
from landlord.backends.kubernetes import ownership
from landlord.backends.kubernetes.observed import rollout
from landlord.backends.kubernetes.stopping import list_all_created, list_created, list_namespaces, stop


async def suspend(cluster: Cluster, tenant_id: str) -> Result:
    """Have no pods; all else is kept."""
    kept: list[ResourceRef] = []
    for namespace in await list_namespaces(cluster, tenant_id):
        await _mark(cluster, namespace, "Suspended")
        kept.append(ResourceRef(kind=kinds.NAMESPACE.name, name=namespace["metadata"]["name"]))
        made = await list_all_created(cluster, namespace, tenant_id)
        kept += [ResourceRef(kind=kind.name, name=names.OBJECT_NAME) for kind in reversed(made)]
    await stop(cluster, tenant_id, _scale_to_zero)
    return Result(resources=tuple(kept))


async def archive(cluster: Cluster, tenant_id: str) -> Result:
    """Have no Deployment, no Service and no copy of Secrets. Returns what is kept.

    The NetworkPolicy, the quota and the ServiceAccount stay with what others have put into the namespace: it
    is as closed and as limited as before, and pull secrets that somebody gave the account are not lost.
    """
    namespaces = await list_namespaces(cluster, tenant_id)
    for namespace in namespaces:
        await _mark(cluster, namespace, "Archived")
        for found in await list_created(cluster, kinds.SERVICE, namespace["metadata"]["name"], tenant_id):
            await cluster.delete(kinds.SERVICE, found)
    await stop(cluster, tenant_id, delete_deployment)
    for namespace in namespaces:
        for found in await list_created(cluster, kinds.SECRET, namespace["metadata"]["name"], tenant_id):
            await cluster.delete(kinds.SECRET, found)
    return Result(
        resources=tuple(
            ResourceRef(kind=kinds.NAMESPACE.name, name=each["metadata"]["name"]) for each in namespaces
        )
    )


async def delete_deployment(cluster: Cluster, deployment: JsonObject) -> bool:
    """Have a Deployment deleted; no pod comes after that."""
    await cluster.delete(kinds.DEPLOYMENT, deployment)
    return False


async def _scale_to_zero(cluster: Cluster, deployment: JsonObject) -> bool:
    """Mark and scale it by one patch, so that it never runs under the mark nor stands still without."""
    if ownership.read_state(deployment) != "Suspended" or deployment["spec"]["replicas"]:
        suspended = {"metadata": _build_mark("Suspended"), "spec": {"replicas": 0}}
        deployment = await cluster.patch(kinds.DEPLOYMENT, deployment, suspended)
    return not rollout.is_stopped(deployment)


async def _mark(cluster: Cluster, namespace: JsonObject, state: State) -> None:
    if ownership.read_state(namespace) != state:
        await cluster.patch(kinds.NAMESPACE, namespace, {"metadata": _build_mark(state)})


def _build_mark(state: State) -> JsonObject:
    return {"labels": {names.LABEL_STATE: state}}

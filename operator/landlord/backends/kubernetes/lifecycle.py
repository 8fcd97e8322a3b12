"""Suspends and archives a tenant. Applying it restores it from whatever is left.

The namespace is marked first, so a survey in the middle reports a tenant that is not in its state yet. The
apply of the namespace, the first step of a restore, removes the mark. Until the Deployment is applied as
well, a mark of its own says that it is suspended, or it is missing.
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
    """Stop all pods, and keep everything else. Returns what is kept."""
    kept: list[ResourceRef] = []
    for namespace in await list_namespaces(cluster, tenant_id):
        await _mark(cluster, namespace, "Suspended")
        kept.append(ResourceRef(kind=kinds.NAMESPACE.name, name=namespace["metadata"]["name"]))
        made = await list_all_created(cluster, namespace, tenant_id)
        kept += [ResourceRef(kind=kind.name, name=names.OBJECT_NAME) for kind in reversed(made)]
    await stop(cluster, tenant_id, _scale_to_zero)
    return Result(resources=tuple(kept))


async def archive(cluster: Cluster, tenant_id: str) -> Result:
    """Delete the Deployment, the Service and the copy of Secrets. Returns what is kept.

    The NetworkPolicy, the quota and the ServiceAccount stay together with others' objects in the namespace.
    So it stays as isolated and as limited as before, and keeps pull secrets that somebody gave the account.
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
    """Delete a Deployment, after which it creates no more pods."""
    await cluster.delete(kinds.DEPLOYMENT, deployment)
    return False


async def _scale_to_zero(cluster: Cluster, deployment: JsonObject) -> bool:
    """Mark and scale a Deployment in one patch, so that it never runs with the mark or is at zero without."""
    if ownership.read_state(deployment) != "Suspended" or deployment["spec"]["replicas"]:
        suspended = {"metadata": _build_mark("Suspended"), "spec": {"replicas": 0}}
        deployment = await cluster.patch(kinds.DEPLOYMENT, deployment, suspended)
    return not rollout.is_stopped(deployment)


async def _mark(cluster: Cluster, namespace: JsonObject, state: State) -> None:
    if ownership.read_state(namespace) != state:
        await cluster.patch(kinds.NAMESPACE, namespace, {"metadata": _build_mark(state)})


def _build_mark(state: State) -> JsonObject:
    return {"labels": {names.LABEL_STATE: state}}

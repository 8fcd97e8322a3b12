"""Deletes what landlord created for a tenant, and waits until it no longer exists."""

from landlord.api import names
from landlord.api.schema import JsonObject
from landlord.backends.cluster import kinds
from landlord.backends.cluster.client import Cluster
from landlord.backends.cluster.kinds import ObjectKind
from landlord.backends.kubernetes import ownership
from landlord.backends.kubernetes.observed import terminating
from landlord.backends.kubernetes.stopping import list_all_created, list_namespaces
from landlord.backends.patience import Patience
from landlord.errors import Retryable
from landlord.kubernetes_api import METADATA_LIST, KubeError

WINDOW_SECONDS = 20.0
"""How long one try waits. A namespace takes at least 5 s, because its controller waits before it begins."""


async def remove(cluster: Cluster, tenant_id: str) -> None:
    """Delete a namespace that landlord created; in any other, delete what landlord created or adopted."""
    patience = Patience(WINDOW_SECONDS)
    while namespaces := await list_namespaces(cluster, tenant_id):
        for namespace in namespaces:
            if not ownership.is_created(namespace):
                await _release(cluster, namespace, tenant_id)
            elif "deletionTimestamp" not in namespace["metadata"]:
                await cluster.delete(kinds.NAMESPACE, namespace)
        if not await patience.pause():
            raise await _explain_delay(cluster, namespaces[0], tenant_id)


async def _release(cluster: Cluster, namespace: JsonObject, tenant_id: str) -> None:
    """Delete what landlord created or adopted in the namespace, then remove landlord's fields from it."""
    left = await list_all_created(cluster, namespace, tenant_id)
    for kind, found in left.items():
        for each in found:
            await cluster.delete(kind, each)
    if not left:
        metadata = {key: namespace["metadata"][key] for key in ("name", "uid")}
        metadata["labels"] = ownership.read_previous_pod_security(namespace)
        as_before = {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
        applied = await cluster.apply(kinds.NAMESPACE, as_before)
        # The apply leaves fields that were set by a patch, or that somebody else owns too.
        labels = {
            label: None for label in ownership.read_labels(applied) if label.startswith(f"{names.GROUP}/")
        }
        if labels:
            await cluster.patch(kinds.NAMESPACE, applied, {"metadata": {"labels": labels}})


async def _explain_delay(cluster: Cluster, namespace: JsonObject, tenant_id: str) -> Retryable:
    name = namespace["metadata"]["name"]
    held: list[str] = []
    if not ownership.is_created(namespace):
        for kind, found in (await list_all_created(cluster, namespace, tenant_id)).items():
            held += terminating.find_blocked(kind.plural, found)
    else:
        namespace = await cluster.get(kinds.NAMESPACE, None, name) or namespace
        for plural, group in terminating.find_remaining(namespace):
            held += await _find_blocked(cluster, plural, group, name)
    return terminating.explain_delay(namespace, held)


async def _find_blocked(cluster: Cluster, plural: str, group: str, namespace: str) -> list[str]:
    try:
        version = (
            (await cluster.call("GET", f"/apis/{group}"))["preferredVersion"]["version"] if group else ""
        )
        kind = ObjectKind(f"{group}/{version}" if group else "v1", "", plural)
        return terminating.find_blocked(plural, await cluster.list_all(kind, namespace, accept=METADATA_LIST))
    except KubeError as error:
        if error.status not in (403, 404):
            raise
        # The worker may lack the right to list others' objects; the namespace's conditions name their kinds.
        return []

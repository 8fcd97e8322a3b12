"""Makes a tenant's objects what they are to be. Each run looks first, so that it may be killed anywhere."""

from collections.abc import Iterable

from landlord.api import names
from landlord.api.outcome import ResourceRef, Result
from landlord.api.request import Desired
from landlord.api.schema import JsonObject
from landlord.backends.cluster import kinds
from landlord.backends.cluster.client import Cluster
from landlord.backends.cluster.kinds import Kind
from landlord.backends.kubernetes import ownership
from landlord.backends.kubernetes.claim import claim, claimed
from landlord.backends.kubernetes.desired.objects import Wanted, manifest, place
from landlord.backends.kubernetes.observed import record, stamp
from landlord.backends.kubernetes.patience import Patience
from landlord.backends.kubernetes.stopping import namespaces_of
from landlord.errors import Retryable
from landlord.kubernetes_api import KubeError

QUOTA_SECONDS = 5.0


async def ensure(cluster: Cluster, desired: Desired, wanted: Iterable[Wanted]) -> Result:
    """Have these objects as they are wanted. Raises KubeError, and StepError for what is somebody else's."""
    made: list[ResourceRef] = []
    for each in wanted:
        namespace, name = place(each.kind, desired)
        found = await cluster.get(each.kind, namespace, name)
        if each.kind is kinds.NAMESPACE:
            await _only_there(cluster, name, desired.tenant_id)
        if each.content is None:
            if found and ownership.owned(found, desired.tenant_id):
                await cluster.delete(each.kind, found)
            continue
        if found is None and each.kind is kinds.NAMESPACE:
            found = await _new_namespace(cluster, name, desired)
        applied = await _apply(cluster, desired, each.kind, each.content, found)
        if each.kind is kinds.RESOURCE_QUOTA:
            await _in_force(cluster, applied)
        made.append(ResourceRef(kind=each.kind.name, name=name))
    return Result(resources=tuple(made))


async def _apply(
    cluster: Cluster, desired: Desired, kind: Kind, content: JsonObject, found: JsonObject | None
) -> JsonObject:
    body = manifest(kind, content, desired)
    if kind in stamp.STAMPED:
        generation = stamp.expected(body, found)
        applied = await _applied(cluster, desired, kind, stamp.stamped(body, generation), found)
        if stamp.changed(applied):
            generation = applied["metadata"]["generation"]
            applied = await _applied(cluster, desired, kind, stamp.stamped(body, generation), applied)
        return applied
    if kind in record.RECORDED:
        applied = await _applied(cluster, desired, kind, record.recorded(body), found)
        if not record.changes(applied):
            return applied
        # The admission has the last word, and nothing is to be recorded: it could not be put right.
        found = applied
    return await _applied(cluster, desired, kind, body, found)


async def _applied(
    cluster: Cluster, desired: Desired, kind: Kind, body: JsonObject, found: JsonObject | None
) -> JsonObject:
    if found is None:
        return await cluster.apply(kind, body)
    try:
        return await cluster.apply(kind, claimed(body, claim(kind, found, desired)))
    except KubeError as error:
        if error.status == 422 and not ownership.owned(found, desired.tenant_id):
            raise ownership.unfit(kind, found, str(error)) from error
        raise


async def _only_there(cluster: Cluster, name: str, tenant_id: str) -> None:
    """Raises StepError if the tenant has another namespace, such as one that a Tenant before it has left."""
    for found in await namespaces_of(cluster, tenant_id):
        if found["metadata"]["name"] != name:
            raise ownership.elsewhere(tenant_id, name, found)


async def _new_namespace(cluster: Cluster, name: str, desired: Desired) -> JsonObject:
    """Made by a create, as an apply would take over what somebody else has made just now."""
    metadata = {
        "name": name,
        "labels": names.labels(desired.tenant_id),
        "annotations": ownership.origin(name, made=True),
    }
    return await cluster.create(
        kinds.NAMESPACE, {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
    )


async def _in_force(cluster: Cluster, quota: JsonObject) -> None:
    """Return when pods are admitted by this quota: until then it refuses them, or has the old limits."""
    metadata, hard = quota["metadata"], quota["spec"]["hard"]
    patience = Patience(QUOTA_SECONDS)
    seen: JsonObject | None = quota
    while seen and seen.get("status", {}).get("hard") != hard:
        if not await patience.pause():
            raise Retryable("QuotaPending", "the quota is not in force: its controller has not looked at it")
        seen = await cluster.get(kinds.RESOURCE_QUOTA, metadata["namespace"], metadata["name"])

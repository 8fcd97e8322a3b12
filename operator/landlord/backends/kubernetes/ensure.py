"""Creates and corrects a tenant's objects. Each run begins with what exists, so it may be killed anywhere."""

from collections.abc import Iterable

from landlord.api.outcome import ResourceRef, Result
from landlord.api.request import Desired
from landlord.api.schema import JsonObject
from landlord.backends.cluster import kinds
from landlord.backends.cluster.client import Cluster
from landlord.backends.cluster.kinds import ObjectKind
from landlord.backends.kubernetes import ownership
from landlord.backends.kubernetes.claim import build_claim, build_creation, with_claim
from landlord.backends.kubernetes.desired.objects import DesiredObject, build_manifest, locate
from landlord.backends.kubernetes.observed import generation_label, managed_fields, record
from landlord.backends.kubernetes.stopping import list_namespaces
from landlord.backends.patience import Patience
from landlord.errors import Retryable
from landlord.kubernetes_api import KubeError

QUOTA_SECONDS = 5.0
TAKEOVER_TRIES = 5


async def ensure(cluster: Cluster, desired: Desired, wanted: Iterable[DesiredObject]) -> Result:
    """Create, correct or delete these objects. Raises KubeError, and StepError for somebody else's object."""
    made: list[ResourceRef] = []
    for each in wanted:
        namespace, name = locate(each.kind, desired)
        found = await cluster.get(each.kind, namespace, name)
        if each.kind is kinds.NAMESPACE:
            await _check_other_namespaces(cluster, name, desired.tenant_id)
        if each.content is None:
            if found and ownership.is_owned(found, desired.tenant_id):
                await cluster.delete(each.kind, found)
            continue
        applied = await _apply(cluster, desired, each.kind, each.content, found)
        if each.kind is kinds.RESOURCE_QUOTA:
            await _wait_for_quota(cluster, applied)
        made.append(ResourceRef(kind=each.kind.name, name=name))
    return Result(resources=tuple(made))


async def _apply(
    cluster: Cluster, desired: Desired, kind: ObjectKind, content: JsonObject, found: JsonObject | None
) -> JsonObject:
    body = managed_fields.without_left_fields(build_manifest(kind, content, desired), found)
    if kind in generation_label.KINDS_WITH_GENERATION:
        generation = generation_label.predict_generation(body, found)
        applied = await _apply_claimed(
            cluster, desired, kind, generation_label.with_generation(body, generation), found
        )
        if generation_label.is_changed(applied):
            generation = applied["metadata"]["generation"]
            applied = await _apply_claimed(
                cluster, desired, kind, generation_label.with_generation(body, generation), applied
            )
        return applied
    if kind in record.KINDS_WITH_RECORD:
        applied = await _apply_claimed(cluster, desired, kind, record.with_record(body), found)
        if not record.find_changes(applied):
            return applied
        # An admission webhook changed it again, so a record would report a change that nobody can repair.
        found = applied
    return await _apply_claimed(cluster, desired, kind, body, found)


async def _apply_claimed(
    cluster: Cluster, desired: Desired, kind: ObjectKind, body: JsonObject, found: JsonObject | None
) -> JsonObject:
    if found is None:
        return await cluster.apply(kind, with_claim(body, build_creation(kind, body["metadata"]["name"])))
    if not ownership.is_owned(found, desired.tenant_id):
        found = await _adopt(cluster, desired, kind, body, found)
        if managed_fields.with_everything_taken_over(kind, found, body) is None:
            return found
    manifest = with_claim(body, build_claim(kind, found, desired))
    found = await _take_over_at_last(cluster, kind, found, manifest)
    return await cluster.apply(kind, with_claim(body, build_claim(kind, found, desired)))


async def _adopt(
    cluster: Cluster, desired: Desired, kind: ObjectKind, body: JsonObject, found: JsonObject
) -> JsonObject:
    """Apply to somebody else's object, which stays as it is if that is not permitted or not possible."""
    try:
        return await cluster.apply(kind, with_claim(body, build_claim(kind, found, desired)))
    except KubeError as error:
        if error.status == 422:
            raise ownership.explain_failed_adoption(kind, found, str(error)) from error
        raise


async def _take_over_at_last(
    cluster: Cluster, kind: ObjectKind, found: JsonObject, manifest: JsonObject
) -> JsonObject:
    """Do as `take_over` with a few tries, because controllers often change the status of the object."""
    for tries_left in reversed(range(TAKEOVER_TRIES)):
        try:
            return await take_over(cluster, kind, found, manifest)
        except KubeError as error:
            if error.status != 409 or not tries_left:
                raise
            metadata = found["metadata"]
            found = await cluster.get(kind, metadata.get("namespace"), metadata["name"]) or found
    raise AssertionError("the last try raises")


async def take_over(
    cluster: Cluster, kind: ObjectKind, found: JsonObject, manifest: JsonObject
) -> JsonObject:
    """Make landlord the only owner of its part of the object, so that an apply of the manifest removes what
    the manifest does not have.

    Otherwise, whatever somebody restored from a backup would stay when the spec no longer has it. Raises
    KubeError 409 if the object has changed since it was read.
    """
    taken = managed_fields.with_everything_taken_over(kind, found, manifest)
    return found if taken is None else await cluster.replace_metadata(kind, found, managedFields=taken)


async def _check_other_namespaces(cluster: Cluster, name: str, tenant_id: str) -> None:
    """Raise StepError if the tenant has another namespace, such as one that an earlier Tenant left."""
    for found in await list_namespaces(cluster, tenant_id):
        if found["metadata"]["name"] != name:
            raise ownership.explain_other_namespace(tenant_id, name, found)


async def _wait_for_quota(cluster: Cluster, quota: JsonObject) -> None:
    """Wait until the quota is in force: before, it rejects pods, or admits them by its previous limits."""
    metadata, hard = quota["metadata"], quota["spec"]["hard"]
    patience = Patience(QUOTA_SECONDS)
    current: JsonObject | None = quota
    while current and current.get("status", {}).get("hard") != hard:
        if not await patience.pause():
            raise Retryable(
                "QuotaPending",
                "the quota is not in force, because its controller has not observed it",
                "check that the cluster's controller manager runs",
            )
        current = await cluster.get(kinds.RESOURCE_QUOTA, metadata["namespace"], metadata["name"])

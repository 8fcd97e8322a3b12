"""Inspects one tenant: every field of every object that landlord created."""

from landlord.api.request import Desired
from landlord.api.schema import JsonObject
from landlord.backends.cluster import kinds
from landlord.backends.cluster.client import Cluster
from landlord.backends.cluster.kinds import ObjectKind
from landlord.backends.cluster.secret_reader import SecretReader
from landlord.backends.drift import describe_missing
from landlord.backends.kubernetes import ownership, secret_copy
from landlord.backends.kubernetes.claim import build_claim, with_claim
from landlord.backends.kubernetes.desired.objects import DesiredObject, build_manifest, build_objects, locate
from landlord.backends.kubernetes.observed import generation_label
from landlord.backends.kubernetes.observed.fields import find_differences
from landlord.kubernetes_api import KubeError


async def inspect(cluster: Cluster, reader: SecretReader, desired: Desired) -> list[str]:
    """Return a line for each object and field that differs. Raises KubeError."""
    lines, copied = await secret_copy.inspect(cluster, reader, desired)
    for step in build_objects(desired, copied).values():
        for wanted in step:
            if wanted.kind is kinds.DEPLOYMENT and copied is None and desired.workload.refers_to_secrets:
                continue  # what its pods must be depends on the copy that they refer to
            lines += await _inspect_object(cluster, desired, wanted)
    return lines


async def _inspect_object(cluster: Cluster, desired: Desired, wanted: DesiredObject) -> list[str]:
    kind, content = wanted.kind, wanted.content
    namespace, name = locate(kind, desired)
    what = f"{kind.name} {name}"
    found = await cluster.get(kind, namespace, name)
    if found is None:
        return [] if content is None else [describe_missing(what)]
    if not ownership.is_owned(found, desired.tenant_id):
        return [] if content is None else [f"{what} does not belong to this tenant"]
    if content is None:
        return [f"{what} exists, and should not"]
    if "deletionTimestamp" in found["metadata"]:
        return [f"{what} is being deleted"]
    body = with_claim(build_manifest(kind, content, desired), build_claim(kind, found, desired))
    lines = [f"{what}: {each}" for each in find_differences(found, await cluster.preview(kind, body))]
    if not lines and kind in generation_label.KINDS_WITH_GENERATION and generation_label.is_changed(found):
        await _update_generation(cluster, kind, body, found)
    return lines


async def _update_generation(cluster: Cluster, kind: ObjectKind, body: JsonObject, found: JsonObject) -> None:
    """Make surveys take the object for unchanged, because others changed only fields of their own."""
    metadata = found["metadata"]
    this_very_version = {"metadata": body["metadata"] | {"resourceVersion": metadata["resourceVersion"]}}
    try:
        await cluster.apply(
            kind, generation_label.with_generation(body | this_very_version, metadata["generation"])
        )
    except KubeError as error:
        if error.status != 409:
            raise
        # It has changed again; the next inspection compares it.

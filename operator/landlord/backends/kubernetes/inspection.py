"""Inspects one tenant: every field of every object that landlord created."""

from collections.abc import Iterable

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
from landlord.backends.kubernetes.desired.pods import SecretCopy, build_deployment
from landlord.backends.kubernetes.ensure import take_over
from landlord.backends.kubernetes.observed import generation_label, managed_fields
from landlord.backends.kubernetes.observed.field_tree import merge, without_fields
from landlord.backends.kubernetes.observed.fields import find_differences
from landlord.kubernetes_api import KubeError


async def inspect(cluster: Cluster, reader: SecretReader, desired: Desired) -> list[str]:
    """Return a line for each object and field that differs. Raises KubeError."""
    copied = await secret_copy.inspect(cluster, reader, desired)
    lines = list(copied.lines)
    for step in build_objects(desired, copied.known).values():
        for wanted in step:
            if (
                wanted.kind is kinds.DEPLOYMENT
                and copied.known is None
                and desired.workload.refers_to_secrets
            ):
                continue  # what its pods must be depends on the copy that they refer to
            lines += await _inspect_object(cluster, desired, wanted)
    if not lines and copied.known and copied.is_outdated:
        await _update_record(cluster, reader, desired, copied.known)
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
    body = _build_body(kind, content, desired, found)
    lines = [f"{what}: {each}" for each in await _compare(cluster, kind, body, found)]
    if not lines:
        await _settle(cluster, kind, body, found)
    return lines


def _build_body(kind: ObjectKind, content: JsonObject, desired: Desired, found: JsonObject) -> JsonObject:
    """Build what an apply of the object sends, but for its record."""
    manifest = managed_fields.without_left_fields(build_manifest(kind, content, desired), found)
    return with_claim(manifest, build_claim(kind, found, desired))


async def _compare(cluster: Cluster, kind: ObjectKind, body: JsonObject, found: JsonObject) -> Iterable[str]:
    """Compare with what an apply would make of the object after landlord has taken over its part of it."""
    expected = await cluster.preview(kind, body)
    owned = managed_fields.find_owned(expected)
    foreign = managed_fields.find_foreign(kind, found, owned)
    if foreign:
        # The API server fills in its defaults again, which are not foreign, whoever has restored the object.
        content = without_fields(expected, foreign)
        expected = await cluster.preview_replacement(
            kind, found, **{key.removeprefix("f:"): content[key.removeprefix("f:")] for key in foreign}
        )
    return find_differences(found, expected, merge(owned, foreign))


async def _settle(cluster: Cluster, kind: ObjectKind, body: JsonObject, found: JsonObject) -> None:
    """Make surveys take the object for unchanged, because an apply would change nothing that counts."""
    try:
        found = await take_over(cluster, kind, found, body)
    except KubeError as error:
        if error.status != 409:
            raise
        return  # It has changed again; the next inspection compares it.
    if kind in generation_label.KINDS_WITH_GENERATION and generation_label.is_changed(found):
        await _apply_to_version(cluster, kind, body, found, found["metadata"]["generation"])


async def _update_record(cluster: Cluster, reader: SecretReader, desired: Desired, known: SecretCopy) -> None:
    """Record the present versions of Secrets that somebody rewrote with the same values."""
    await secret_copy.copy(cluster, reader, desired)
    copied = await secret_copy.read_copy(cluster, desired)
    found = await cluster.get(kinds.DEPLOYMENT, *locate(kinds.DEPLOYMENT, desired))
    if (
        copied is None
        or copied.version != known.version
        or found is None
        or generation_label.is_changed(found)
    ):
        return  # It has changed again; the next inspection compares it.
    content = build_deployment(desired, copied)
    body = _build_body(kinds.DEPLOYMENT, content, desired, found)
    # Other annotations raise the generation.
    await _apply_to_version(cluster, kinds.DEPLOYMENT, body, found, found["metadata"]["generation"] + 1)


async def _apply_to_version(
    cluster: Cluster, kind: ObjectKind, body: JsonObject, found: JsonObject, generation: int
) -> None:
    """Apply to this very version of the object, unless it has changed: the next inspection compares it."""
    version = {"metadata": body["metadata"] | {"resourceVersion": found["metadata"]["resourceVersion"]}}
    try:
        await cluster.apply(kind, generation_label.with_generation(body | version, generation))
    except KubeError as error:
        if error.status != 409:
            raise

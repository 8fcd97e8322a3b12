"""Looks at one tenant in depth: every field of every object that landlord has made."""

from landlord.api.request import Desired
from landlord.api.schema import JsonObject
from landlord.backends.cluster import kinds
from landlord.backends.cluster.client import Cluster
from landlord.backends.cluster.kinds import Kind
from landlord.backends.cluster.secrets import Sources
from landlord.backends.kubernetes import ownership, secret
from landlord.backends.kubernetes.claim import claim, claimed
from landlord.backends.kubernetes.desired.objects import Wanted, manifest, objects, place
from landlord.backends.kubernetes.observed import stamp
from landlord.backends.kubernetes.observed.fields import differences
from landlord.kubernetes_api import KubeError


async def inspect(cluster: Cluster, sources: Sources, desired: Desired) -> list[str]:
    """A line for each object and field that is not as it is to be. Raises KubeError."""
    lines, copied = await secret.inspect(cluster, sources, desired)
    for step in objects(desired, copied).values():
        for wanted in step:
            if wanted.kind is kinds.DEPLOYMENT and copied is None and desired.workload.refers_to_secrets:
                continue  # what its pods are to be is not known without the copy that they refer to
            lines += await _inspected(cluster, desired, wanted)
    return lines


async def _inspected(cluster: Cluster, desired: Desired, wanted: Wanted) -> list[str]:
    kind, content = wanted.kind, wanted.content
    namespace, name = place(kind, desired)
    what = f"{kind.name} {name}"
    found = await cluster.get(kind, namespace, name)
    if found is None:
        return [] if content is None else [f"{what} is missing"]
    if not ownership.owned(found, desired.tenant_id):
        return [] if content is None else [f"{what} is not this tenant's"]
    if content is None:
        return [f"{what} is there, and should not be"]
    if "deletionTimestamp" in found["metadata"]:
        return [f"{what} is being deleted"]
    body = claimed(manifest(kind, content, desired), claim(kind, found, desired))
    lines = [f"{what}: {each}" for each in differences(found, await cluster.preview(kind, body))]
    if not lines and kind in stamp.STAMPED and stamp.changed(found):
        await _stamp(cluster, kind, body, found)
    return lines


async def _stamp(cluster: Cluster, kind: Kind, body: JsonObject, found: JsonObject) -> None:
    """Have surveys take the object for unchanged: others have changed nothing but fields of their own."""
    metadata = found["metadata"]
    this_very_version = {"metadata": body["metadata"] | {"resourceVersion": metadata["resourceVersion"]}}
    try:
        await cluster.apply(kind, stamp.stamped(body | this_very_version, metadata["generation"]))
    except KubeError as error:
        if error.status != 409:
            raise
        # It has changed meanwhile, so that nothing can be said of it: the next look will.

"""Replaces pods that wait for something which exists by now, but which they were created without."""

from collections.abc import Sequence

from landlord.api import names
from landlord.api.schema import JsonObject
from landlord.backends.cluster import kinds
from landlord.backends.cluster.client import Cluster
from landlord.backends.kubernetes.claim import build_creation, with_claim
from landlord.backends.kubernetes.observed import admission
from landlord.kubernetes_api import KubeError

UNKNOWN = (400, 403, 409, 422)
"""Refusals that leave it open: by a webhook without dry runs, a full quota, a policy, a missing right."""


async def replace_outdated(cluster: Cluster, deployment: JsonObject, unready: Sequence[JsonObject]) -> bool:
    """Delete the unready pods that admission would make differently now. Returns whether there were any.

    Only the API server knows what all of its admission makes of a pod, so it is asked by a dry run. The
    Deployment creates the new pods.
    """
    created_now = await _preview(cluster, deployment) if unready else None
    outdated = admission.find_outdated(unready, created_now) if created_now else []
    for pod in outdated:
        await cluster.delete(kinds.POD, pod)
    return bool(outdated)


async def _preview(cluster: Cluster, deployment: JsonObject) -> JsonObject | None:
    """Ask what a pod of the Deployment would be if it was created now; None if the API server can't say."""
    template, namespace = deployment["spec"]["template"], deployment["metadata"]["namespace"]
    identity = {"name": names.OBJECT_NAME, "namespace": namespace}
    pod = template | {"apiVersion": "v1", "kind": "Pod", "metadata": template["metadata"] | identity}
    try:
        return await cluster.preview(kinds.POD, with_claim(pod, build_creation(kinds.POD, names.OBJECT_NAME)))
    except KubeError as error:
        if error.status not in UNKNOWN:
            raise
        return None

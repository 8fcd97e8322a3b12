"""The last step: waits until all replicas of the current version are available."""

from collections.abc import Mapping, Sequence

from landlord.api import names
from landlord.api.amounts import Quantity
from landlord.api.outcome import Endpoint, Result
from landlord.api.request import Desired
from landlord.api.schema import JsonObject
from landlord.backends.cluster import kinds
from landlord.backends.cluster.api_errors import Gone
from landlord.backends.cluster.client import Cluster
from landlord.backends.kubernetes import ownership, secret_copy
from landlord.backends.kubernetes.desired import service
from landlord.backends.kubernetes.observed import rollout
from landlord.backends.kubernetes.outdated_pods import replace_outdated
from landlord.backends.patience import Patience
from landlord.errors import Retryable, StepError

GRACE_SECONDS = 2.0
"""How long a failure may be a leftover, because the controllers have not caught up yet."""
WINDOW_SECONDS = 10.0
"""How long one try waits; the next one waits again."""


async def wait_until_ready(cluster: Cluster, desired: Desired) -> Result:
    """Return the endpoints once all replicas are available. Raises StepError, with the reason, if late."""
    patience = Patience(WINDOW_SECONDS)
    namespace = ownership.name_namespace(desired)
    while True:
        deployment = await cluster.get(kinds.DEPLOYMENT, namespace, names.OBJECT_NAME)
        if deployment is None:
            raise _explain_gone("Deployment")
        if not ownership.is_owned(deployment, desired.tenant_id):
            raise ownership.explain_conflict(kinds.DEPLOYMENT, deployment)
        waiting = rollout.describe_progress(deployment)
        if waiting is None:
            endpoints = await _find_endpoints(cluster, desired)
            if endpoints is not None:
                return Result(endpoints=endpoints)
        elif patience.elapsed > GRACE_SECONDS:
            await _check_pods(cluster, desired, deployment)
        if not await patience.pause():
            await _replace_waiting_pods(cluster, deployment)
            raise await _explain_delay(cluster, deployment, waiting)


async def explain_unavailability(cluster: Cluster, deployment: JsonObject, waiting: str) -> StepError:
    """Explain why the Deployment still waits for that. Raises KubeError, and Gone as the step does."""
    return await _find_failure(cluster, deployment, {}) or await _explain_delay(cluster, deployment, waiting)


def _explain_gone(kind: str) -> Gone:
    return Gone("WorkloadGone", f"somebody deleted the {kind}, and landlord is creating it again")


async def _find_endpoints(cluster: Cluster, desired: Desired) -> tuple[Endpoint, ...] | None:
    """Find the endpoints; None while the Service has no load balancer."""
    host: str | None = service.build_internal_host(desired)
    if service.find_offered_ports(desired) and ownership.read_settings(desired).exposure == "LoadBalancer":
        found = await cluster.get(kinds.SERVICE, ownership.name_namespace(desired), names.OBJECT_NAME)
        if found is None:
            raise _explain_gone("Service")
        host = service.read_external_host(found)
    return None if host is None else service.build_endpoints(desired, host)


async def _check_pods(cluster: Cluster, desired: Desired, deployment: JsonObject) -> None:
    """Raise StepError if the pods can't become ready, unless new pods could."""
    failure = await _find_failure(cluster, deployment, ownership.read_settings(desired).quota)
    if failure and not await _replace_waiting_pods(cluster, deployment):
        raise failure


async def _find_failure(
    cluster: Cluster, deployment: JsonObject, quota: Mapping[str, Quantity]
) -> StepError | None:
    replica_sets = await _list_current(cluster, kinds.REPLICA_SET, deployment)
    pods = await _redact(cluster, deployment, await _list_current(cluster, kinds.POD, deployment))
    own = {container["name"] for container in deployment["spec"]["template"]["spec"]["containers"]}
    return rollout.find_failure(replica_sets, pods, quota, own) or rollout.find_pause(deployment)


async def _replace_waiting_pods(cluster: Cluster, deployment: JsonObject) -> bool:
    """Replace the pods that wait for what they were created without. Returns whether there were any."""
    pods = await _list_current(cluster, kinds.POD, deployment)
    return await replace_outdated(cluster, deployment, rollout.select_unready(pods))


async def _explain_delay(cluster: Cluster, deployment: JsonObject, waiting: str | None) -> StepError:
    if waiting is None:
        return Retryable(
            "LoadBalancerPending",
            "the Service has no address yet",
            f"see `kubectl describe service tenant -n {deployment['metadata']['namespace']}`; in a cluster "
            "without load balancers, set compute.kubernetes.exposure to ClusterIP",
        )
    unready = rollout.select_unready(await _list_current(cluster, kinds.POD, deployment))
    events: list[JsonObject] = []
    for pod in unready[:1]:
        about = f"involvedObject.uid={pod['metadata']['uid']}"
        namespace = deployment["metadata"]["namespace"]
        events = await cluster.list_all(kinds.EVENT, namespace, fieldSelector=about)
    return rollout.explain_delay(waiting, unready, await _redact(cluster, deployment, events))


async def _redact(
    cluster: Cluster, deployment: JsonObject, found: Sequence[JsonObject]
) -> Sequence[JsonObject]:
    """Remove the values of Secrets that the Deployment's containers were given from pods or events."""
    if not rollout.refers_to_secrets(deployment):
        return found
    annotations = deployment["spec"]["template"]["metadata"].get("annotations") or {}
    version = annotations.get(names.ANNOTATION_SECRETS_VERSION)
    return await secret_copy.redact_messages(cluster, deployment["metadata"]["namespace"], found, version)


async def _list_current(cluster: Cluster, kind: kinds.ObjectKind, deployment: JsonObject) -> list[JsonObject]:
    """List the objects of the current version; those of a previous version have other labels."""
    selector = ownership.build_selector(deployment["spec"]["template"]["metadata"]["labels"])
    return await cluster.list_all(kind, deployment["metadata"]["namespace"], labelSelector=selector)

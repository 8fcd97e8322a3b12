"""The last step: all replicas of the present version are available."""

from collections.abc import Sequence

from landlord.api import names
from landlord.api.outcome import Endpoint, Result
from landlord.api.request import Desired
from landlord.api.schema import JsonObject
from landlord.backends.cluster import kinds
from landlord.backends.cluster.client import Cluster
from landlord.backends.cluster.refusals import Gone
from landlord.backends.kubernetes import ownership, secret
from landlord.backends.kubernetes.desired import service
from landlord.backends.kubernetes.observed import rollout
from landlord.backends.kubernetes.patience import Patience
from landlord.errors import Retryable, StepError

GRACE_SECONDS = 2.0
"""What looks like trouble may be of a moment ago: the controllers have not caught up."""
WINDOW_SECONDS = 10.0
"""How long one step looks; trying again looks on."""


async def until_ready(cluster: Cluster, desired: Desired) -> Result:
    """The endpoints, once all is available. Raises StepError with the reason if it is not in time."""
    patience = Patience(WINDOW_SECONDS)
    namespace = ownership.namespace_name(desired)
    while True:
        deployment = await cluster.get(kinds.DEPLOYMENT, namespace, names.OBJECT_NAME)
        if deployment is None:
            raise Gone("WorkloadGone", "the Deployment was removed by somebody else; it is made again")
        if not ownership.owned(deployment, desired.tenant_id):
            raise ownership.foreign(kinds.DEPLOYMENT, deployment)
        waiting = rollout.waiting_for(deployment)
        if waiting is None:
            endpoints = await _endpoints(cluster, desired)
            if endpoints is not None:
                return Result(endpoints=endpoints)
        elif patience.elapsed > GRACE_SECONDS and (trouble := await _trouble(cluster, desired, deployment)):
            raise trouble
        if not await patience.pause():
            raise await _overdue(cluster, desired, deployment, waiting)


async def _endpoints(cluster: Cluster, desired: Desired) -> tuple[Endpoint, ...] | None:
    """None while there is no load balancer yet."""
    host: str | None = service.internal_host(desired)
    if service.offered(desired) and ownership.kubernetes(desired).exposure == "LoadBalancer":
        found = await cluster.get(kinds.SERVICE, ownership.namespace_name(desired), names.OBJECT_NAME)
        if found is None:
            raise Gone("WorkloadGone", "the Service was removed by somebody else; it is made again")
        host = service.external_host(found)
    return None if host is None else service.endpoints(desired, host)


async def _trouble(cluster: Cluster, desired: Desired, deployment: JsonObject) -> StepError | None:
    replica_sets = await _present(cluster, kinds.REPLICA_SET, deployment)
    present = await _said(cluster, desired, deployment, await _present(cluster, kinds.POD, deployment))
    return rollout.trouble(replica_sets, present, ownership.kubernetes(desired).quota)


async def _overdue(
    cluster: Cluster, desired: Desired, deployment: JsonObject, waiting: str | None
) -> StepError:
    if waiting is None:
        return Retryable(
            "LoadBalancerPending",
            "the Service has no address yet\n"
            "To do: see `kubectl get events`; a cluster without load balancers needs another exposure.",
        )
    unready = rollout.unready(await _present(cluster, kinds.POD, deployment))
    events: list[JsonObject] = []
    for pod in unready[:1]:
        about = f"involvedObject.uid={pod['metadata']['uid']}"
        namespace = deployment["metadata"]["namespace"]
        events = await cluster.all(kinds.EVENT, namespace, fieldSelector=about)
    return rollout.overdue(waiting, unready, await _said(cluster, desired, deployment, events))


async def _said(
    cluster: Cluster, desired: Desired, deployment: JsonObject, found: Sequence[JsonObject]
) -> Sequence[JsonObject]:
    """Pods or events without what the Deployment's containers were given in secret."""
    annotations = deployment["spec"]["template"]["metadata"].get("annotations") or {}
    version = annotations.get(names.ANNOTATION_SECRETS_VERSION)
    return await secret.unspoken_in(cluster, desired, found, version)


async def _present(cluster: Cluster, kind: kinds.Kind, deployment: JsonObject) -> list[JsonObject]:
    """Those of the present version; those of a version before have other labels."""
    selector = ownership.selector(deployment["spec"]["template"]["metadata"]["labels"])
    return await cluster.all(kind, deployment["metadata"]["namespace"], labelSelector=selector)

"""What the cluster's lists say about all tenants. No I/O."""

from collections.abc import Iterable, Mapping

from landlord.api import names
from landlord.api.schema import JsonObject
from landlord.backends import Observation
from landlord.backends.kubernetes import rollout, spec


def observations(
    namespaces: Iterable[JsonObject], deployments: Iterable[JsonObject]
) -> Mapping[str, Observation]:
    """Each tenant that has a namespace, by its tenantID."""
    by_namespace = {
        found["metadata"]["namespace"]: found
        for found in deployments
        if found["metadata"]["name"] == spec.NAME
    }
    return {
        tenant_id: _observation(namespace, by_namespace.get(namespace["metadata"]["name"]), tenant_id)
        for namespace in namespaces
        if (tenant_id := spec.labels_of(namespace).get(names.LABEL_TENANT))
    }


def _observation(namespace: JsonObject, deployment: JsonObject | None, tenant_id: str) -> Observation:
    if deployment is None or not spec.owned(deployment, tenant_id):
        return Observation(healthy=False, spec_hash=None, reason="there is no Deployment")
    applied = spec.labels_of(deployment).get(names.LABEL_SPEC_HASH)
    if "deletionTimestamp" in namespace["metadata"]:
        return Observation(healthy=False, spec_hash=applied, reason="the namespace is being deleted")
    waiting = rollout.waiting_for(deployment)
    return Observation(waiting is None, applied, waiting or "all replicas are available")

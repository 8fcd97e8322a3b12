"""A backend that gives each tenant its own namespace in a Kubernetes cluster, for production.

A tenant has the namespace `tenant-<tenantID>`, or the one that its manifest names, and in it one object of
each kind, named `tenant`. All have landlord's labels. Unless the Tenant permits adoption, the backend never
touches anything without them. It uses server-side apply, which restores landlord's fields and leaves all
others alone.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial

from landlord.api import names
from landlord.api.outcome import Result
from landlord.api.request import Desired
from landlord.backends.cluster import kinds
from landlord.backends.cluster.api_errors import Gone
from landlord.backends.cluster.client import Cluster, translating_errors
from landlord.backends.cluster.secret_reader import SecretReader
from landlord.backends.contract import NoConfig, Observation, Step
from landlord.backends.kubernetes import (
    checks,
    diagnosis,
    ensure,
    inspection,
    lifecycle,
    ownership,
    removal,
    secret_copy,
)
from landlord.backends.kubernetes.desired import limits
from landlord.backends.kubernetes.desired.objects import build_objects
from landlord.backends.kubernetes.observed import record
from landlord.backends.kubernetes.observed.tenants import TenantCollector
from landlord.backends.kubernetes.ready import wait_until_ready
from landlord.backends.kubernetes.stopping import stop
from landlord.kubernetes_api import JSON, METADATA_LIST

StepWork = Callable[[], Awaitable[Result]]


class KubernetesBackend:
    """Finds the cluster as kubectl does; in a pod it is the pod's own, unless KUBECONFIG is set."""

    name = "kubernetes"
    Config = NoConfig

    def __init__(self) -> None:
        self._cluster = Cluster()
        self._secrets = SecretReader(self.name, self._cluster)

    def apply(self, desired: Desired) -> Sequence[Step]:
        """Steps: namespace, limits, network, secrets if it refers to any, workload, ready."""
        checks.check(desired)
        limits.check_quota(desired)
        works: dict[str, StepWork] = {
            name: partial(ensure.ensure, self._cluster, desired, wanted)
            for name, wanted in build_objects(desired).items()
            if name not in ("workload", "ready")
        }
        if desired.workload.refers_to_secrets:
            works["secrets"] = partial(secret_copy.copy, self._cluster, self._secrets, desired)
        works["workload"] = partial(self._workload, desired)
        works["ready"] = partial(self._ready, desired)
        return [
            Step(name, partial(self._run, desired, work, list(works.values())[:number]))
            for number, (name, work) in enumerate(works.items())
        ]

    def delete(self, tenant_id: str) -> Sequence[Step]:
        """Steps: workload, namespace."""

        async def workload() -> Result:
            with translating_errors():
                await stop(self._cluster, tenant_id, lifecycle.delete_deployment)
            return Result()

        async def namespace() -> Result:
            with translating_errors():
                await removal.remove(self._cluster, tenant_id)
            return Result()

        return (Step("workload", workload), Step("namespace", namespace))

    def suspend(self, tenant_id: str) -> Sequence[Step]:
        """Steps: suspend, after which the Deployment has no replicas and no pods exist."""

        async def suspend() -> Result:
            with translating_errors():
                return await lifecycle.suspend(self._cluster, tenant_id)

        return (Step("suspend", suspend),)

    def archive(self, tenant_id: str) -> Sequence[Step]:
        """Steps: archive, which deletes Deployment and Service, and keeps the namespace."""

        async def archive() -> Result:
            with translating_errors():
                return await lifecycle.archive(self._cluster, tenant_id)

        return (Step("archive", archive),)

    async def inspect(self, desired: Desired) -> Sequence[str]:
        """Ask the API server what it would change if landlord applied the tenant now."""
        checks.check(desired)
        with translating_errors():
            return await inspection.inspect(self._cluster, self._secrets, desired)

    async def survey(self) -> Mapping[str, Observation]:
        """Observe all tenants with a namespace: one list of each kind, and a few calls for unavailable ones.

        The right to list all Secrets would be the right to read them. A list of one name, even in all
        namespaces, needs no more than the right to that name.
        """
        ours = ownership.build_selector({names.LABEL_MANAGED_BY: names.MANAGED_BY})
        created = {"labelSelector": ours, "fieldSelector": f"metadata.name={names.OBJECT_NAME}"}
        tenants, each = TenantCollector(), self._cluster.iterate
        with translating_errors():
            async for found in each(kinds.NAMESPACE, accept=METADATA_LIST, labelSelector=ours):
                tenants.add_namespace(found)
            async for found in each(kinds.DEPLOYMENT, **created):
                tenants.add_deployment(found)
            for kind in kinds.CREATED:
                if kind is not kinds.DEPLOYMENT:
                    accept = JSON if kind in record.LISTED_IN_FULL else METADATA_LIST
                    async for found in each(kind, accept=accept, **created):
                        tenants.add(kind, found)
        observations = await diagnosis.with_reasons(
            self._cluster, tenants.build_observations(), tenants.find_unavailable()
        )
        return await self._secrets.mark_outdated(observations, tenants.read_secret_records())

    async def close(self) -> None:
        """Close the connections to the API server."""
        await self._cluster.close()

    async def _workload(self, desired: Desired) -> Result:
        copied = await secret_copy.read_copy(self._cluster, desired)
        return await ensure.ensure(self._cluster, desired, build_objects(desired, copied)["workload"])

    async def _ready(self, desired: Desired) -> Result:
        read_record = partial(secret_copy.read_record, self._cluster, desired)
        async with self._secrets.noticing_changes(desired, read_record):
            made = await wait_until_ready(self._cluster, desired)
        await secret_copy.prune(self._cluster, desired)
        return made

    async def _run(self, desired: Desired, work: StepWork, before: Sequence[StepWork]) -> Result:
        """Do a step's work; if what it builds on no longer exists, do that of the earlier steps first."""
        quota = ownership.read_settings(desired).quota
        try:
            with translating_errors(quota):
                return await work()
        except Gone:
            with translating_errors(quota):
                for earlier in before:
                    await earlier()
                return await work()

"""A backend that gives each tenant a namespace of a Kubernetes cluster to itself, for production.

A tenant has the namespace `tenant-<tenantID>`, or the one that its manifest names, and in it one object of
each kind, called `tenant`; all are labelled, and nothing without the labels is touched unless the Tenant
permits it. Objects are made by server-side apply: landlord's fields are put back, others' are left alone.
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
from landlord.errors import StepError
from landlord.kubernetes_api import JSON, METADATA_LIST

StepWork = Callable[[], Awaitable[Result]]


class KubernetesBackend:
    """The cluster is found as kubectl finds it; in a pod it is the pod's own, unless KUBECONFIG is set."""

    name = "kubernetes"
    Config = NoConfig

    def __init__(self) -> None:
        self._cluster = Cluster()
        self._sources = SecretReader(self.name, self._cluster)

    def apply(self, desired: Desired) -> Sequence[Step]:
        """namespace, limits, network, secrets if it refers to any, workload, ready."""
        checks.check(desired)
        limits.check_quota(desired)
        works: dict[str, StepWork] = {
            name: partial(ensure.ensure, self._cluster, desired, wanted)
            for name, wanted in build_objects(desired).items()
            if name not in ("workload", "ready")
        }
        if desired.workload.refers_to_secrets:
            works["secrets"] = partial(secret_copy.copy, self._cluster, self._sources, desired)
        works["workload"] = partial(self._workload, desired)
        works["ready"] = partial(self._ready, desired)
        return [
            Step(name, partial(self._make, desired, work, list(works.values())[:number]))
            for number, (name, work) in enumerate(works.items())
        ]

    def delete(self, tenant_id: str) -> Sequence[Step]:
        """workload, namespace."""

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
        """suspend: the Deployment has no replicas, and there are no pods."""

        async def suspend() -> Result:
            with translating_errors():
                return await lifecycle.suspend(self._cluster, tenant_id)

        return (Step("suspend", suspend),)

    def archive(self, tenant_id: str) -> Sequence[Step]:
        """archive: no Deployment and no Service; the namespace is kept, and what others put there."""

        async def archive() -> Result:
            with translating_errors():
                return await lifecycle.archive(self._cluster, tenant_id)

        return (Step("archive", archive),)

    async def inspect(self, desired: Desired) -> Sequence[str]:
        """What the API server would change if the tenant were applied now."""
        checks.check(desired)
        with translating_errors():
            return await inspection.inspect(self._cluster, self._sources, desired)

    async def survey(self) -> Mapping[str, Observation]:
        """All tenants with a namespace, by one list of each kind.

        The right to list all Secrets would be the right to read them. A list of one name, be it in all
        namespaces, takes no more than the right to that name.
        """
        ours = ownership.build_selector({names.LABEL_MANAGED_BY: names.MANAGED_BY})
        made = {"labelSelector": ours, "fieldSelector": f"metadata.name={names.OBJECT_NAME}"}
        survey, each = TenantCollector(), self._cluster.each
        with translating_errors():
            async for found in each(kinds.NAMESPACE, accept=METADATA_LIST, labelSelector=ours):
                survey.add_namespace(found)
            async for found in each(kinds.DEPLOYMENT, **made):
                survey.add_deployment(found)
            for kind in kinds.CREATED:
                if kind is not kinds.DEPLOYMENT:
                    accept = JSON if kind in record.LISTED_IN_FULL else METADATA_LIST
                    async for found in each(kind, accept=accept, **made):
                        survey.add(kind, found)
        return await self._sources.judge(survey.observations(), survey.secrets())

    async def close(self) -> None:
        """Let go of the connections to the API server."""
        await self._cluster.close()

    async def _workload(self, desired: Desired) -> Result:
        copied = await secret_copy.read_copy(self._cluster, desired)
        return await ensure.ensure(self._cluster, desired, build_objects(desired, copied)["workload"])

    async def _ready(self, desired: Desired) -> Result:
        try:
            made = await wait_until_ready(self._cluster, desired)
        except StepError as error:
            if await secret_copy.is_outdated(self._cluster, self._sources, desired):
                raise Gone("SecretChanged", "a Secret has changed; it is rolled out") from error
            raise
        await secret_copy.prune(self._cluster, desired)
        return made

    async def _make(self, desired: Desired, work: StepWork, before: Sequence[StepWork]) -> Result:
        """Do the work of a step, and if what it builds on was removed meanwhile that of those before."""
        quota = ownership.read_settings(desired).quota
        try:
            with translating_errors(quota):
                return await work()
        except Gone:
            with translating_errors(quota):
                for earlier in before:
                    await earlier()
                return await work()

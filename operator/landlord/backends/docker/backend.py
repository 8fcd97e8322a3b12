"""A backend that runs each tenant as one container of a Docker engine, for laptops and integration tests.

A tenant has the container `landlord-<tenantID>`, volumes `landlord-<tenantID>-<name>` and a network. All have
landlord's labels, and the backend never touches anything without them. A manifest gives no access to the
host: no host paths, no host network, no privileges, and ports are published on 127.0.0.1 unless it says
otherwise.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from docker import APIClient

from landlord.api.outcome import ResourceRef, Result
from landlord.api.request import Desired
from landlord.backends.cluster.api_errors import Gone
from landlord.backends.contract import NoConfig, Observation, Step
from landlord.backends.docker import checks, containers, inspection, networks, ownership, volumes
from landlord.backends.docker.containers import ImageGone
from landlord.backends.docker.engine import Engine
from landlord.backends.docker.images import Images
from landlord.backends.docker.observed import tenants
from landlord.backends.docker.observed.container import InspectedContainer, read_secret_record
from landlord.backends.docker.prober import Prober
from landlord.backends.docker.ready import wait_until_ready
from landlord.backends.redaction import redacting
from landlord.backends.secrets import SecretMissing, SecretValues

if TYPE_CHECKING:
    from landlord.backends.cluster.secret_reader import SecretReader

T = TypeVar("T")
Listed = Sequence[Mapping[str, Any]]
Surveyed = tuple[Listed, Listed, Mapping[str, InspectedContainer], dict[str, str]]
"""Volumes and containers as listed, containers as inspected, and why some could not be, by their IDs."""


class DockerBackend:
    """Finds the engine as the docker command does, see `endpoint`."""

    name = "docker"
    Config = NoConfig

    def __init__(self) -> None:
        self._engine = Engine()
        self._images = Images(self._engine)
        self._prober = Prober(self._engine)
        self._secrets: SecretReader | None = None

    def apply(self, desired: Desired) -> Sequence[Step]:
        """Steps: image, network, volumes if there are any, container, ready."""
        checks.check(desired)

        async def image() -> Result:
            await self._images.ensure(desired.workload.containers[0])
            return Result()

        async def network() -> Result:
            return Result(resources=await self._run(networks.ensure, desired))

        async def volume() -> Result:
            return Result(resources=await self._run(volumes.ensure, desired))

        async def container() -> Result:
            return await self._ensure_container(desired)

        async def ready() -> Result:
            return await self._wait_until_ready(desired, container)

        steps = [Step("image", image), Step("network", network)]
        if ownership.read_settings(desired).volumes:
            steps.append(Step("volumes", volume))
        return (*steps, Step("container", container), Step("ready", ready))

    def suspend(self, tenant_id: str) -> Sequence[Step]:
        """Steps: container, which is stopped, and kept with its volumes and its place in the network."""

        async def container() -> Result:
            suspended = await self._run_for(tenant_id, containers.suspend)
            return Result(resources=(*suspended, *await self._run_for(tenant_id, volumes.find_volumes)))

        return (Step("container", container),)

    def archive(self, tenant_id: str) -> Sequence[Step]:
        """Steps: container, network. Both are removed, and the volumes are kept."""

        async def container() -> Result:
            await self._run_for(tenant_id, containers.remove_all)
            return Result(resources=await self._run_for(tenant_id, volumes.find_volumes))

        return (Step("container", container), Step("network", self._remove_network(tenant_id)))

    def delete(self, tenant_id: str) -> Sequence[Step]:
        """Steps: container, volumes, network. The last removes all networks that are unused."""

        async def container() -> Result:
            await self._run_for(tenant_id, containers.remove_all)
            return Result()

        async def volume() -> Result:
            await self._run_for(tenant_id, volumes.remove)
            return Result()

        return (
            Step("container", container),
            Step("volumes", volume),
            Step("network", self._remove_network(tenant_id)),
        )

    async def survey(self) -> Mapping[str, Observation]:
        """Observe all tenants with a container or volumes: two lists, and an inspection and probe of each."""

        def observe(api: APIClient) -> Surveyed:
            volumes = api.volumes(filters=networks.LABEL_FILTER)["Volumes"] or ()
            listed = api.containers(all=True, filters=networks.LABEL_FILTER)
            return volumes, listed, *containers.inspect_all(api, tenants.select_for_inspection(listed))

        volumes, listed, inspected, undescribed = await self._engine.run(observe)
        probed, unreadable = tenants.select_probed(inspected)
        unreadable |= undescribed
        problems = await self._prober.find_problems(probed)
        observations = tenants.build_observations(volumes, listed, inspected, problems, unreadable)
        records = tenants.read_secret_records(listed)
        if not records and self._secrets is None:
            return observations
        return await self._secret_reader().mark_outdated(observations, records)

    async def inspect(self, desired: Desired) -> Sequence[str]:
        """Compare the tenant's volumes, its network and the description of its container."""
        checks.check(desired)
        secrets = None
        if desired.workload.refers_to_secrets:
            with suppress(SecretMissing):  # a deleted source can't be compared; the tenant keeps its values
                secrets = await self._secret_reader().read(desired)
        return await self._engine.run(lambda api: inspection.inspect(api, desired, secrets))

    async def close(self) -> None:
        """Close the connections to the engine and to the API server."""
        await self._prober.close()
        self._engine.close()
        if self._secrets is not None:
            await self._secrets.close()

    async def _ensure_container(self, desired: Desired) -> Result:
        secrets = SecretValues()
        if desired.workload.refers_to_secrets:
            secrets = await self._secret_reader().read(desired)

        def ensure(api: APIClient, desired: Desired) -> None:
            with redacting(secrets):
                containers.ensure(api, desired, secrets)

        try:
            await self._run(ensure, desired)
        except ImageGone:
            await self._images.ensure(desired.workload.containers[0])
            await self._run(ensure, desired)
        name = ownership.name_container(desired.tenant_id)
        return Result(resources=(ResourceRef(kind="container", name=name),))

    async def _wait_until_ready(self, desired: Desired, start: Callable[[], Awaitable[object]]) -> Result:
        if not desired.workload.refers_to_secrets:
            return await wait_until_ready(self._engine, desired, start)

        async def read_record() -> str | None:
            found = await self._run_for(desired.tenant_id, containers.find)
            return None if found is None else read_secret_record(found) or ""

        try:
            async with self._secret_reader().noticing_changes(desired, read_record):
                return await wait_until_ready(self._engine, desired, start)
        except Gone:
            await start()
            return await wait_until_ready(self._engine, desired, start)

    def _secret_reader(self) -> "SecretReader":
        if self._secrets is None:
            # Imported only now, because it loads the Kubernetes client, which nothing else here needs.
            from landlord.backends.cluster.secret_reader import SecretReader

            self._secrets = SecretReader(self.name)
        return self._secrets

    async def _run(self, work: Callable[[APIClient, Desired], T], desired: Desired) -> T:
        return await self._engine.run(lambda api: work(api, desired), desired.tenant_id)

    async def _run_for(self, tenant_id: str, work: Callable[[APIClient, str], T]) -> T:
        return await self._engine.run(lambda api: work(api, tenant_id), tenant_id)

    def _remove_network(self, tenant_id: str) -> Callable[[], Awaitable[Result]]:
        async def network() -> Result:
            await self._engine.run(networks.remove_unused, tenant_id)
            return Result()

        return network

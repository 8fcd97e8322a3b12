"""A backend that runs each tenant as one container of a Docker engine, for laptops and integration tests.

A tenant has the container `landlord-<tenantID>`, volumes `landlord-<tenantID>-<name>` and a network; all are
labelled, and nothing without the labels is touched. A tenant can't reach the host through its manifest: no
host paths, no host network, no privileges, and ports are published on 127.0.0.1 unless asked otherwise.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from docker import APIClient

from landlord.api.outcome import ResourceRef, Result
from landlord.api.request import Desired
from landlord.backends.contract import NoConfig, Observation, Step
from landlord.backends.docker import checks, containers, inspection, networks, ownership, volumes
from landlord.backends.docker.containers import ImageGone
from landlord.backends.docker.engine import Engine
from landlord.backends.docker.images import Images
from landlord.backends.docker.observed import tenants
from landlord.backends.docker.observed.container import Inspected
from landlord.backends.docker.prober import Prober
from landlord.backends.docker.ready import wait_until_ready
from landlord.backends.redaction import redacting
from landlord.backends.secrets import SecretValues
from landlord.errors import StepError

if TYPE_CHECKING:
    from landlord.backends.cluster.secret_reader import SecretReader

T = TypeVar("T")


class DockerBackend:
    """The engine is found as the docker command finds it: DOCKER_HOST, else the local socket."""

    name = "docker"
    Config = NoConfig

    def __init__(self) -> None:
        self._engine = Engine()
        self._images = Images(self._engine)
        self._prober = Prober(self._engine)
        self._secrets: SecretReader | None = None

    def apply(self, desired: Desired) -> Sequence[Step]:
        """image, network, volumes if there are any, container, ready."""
        checks.check(desired)

        async def image() -> Result:
            await self._images.ensure(desired.workload.containers[0])
            return Result()

        async def network() -> Result:
            return Result(resources=await self._run(networks.ensure, desired))

        async def volume() -> Result:
            return Result(resources=await self._run(volumes.ensure, desired))

        async def container() -> Result:
            secrets = await self._read(desired)

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

        async def ready() -> Result:
            try:
                return await wait_until_ready(self._engine, desired, start=container)
            except StepError:
                if not await self._is_outdated(desired):
                    raise
            await container()
            return await wait_until_ready(self._engine, desired, start=container)

        steps = [Step("image", image), Step("network", network)]
        if ownership.read_settings(desired).volumes:
            steps.append(Step("volumes", volume))
        return (*steps, Step("container", container), Step("ready", ready))

    def delete(self, tenant_id: str) -> Sequence[Step]:
        """container, volumes, network: all that carries the tenant's labels, and networks left unused."""

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

    def suspend(self, tenant_id: str) -> Sequence[Step]:
        """container: it is stopped, and kept with its volumes and its place in the network."""

        async def container() -> Result:
            suspended = await self._run_for(tenant_id, containers.suspend)
            return Result(resources=(*suspended, *await self._run_for(tenant_id, volumes.find_volumes)))

        return (Step("container", container),)

    def archive(self, tenant_id: str) -> Sequence[Step]:
        """container, network: both go, and the volumes are kept."""

        async def container() -> Result:
            await self._run_for(tenant_id, containers.remove_all)
            return Result(resources=await self._run_for(tenant_id, volumes.find_volumes))

        return (Step("container", container), Step("network", self._remove_network(tenant_id)))

    async def survey(self) -> Mapping[str, Observation]:
        """All tenants with a container or volumes, by two lists, a look at each container, and its probe."""

        def look(api: APIClient) -> tuple[Sequence[Inspected], Sequence[Inspected], Mapping[str, Inspected]]:
            volumes = api.volumes(filters=networks.LABEL_FILTER)["Volumes"] or ()
            listed = api.containers(all=True, filters=networks.LABEL_FILTER)
            return volumes, listed, containers.inspect_all(api, tenants.select_for_inspection(listed))

        volumes, listed, inspected = await self._engine.run(look)
        problems = await self._prober.problems(tenants.select_probed(inspected))
        seen = tenants.build_observations(volumes, listed, inspected, problems)
        secrets = tenants.read_secret_records(listed)
        return await self._sources().judge(seen, secrets) if secrets or self._secrets else seen

    async def inspect(self, desired: Desired) -> Sequence[str]:
        """Its volumes, its network and what `docker inspect` shows of its container."""
        checks.check(desired)
        return await self._engine.run(lambda api: inspection.inspect(api, desired))

    async def close(self) -> None:
        """Let go of the connections to the engine, and to the API server."""
        await self._prober.close()
        self._engine.close()
        if self._secrets is not None:
            await self._secrets.close()

    async def _read(self, desired: Desired) -> SecretValues:
        return await self._sources().read(desired) if desired.workload.refers_to_secrets else SecretValues()

    async def _is_outdated(self, desired: Desired) -> bool:
        """Whether a Secret is known to have changed since the container was made: it may cure what fails."""
        if not desired.workload.refers_to_secrets:
            return False
        try:
            secrets = await self._read(desired)
            found = await self._run_for(desired.tenant_id, containers.find)
        except StepError:
            return False
        return found is not None and containers.has_other_secrets(found, secrets)

    def _sources(self) -> "SecretReader":
        if self._secrets is None:
            # Only now: it brings the client of Kubernetes, which is of use to nothing else here.
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

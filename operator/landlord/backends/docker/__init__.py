"""A backend that runs each tenant as one container of a Docker engine, for laptops and integration tests.

A tenant has the container `landlord-<tenantID>`, volumes `landlord-<tenantID>-<name>` and a network; all are
labelled, and nothing without the labels is touched. A tenant can't reach the host through its manifest: no
host paths, no host network, no privileges, and ports are published on 127.0.0.1 unless asked otherwise.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from docker import APIClient

from landlord.api import names
from landlord.api.outcome import ResourceRef, Result
from landlord.backends import NoConfig, Observation, Step
from landlord.backends.docker import containers, health, networks, spec, volumes
from landlord.backends.docker.containers import ImageGone
from landlord.backends.docker.engine import Engine
from landlord.backends.docker.images import Images
from landlord.backends.docker.ready import until_ready
from landlord.workflow.request import Desired

T = TypeVar("T")


class DockerBackend:
    """The engine is found as the docker command finds it: DOCKER_HOST, else the local socket."""

    name = "docker"
    Config = NoConfig

    def __init__(self) -> None:
        self._engine = Engine()
        self._images = Images(self._engine)

    def steps(self, desired: Desired) -> Sequence[Step]:
        """image, network, volumes if there are any, container, ready."""
        spec.check(desired)

        async def image() -> Result:
            await self._images.ensure(desired.workload.containers[0])
            return Result()

        async def network() -> Result:
            return Result(resources=await self._run(networks.ensure, desired))

        async def volume() -> Result:
            return Result(resources=await self._run(volumes.ensure, desired))

        async def container() -> Result:
            try:
                await self._run(containers.ensure, desired)
            except ImageGone:
                await self._images.ensure(desired.workload.containers[0])
                await self._run(containers.ensure, desired)
            name = spec.container_name(desired.tenant_id)
            return Result(resources=(ResourceRef(kind="container", name=name),))

        async def ready() -> Result:
            return await until_ready(self._engine, desired, start=container)

        steps = [Step("image", image), Step("network", network)]
        if spec.docker(desired).volumes:
            steps.append(Step("volumes", volume))
        return (*steps, Step("container", container), Step("ready", ready))

    def teardown(self, tenant_id: str) -> Sequence[Step]:
        """container, volumes, network: all that carries the tenant's labels, and networks left unused."""

        async def container() -> Result:
            await self._engine.run(lambda api: containers.remove_all(api, tenant_id), tenant_id)
            return Result()

        async def volume() -> Result:
            await self._engine.run(lambda api: volumes.remove(api, tenant_id), tenant_id)
            return Result()

        async def network() -> Result:
            await self._engine.run(networks.remove_unused, tenant_id)
            return Result()

        return (Step("container", container), Step("volumes", volume), Step("network", network))

    async def survey(self) -> Mapping[str, Observation]:
        """All tenants with a container, by one call."""
        listed = await self._engine.run(lambda api: api.containers(all=True, filters=networks.LABEL_FILTER))
        return {
            tenant_id: health.observation(container)
            for container in listed
            if (tenant_id := container["Labels"].get(names.LABEL_TENANT))
            and f"/{spec.container_name(tenant_id)}" in container["Names"]
        }

    async def close(self) -> None:
        """Let go of the connections to the engine."""
        self._engine.close()

    async def _run(self, work: Callable[[APIClient, Desired], T], desired: Desired) -> T:
        return await self._engine.run(lambda api: work(api, desired), desired.tenant_id)

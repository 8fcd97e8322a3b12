"""Tenants on a real Docker engine: how the tests ask for them and look at what became of them."""

import json
from typing import Any
from urllib.request import urlopen

import docker
from docker.models.containers import Container as RealContainer
from tests.contract.harness import new_tenant_id, run, run_with_patience

from landlord.api.compute import DockerCompute
from landlord.api.outcome import Result
from landlord.api.request import Desired
from landlord.api.workload import Container, Port, Workload
from landlord.backends.docker.backend import DockerBackend
from landlord.errors import StepError

HTTP = Port(name="http", container_port=8080, app_protocol="http")


class Tenants:
    """Makes tenants, and removes at the end what is left of them."""

    def __init__(self, backend: DockerBackend, engine: docker.DockerClient, image: str) -> None:
        self.backend = backend
        self.engine = engine
        self._image = image
        self._ids: list[str] = []

    def new(self, tenant_id: str | None = None, **fields: Any) -> Desired:
        """A tenant of one web server. Fields go to `compute.docker` or else to the container."""
        compute = {name: fields.pop(name) for name in DockerCompute.model_fields if name in fields}
        secrets_namespace = fields.pop("secrets_namespace", None)
        container = Container(**{"name": "web", "image": self._image, "ports": (HTTP,), **fields})
        desired = Desired(
            tenant_id=tenant_id or new_tenant_id("docker"),
            workload=Workload(containers=(container,)),
            docker=DockerCompute(**compute),
            secrets_namespace=secrets_namespace,
        )
        self._ids.append(desired.tenant_id)
        return desired

    async def apply(self, desired: Desired) -> Result:
        """Run all steps, the last of them until it succeeds or has failed a few times."""
        return await run_with_patience(self.backend.apply(desired), 5)

    async def failure(self, desired: Desired) -> StepError:
        """Run all steps and return the failure that one of them has to end with.

        A container that ends may do so later than a busy machine's short look: then it is looked at again.
        """
        for _ in range(10):
            try:
                await run(self.backend.apply(desired))
            except StepError as error:
                return error
        raise AssertionError("all steps succeeded, again and again")

    async def remove(self, desired: Desired) -> None:
        """Tear the tenant down."""
        await run(self.backend.delete(desired.tenant_id))

    def container(self, desired: Desired) -> RealContainer:
        """The tenant's container as the engine knows it now."""
        return self.engine.containers.get(f"landlord-{desired.tenant_id}")

    async def clean_up(self) -> None:
        """Remove all that the tests' tenants left."""
        for tenant_id in self._ids:
            await run(self.backend.delete(tenant_id))


def ask(url: str) -> dict[str, str]:
    """What a tenant's web server answers."""
    with urlopen(url, timeout=30) as answer:
        said: dict[str, str] = json.load(answer)
    return said

from collections.abc import AsyncIterator, Callable

import pytest
from tests.contract.harness import new_tenant_id, run, tenant

from landlord.backends import Backend
from landlord.backends.docker import DockerBackend
from landlord.backends.memory import MemoryBackend
from landlord.workflow.request import Desired

NewTenant = Callable[..., Desired]
BACKENDS: dict[str, Callable[[], Backend]] = {"memory": MemoryBackend, "docker": DockerBackend}


@pytest.fixture(params=BACKENDS)
def name(request: pytest.FixtureRequest) -> str:
    """Each backend in turn; docker only where an engine answers."""
    if request.param == "docker":
        request.getfixturevalue("docker_engine")
    return str(request.param)


@pytest.fixture
def image(name: str, request: pytest.FixtureRequest) -> str:
    """An image that the backend can run."""
    return str(request.getfixturevalue("web_image")) if name == "docker" else "any/image:1"


@pytest.fixture
async def backend(name: str) -> AsyncIterator[Backend]:
    """A backend as a worker has it."""
    backend = BACKENDS[name]()
    yield backend
    await backend.close()


@pytest.fixture
async def new_tenant(backend: Backend, image: str) -> AsyncIterator[NewTenant]:
    """Makes up tenants that nobody else uses; what is left of them is torn down after the test."""
    ids: list[str] = []

    def make(tenant_id: str | None = None, **changes: str) -> Desired:
        desired = tenant(tenant_id or new_tenant_id(), image, **changes)
        ids.append(desired.tenant_id)
        return desired

    yield make
    for tenant_id in ids:
        await run(backend.teardown(tenant_id))

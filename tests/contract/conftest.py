import asyncio
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
from tests.contract.harness import new_tenant_id, settle, tenant

from landlord.backends import Backend
from landlord.backends.docker import DockerBackend
from landlord.backends.kubernetes import KubernetesBackend
from landlord.backends.memory import MemoryBackend
from landlord.dev.cluster import ControlPlane
from landlord.workflow.request import Desired

NewTenant = Callable[..., Desired]
BACKENDS: dict[str, Callable[[], Backend]] = {
    "memory": MemoryBackend,
    "docker": DockerBackend,
    "kubernetes": KubernetesBackend,
}


@pytest.fixture(scope="module")
def environment() -> Iterator[pytest.MonkeyPatch]:
    """Changes of the environment that last as long as what is left of the tenants."""
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(params=BACKENDS)
def name(request: pytest.FixtureRequest, environment: pytest.MonkeyPatch) -> str:
    """Each backend in turn; docker only where an engine answers."""
    if request.param == "docker":
        request.getfixturevalue("docker_engine")
    if request.param == "kubernetes":
        control_plane: ControlPlane = request.getfixturevalue("control_plane")
        environment.setenv("KUBECONFIG", str(control_plane.kubeconfig))
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


@pytest.fixture(scope="module")
def left(environment: pytest.MonkeyPatch) -> Iterator[dict[str, set[str]]]:
    """The tenants that tests have asked a backend for. At last they are torn down, all at the same time."""
    left: dict[str, set[str]] = {name: set() for name in BACKENDS}
    yield left

    async def clean_up(name: str) -> None:
        backend = BACKENDS[name]()
        try:
            await asyncio.gather(*(settle(backend.teardown(tenant_id)) for tenant_id in left[name]))
        finally:
            await backend.close()

    for name in left:
        if left[name]:
            asyncio.run(clean_up(name))


@pytest.fixture
def new_tenant(name: str, image: str, left: dict[str, set[str]]) -> NewTenant:
    """Makes up tenants that nobody else uses."""

    def make(tenant_id: str | None = None, **changes: str) -> Desired:
        desired = tenant(tenant_id or new_tenant_id(), image, **changes)
        left[name].add(desired.tenant_id)
        return desired

    return make

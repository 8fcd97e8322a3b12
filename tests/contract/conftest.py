import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
from tests.contract.harness import new_tenant_id, settle, tenant
from tests.support.static_sites import NAME, installed_with_a_web_server

from dev.cluster import ControlPlane
from landlord.api.request import Desired
from landlord.backends.contract import Backend
from landlord.backends.docker.backend import DockerBackend
from landlord.backends.kubernetes.backend import KubernetesBackend
from landlord.backends.loading import load_backends
from landlord.backends.memory import MemoryBackend

NewTenant = Callable[..., Desired]


def installed(name: str) -> Callable[[], Backend]:
    """How a backend that is a plug-in is made."""
    return lambda: load_backends([name])[name]


BACKENDS: dict[str, Callable[[], Backend]] = {
    "memory": MemoryBackend,
    "docker": DockerBackend,
    "kubernetes": KubernetesBackend,
    NAME: installed(NAME),
}
IMAGES = {NAME: "static"}

# How the author of a plug-in runs the suite: see docs/backends/writing-a-backend.md.
if plugin := os.environ.get("LANDLORD_CONTRACT_BACKEND"):
    BACKENDS = {plugin: installed(plugin)}
    IMAGES = {plugin: os.environ.get("LANDLORD_CONTRACT_IMAGE", "any/image:1")}


@pytest.fixture(scope="module")
def environment() -> Iterator[pytest.MonkeyPatch]:
    """Changes of the environment that last as long as what is left of the tenants."""
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="module")
def static_sites(environment: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The plug-in of examples/plugin-backend, installed for this process."""
    with installed_with_a_web_server(tmp_path_factory.mktemp("static-sites")) as variables:
        for variable, value in variables.items():
            environment.setenv(variable, value)
        environment.syspath_prepend(variables["PYTHONPATH"])
        yield


@pytest.fixture(params=BACKENDS)
def name(request: pytest.FixtureRequest, environment: pytest.MonkeyPatch) -> str:
    """Each backend in turn; docker only where an engine answers."""
    if request.param == "docker":
        request.getfixturevalue("docker_engine")
    if request.param == NAME and not plugin:
        request.getfixturevalue("static_sites")
    if request.param == "kubernetes":
        control_plane: ControlPlane = request.getfixturevalue("control_plane")
        environment.setenv("KUBECONFIG", str(control_plane.kubeconfig))
    return str(request.param)


@pytest.fixture
def image(name: str, request: pytest.FixtureRequest) -> str:
    """An image that the backend can run."""
    return str(request.getfixturevalue("web_image")) if name == "docker" else IMAGES.get(name, "any/image:1")


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
            await asyncio.gather(*(settle(backend.delete(tenant_id)) for tenant_id in left[name]))
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

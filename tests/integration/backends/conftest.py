import io
import tarfile
from collections.abc import AsyncIterator, Iterator

import docker
import pytest
from tests.integration.backends.namespaces import Namespaces
from tests.integration.backends.registry import Registry
from tests.integration.backends.tenants import Tenants
from tests.support.session import Session

from dev.cluster import ControlPlane
from dev.tools import program
from landlord.backends.docker.backend import DockerBackend
from landlord.backends.kubernetes.backend import KubernetesBackend

TOOLS_IMAGE = "landlord/web-and-etcd:test"
DOCKERFILE = b'FROM landlord/web:local\nUSER 0\nCOPY etcd /etcd\nENTRYPOINT ["/web"]\n'


@pytest.fixture
async def backend() -> AsyncIterator[DockerBackend]:
    """A docker backend as a worker has it."""
    backend = DockerBackend()
    yield backend
    await backend.close()


@pytest.fixture
async def tenants(
    backend: DockerBackend, docker_engine: docker.DockerClient, web_image: str
) -> AsyncIterator[Tenants]:
    """Tenants that are gone after the test."""
    tenants = Tenants(backend, docker_engine, web_image)
    yield tenants
    await tenants.clean_up()


@pytest.fixture(scope="session")
def tools_image(session: Session, docker_engine: docker.DockerClient, web_image: str) -> str:
    """The web server's image with one more program: `/etcd --version` ends well, `/etcd` goes on for ever."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in {"Dockerfile": DOCKERFILE, "etcd": program("etcd").read_bytes()}.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o755
            archive.addfile(entry, io.BytesIO(content))
    buffer.seek(0)
    with session.alone("images"):
        docker_engine.images.build(fileobj=buffer, custom_context=True, tag=TOOLS_IMAGE, rm=True)
    return TOOLS_IMAGE


@pytest.fixture(scope="session")
def registry(session: Session, docker_engine: docker.DockerClient, web_image: str) -> Iterator[Registry]:
    """An image registry."""
    registry = Registry(session, docker_engine)
    yield registry
    registry.clean_up()


@pytest.fixture
async def namespaces(
    control_plane: ControlPlane, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Namespaces]:
    """Tenants on the control plane."""
    monkeypatch.setenv("KUBECONFIG", str(control_plane.kubeconfig))
    backend = KubernetesBackend()
    namespaces = Namespaces(backend, control_plane.kubectl)
    yield namespaces
    await backend.close()
    namespaces.clean_up()

"""Fixtures that start the real parts: a control plane, Restate, the Docker engine, operator and worker."""

import os
import uuid
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import docker
import pytest
from tests.support.session import PART, Session
from tests.support.system import Landlord, System, landlords

from dev.cluster import ControlPlane
from dev.docker import engine, ensure_web_image
from dev.guard import guarded
from dev.kubectl import Kubectl
from dev.paths import CHECKOUT
from dev.restate import RestateServer

CRD = CHECKOUT / "crds" / "tenants.yaml"
SystemFactory = Callable[..., System]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With LANDLORD_REQUIRE=all a test that skips itself has failed: nothing may be missing."""
    report = yield
    if os.environ.get("LANDLORD_REQUIRE") == "all" and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = (
            f"{item.nodeid} was skipped, and LANDLORD_REQUIRE=all allows none: {report.longrepr}"
        )
    return report


@pytest.fixture(scope="session")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """Starts parts that end with the test session, even when that is killed."""
    state = tmp_path_factory.mktemp("environment")
    with guarded(state) as guard:
        guard.watch(PART)
        session = Session(state)
        yield session
        session.end()


@pytest.fixture(scope="session")
def control_plane(session: Session) -> ControlPlane:
    """A real control plane with the CRD and an audit log; one for all tests."""
    control_plane = session.control_plane()
    control_plane.start()
    if CRD.is_file():
        control_plane.kubectl.install_crd(CRD)
    return control_plane


@pytest.fixture(scope="session")
def kubectl(control_plane: ControlPlane) -> Kubectl:
    """kubectl against the control plane."""
    return control_plane.kubectl


@pytest.fixture
def namespace(kubectl: Kubectl) -> Iterator[str]:
    """A new namespace for one test."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    kubectl("create", "namespace", name)
    yield name
    kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture
def restate(session: Session) -> Iterator[RestateServer]:
    """A new, running Restate server for one test, which may stop, kill and wipe it."""
    server = session.restate()
    server.start()
    yield server
    server.wipe()


@pytest.fixture(scope="session")
def docker_engine() -> Iterator[docker.DockerClient]:
    """A client of the Docker engine."""
    client = engine()
    if client is None:
        pytest.skip("no Docker engine answers: start one, or set DOCKER_HOST")
    yield client
    client.close()


@pytest.fixture(scope="session")
def web_image(docker_engine: docker.DockerClient) -> str:
    """The image of the little web server in tools/web."""
    return ensure_web_image(docker_engine)


@pytest.fixture
def start_system(
    session: Session, control_plane: ControlPlane, restate: RestateServer, namespace: str
) -> Iterator[SystemFactory]:
    """Starts operator and worker for this test's namespace, with the settings given as LANDLORD_…=value."""
    systems: list[System] = []

    def start(**settings: str) -> System:
        system = System(session, control_plane, restate, namespace, settings)
        systems.append(system)
        system.start()
        return system

    yield start
    for system in systems:
        system.stop()


@pytest.fixture
def system(start_system: SystemFactory) -> System:
    """A whole landlord with the memory backend as default."""
    return start_system()


@pytest.fixture(scope="module")
def new_landlord(session: Session, control_plane: ControlPlane) -> Iterator[Landlord]:
    """Makes landlords that end with the module."""
    with landlords(session, control_plane) as make:
        yield make


@pytest.fixture
def name() -> str:
    """A name that no other Tenant has, on the Docker engine either."""
    return f"t-{uuid.uuid4().hex[:8]}"


@pytest.fixture(scope="session")
def examples() -> Path:
    """The folder of example Tenants."""
    return CHECKOUT / "examples"

"""Whole landlords that tests share, with Tenants of their own in them. Who stops a part makes a new one."""

from collections.abc import Iterator

import docker
import pytest
from tests.support.history import History, Record
from tests.support.ledger import LedgerBackend
from tests.support.session import Session
from tests.support.system import Landlord, System, landlords
from tests.support.views import OnDocker, OnKubernetes, View

from dev.cluster import ControlPlane
from dev.kubectl import Kubectl


@pytest.fixture(scope="module")
def ledger(session: Session) -> LedgerBackend:
    """A backend that writes down what its steps do."""
    return LedgerBackend(session.folder("ledger"))


@pytest.fixture(scope="session")
def shared_landlords(session: Session, control_plane: ControlPlane) -> Iterator[Landlord]:
    """Makes landlords that end with the test session."""
    with landlords(session, control_plane) as make:
        yield make


@pytest.fixture(scope="session")
def landlord(shared_landlords: Landlord) -> System:
    """A whole landlord with Restate."""
    system = shared_landlords()
    system.start()
    return system


@pytest.fixture(scope="session")
def local_landlord(shared_landlords: Landlord) -> System:
    """A landlord without Restate and worker: its operator alone."""
    system = shared_landlords(LANDLORD_ENGINE="local")
    system.operator.start()
    return system


@pytest.fixture(scope="session")
def everywhere(shared_landlords: Landlord) -> System:
    """A landlord that runs Tenants on Docker and on Kubernetes."""
    system = shared_landlords(LANDLORD_BACKENDS="docker,kubernetes")
    system.start()
    return system


@pytest.fixture
def on_docker(docker_engine: docker.DockerClient, web_image: str) -> OnDocker:
    """How its Tenants look on Docker."""
    return OnDocker(docker_engine)


@pytest.fixture(params=["docker", "kubernetes"])
def view(request: pytest.FixtureRequest, kubectl: Kubectl) -> View:
    """The same test on each backend."""
    if request.param == "kubernetes":
        return OnKubernetes(kubectl)
    view: OnDocker = request.getfixturevalue("on_docker")
    return view


@pytest.fixture(params=["restate", "local"], scope="session")
def any_landlord(request: pytest.FixtureRequest) -> System:
    """The same test with each engine."""
    fixture = {"restate": "landlord", "local": "local_landlord"}[request.param]
    system: System = request.getfixturevalue(fixture)
    return system


@pytest.fixture
def record(session: Session) -> Iterator[Record]:
    """Starts to record all that a Tenant goes through; ends with the test."""
    started: list[History] = []

    def start(system: System, name: str) -> History:
        started.append(History(session.folder("history"), system, name))
        return started[-1]

    yield start
    for each in started:
        each.stop()

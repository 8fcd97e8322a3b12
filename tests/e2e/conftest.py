"""Whole landlords that tests share, with Tenants of their own in them. Who stops a part makes a new one."""

import uuid
from collections.abc import Iterator

import pytest
from tests.support.history import History, Record
from tests.support.session import Session
from tests.support.system import Landlord, System

from landlord.dev.cluster import ControlPlane
from landlord.dev.kubectl import Kubectl


@pytest.fixture(scope="session")
def new_landlord(session: Session, control_plane: ControlPlane, kubectl: Kubectl) -> Iterator[Landlord]:
    """Makes landlords with a namespace and a Restate server of their own, not started."""
    made: list[System] = []

    def make(**settings: str) -> System:
        namespace = f"e2e-{uuid.uuid4().hex[:8]}"
        kubectl("create", "namespace", namespace)
        system = System(session, control_plane, session.restate(), namespace, settings)
        made.append(system)
        return system

    yield make
    for system in made:
        system.stop()
        system.restate.wipe()
        kubectl("delete", "namespace", system.namespace, "--wait=false")


@pytest.fixture(scope="session")
def landlord(new_landlord: Landlord) -> System:
    """A whole landlord with Restate."""
    system = new_landlord()
    system.start()
    return system


@pytest.fixture(scope="session")
def local_landlord(new_landlord: Landlord) -> System:
    """A landlord without Restate and worker: its operator alone."""
    system = new_landlord(LANDLORD_ENGINE="local")
    system.operator.start()
    return system


@pytest.fixture(params=["restate", "local"], scope="session")
def any_landlord(request: pytest.FixtureRequest) -> System:
    """The same test with each engine."""
    fixture = {"restate": "landlord", "local": "local_landlord"}[request.param]
    system: System = request.getfixturevalue(fixture)
    return system


@pytest.fixture
def name() -> str:
    """A name that no other Tenant has, on the Docker engine either."""
    return f"t-{uuid.uuid4().hex[:8]}"


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

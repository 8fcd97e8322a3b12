"""Fixtures that start the real parts: a control plane, Restate, the Docker engine, operator and worker."""

import os
import uuid
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path

import docker
import pytest
from tests.support import tiers
from tests.support.scheduling import Scheduling
from tests.support.session import Session, whole_run
from tests.support.system import Landlord, System, landlords
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from dev.cluster import ControlPlane
from dev.docker import ensure_web_image, find_engine
from dev.kubectl import Kubectl
from dev.paths import CHECKOUT
from dev.restate import RestateServer

ALONE = "PYTEST_XDIST_WORKER"
"""Names a process of a run that is spread over several; not set in a run of one process."""
ORDER = ("chaos", "integration/dev", "integration/restate", "contract", "e2e", "")
"""What takes longest begins first, so that no process works on at the end while the others are done."""
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


def pytest_configure(config: pytest.Config) -> None:
    """Begin the run, unless this process was started for a part of one."""
    if worker := os.environ.get(ALONE):
        share = int(worker.removeprefix("gw")) + 1
        os.environ["LANDLORD_PORTS_SHARE"] = f"{share}/{os.environ['PYTEST_XDIST_WORKER_COUNT']}"
    else:
        stack = ExitStack()
        stack.enter_context(whole_run())
        config.add_cleanup(stack.close)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the folders that take longest."""
    items.sort(key=_rank)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """Spread the tests of a run over its processes, a group at a time."""
    return Scheduling(config, log)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how long each tier took."""
    reports = [
        report
        for reports in terminalreporter.stats.values()
        for report in reports
        if isinstance(report, pytest.TestReport)
    ]
    for tier, (number, seconds) in tiers.times(reports).items():
        terminalreporter.write_line(f"{tier}: {number} tests, {seconds:.0f} s of all processes together")


def _rank(item: pytest.Item) -> int:
    path = item.path.relative_to(CHECKOUT / "tests").as_posix()
    return next(rank for rank, folder in enumerate(ORDER) if path.startswith(folder))


@pytest.fixture(scope="session")
def session() -> Iterator[Session]:
    """Starts parts that end with the run, even when that is killed."""
    session = Session(os.environ.get(ALONE, "alone"))
    yield session
    session.nursery.end()


@pytest.fixture(scope="session")
def control_plane(session: Session) -> ControlPlane:
    """A real control plane with the CRD and an audit log; one for all tests."""
    return session.shared_control_plane(standing=ALONE not in os.environ)


@pytest.fixture(scope="session")
def kubectl(control_plane: ControlPlane) -> Kubectl:
    """kubectl against the control plane."""
    return control_plane.kubectl


@pytest.fixture
def namespace(kubectl: Kubectl) -> str:
    """A new namespace for one test; to delete it would cost more than to leave it to its control plane."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    kubectl.api.create_namespace(name)
    return name


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
    client = find_engine()
    if client is None:
        pytest.skip("no Docker engine answers: start one, or set DOCKER_HOST")
    yield client
    client.close()


@pytest.fixture(scope="session")
def web_image(session: Session, docker_engine: docker.DockerClient) -> str:
    """The image of the little web server in tools/web."""
    with session.alone("images"):
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

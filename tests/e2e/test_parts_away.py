"""Parts that are away, from the start or later: Tenants say which, and go on when it is back."""

from pathlib import Path
from typing import Any

import docker
import pytest
from tests.support.containers import containers_of
from tests.support.polling import eventually
from tests.support.programs import readiness
from tests.support.session import Session
from tests.support.specs import memory, web
from tests.support.status import conditions, kstatus, message
from tests.support.system import Landlord, System


@pytest.fixture(scope="module")
def socket_of_the_engine(session: Session) -> Path:
    """Where the worker looks for the Docker engine."""
    return session.folder("docker") / "docker.sock"


@pytest.fixture(scope="module")
def fragile(new_landlord: Landlord, socket_of_the_engine: Path) -> System:
    """A landlord whose parts the tests take away and bring back."""
    system = new_landlord(DOCKER_HOST=f"unix://{socket_of_the_engine}")
    system.start()
    return system


@pytest.fixture
def engine(socket_of_the_engine: Path, docker_engine: docker.DockerClient) -> "EngineSwitch":
    return EngineSwitch(socket_of_the_engine)


class EngineSwitch:
    """Connects the worker to the machine's Docker engine."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def on(self) -> None:
        self._path.symlink_to("/var/run/docker.sock")

    def off(self) -> None:
        self._path.unlink()


def ready_but(system: System, *closed: str) -> dict[str, Any]:
    """The gates, once the operator is ready for a rollout and these of them are closed."""

    def seen() -> dict[str, Any]:
        status, gates = readiness(system.operator)
        assert {name for name, gate in gates.items() if not gate["ok"]} == set(closed)
        assert "not checked yet" not in {gate["message"] for gate in gates.values()}
        assert status == 200
        return gates

    return eventually(seen)


def test_without_restate_at_the_start_the_operator_waits_and_says_so(
    new_landlord: Landlord, name: str
) -> None:
    system = new_landlord()
    system.worker.start()
    system.operator.start()
    gates = ready_but(system, "engine", "registration")
    for gate in ("engine", "registration"):
        assert system.restate.admin_url in gates[gate]["message"]

    system.apply(name, memory())
    tenant = system.until(name, "Ready", "Unknown", reason="EngineUnreachable")
    assert conditions(tenant)["WorkflowRegistered"] == ("Unknown", "EngineUnreachable")
    assert "connection refused" in message(tenant, "Ready")

    system.restate.start()
    system.until(name, "Ready", "True")
    system.delete(name)
    system.stop()


def test_without_restate_later_settled_tenants_stay_ready_and_changes_wait(
    fragile: System, name: str
) -> None:
    settled, changed, new = f"{name}-settled", f"{name}-changed", f"{name}-new"
    fragile.apply_all({settled: memory(ports=1), changed: memory(ports=1)})
    fragile.until_all([settled, changed], "Ready", "True")
    version = fragile.tenant(settled)["metadata"]["resourceVersion"]

    assert ready_but(fragile).keys() == {
        "apiServer",
        "crd",
        "cache",
        "watch",
        "leader",
        "engine",
        "registration",
    }
    fragile.restate.stop()
    ready_but(fragile, "engine", "registration")
    fragile.apply_all({changed: memory(ports=2), new: memory(ports=1)})
    waiting = fragile.until(changed, "Ready", "False", reason="RegistrationPending")
    assert len(waiting["status"]["endpoints"]) == 1
    assert fragile.until(new, "Ready", "Unknown", reason="EngineUnreachable")["status"]["endpoints"] == []
    assert kstatus(waiting) == "InProgress"

    fragile.restate.start()
    ready_but(fragile)
    fragile.until_all([changed, new], "Ready", "True")
    assert fragile.tenant(settled)["metadata"]["resourceVersion"] == version
    fragile.delete(settled, changed, new)


def test_without_the_worker_tenants_wait_and_name_its_url(fragile: System, name: str) -> None:
    fragile.worker.stop()
    assert fragile.worker.url in ready_but(fragile, "registration")["registration"]["message"]
    fragile.apply(name, memory())
    tenant = fragile.until(name, "WorkflowRegistered", "False", reason="WorkerUnreachable")
    assert conditions(tenant)["Ready"] == ("False", "RegistrationPending")
    assert fragile.worker.url in message(tenant, "Ready")
    assert "Fix: start the worker, or check LANDLORD_WORKER_URL." in message(tenant, "Ready")
    fragile.worker.start()
    fragile.until(name, "Ready", "True")
    fragile.delete(name)


def test_a_tenant_of_an_unknown_backend_that_came_while_the_worker_was_away_can_be_deleted(
    fragile: System, name: str
) -> None:
    fragile.worker.stop()
    fragile.apply(name, memory() | {"compute": {"provider": "mainframe"}})
    fragile.until(name, "WorkflowRegistered", "False", reason="WorkerUnreachable")
    fragile.worker.start()
    fragile.until(name, "Accepted", "False", reason="UnknownBackend")
    fragile.delete(name)


def test_without_the_docker_engine_work_and_deletions_wait_for_it(
    fragile: System, name: str, engine: EngineSwitch, docker_engine: docker.DockerClient, web_image: str
) -> None:
    def says_that_the_engine_is_away() -> bool:
        return "docker.sock (DOCKER_HOST) does not answer" in message(fragile.tenant(name), "Ready")

    fragile.apply(name, web(web_image))
    eventually(says_that_the_engine_is_away)
    assert conditions(fragile.tenant(name))["Provisioned"] == ("False", "BackingOff")
    engine.on()
    fragile.until(name, "Ready", "True")
    assert len(containers_of(docker_engine, name)) == 1

    engine.off()
    fragile.delete(name, timeout=0)
    eventually(says_that_the_engine_is_away)
    assert conditions(fragile.tenant(name))["Ready"] == ("False", "Deleting")
    engine.on()
    eventually(lambda: name not in fragile.tenants())
    assert containers_of(docker_engine, name) == []
    engine.off()

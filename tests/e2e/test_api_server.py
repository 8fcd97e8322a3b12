"""An API server that is away, one without landlord's CRD, and one with that of another version."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from tests.support.apiserver import killed_api_server
from tests.support.metrics import total
from tests.support.polling import eventually
from tests.support.programs import readiness
from tests.support.session import Session
from tests.support.specs import Spec, memory
from tests.support.status import message
from tests.support.system import System

from dev.cluster import ControlPlane
from dev.failure import LocalFailure
from dev.net import LOOPBACK
from dev.paths import CHECKOUT

CRD = CHECKOUT / "crds" / "tenants.yaml"
NAMESPACE = "default"
LOCAL_EVERYWHERE = {"LANDLORD_ENGINE": "local", "LANDLORD_WATCH_NAMESPACES": ""}


@pytest.fixture(scope="module")
def bare_control_plane(session: Session) -> Iterator[ControlPlane]:
    """A control plane of its own, without the CRD."""
    control_plane = session.control_plane()
    control_plane.start()
    yield control_plane
    control_plane.delete()


@pytest.fixture
def system(session: Session, bare_control_plane: ControlPlane) -> Iterator[System]:
    """An operator that is not started."""
    system = System(session, bare_control_plane, session.restate(), NAMESPACE, LOCAL_EVERYWHERE)
    yield system
    system.stop()


def accepted(system: System, name: str, spec: Spec) -> bool:
    """Whether the API server takes the Tenant."""
    try:
        system.apply(name, spec)
    except LocalFailure:
        return False
    return True


def in_flight(system: System) -> float:
    """Workflows that the operator waits for."""
    return total(system.operator.url, "landlord_workflows_in_flight")


def waits_for(system: System, gate: str) -> str:
    """The message of the gate that keeps the operator from being ready."""

    def closed() -> str:
        status, gates = readiness(system.operator)
        assert status == 503
        assert gates[gate]["message"] != "not checked yet"
        assert not gates[gate]["ok"]
        return str(gates[gate]["message"])

    return eventually(closed)


def test_the_crd_is_waited_for(system: System, name: str) -> None:
    system.operator.start(wait=False)
    assert "tenants.landlord.dev is not installed; run kubectl apply -f" in waits_for(system, "crd")
    system.kubectl.api.apply(CRD)
    system.operator.wait_ready()
    system.apply(name, memory())
    system.until(name, "Ready", "True")
    system.delete(name)
    waiting = [line for line in system.operator.logs() if "not installed" in line["message"]]
    assert len(waiting) == 1


def test_an_api_server_that_is_away_at_the_start_is_waited_for(system: System, tmp_path: Path) -> None:
    config = yaml.safe_load(system.kubectl.kubeconfig.read_text())
    config["clusters"][0]["cluster"]["server"] = f"https://{LOOPBACK}:1"
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(yaml.safe_dump(config))
    system.operator.settings["KUBECONFIG"] = str(kubeconfig)
    system.operator.start(wait=False)
    assert f"https://{LOOPBACK}:1 does not answer" in waits_for(system, "apiServer")


def test_a_tenant_of_another_version_s_schema_is_refused_and_can_be_deleted(
    system: System, name: str
) -> None:
    crd = yaml.safe_load(CRD.read_text())
    spec = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    del spec["required"]
    system.kubectl.api.apply(yaml.safe_dump(crd))
    system.operator.start()
    unreadable = {"compute": {"provider": "memory"}}
    eventually(lambda: accepted(system, name, unreadable), what="the schema is served")

    tenant = system.until(name, "Accepted", "False", reason="InvalidSpec")
    assert "The spec is invalid: workload: Field required" in message(tenant, "Ready")
    system.apply(name, memory())
    system.until(name, "Ready", "True")
    system.apply(name, unreadable)
    system.until(name, "Accepted", "False", reason="InvalidSpec")
    system.delete(name)
    system.kubectl.api.apply(CRD)


def test_an_api_server_that_dies_is_waited_for_and_nothing_is_lost(
    session: Session, bare_control_plane: ControlPlane, system: System, name: str
) -> None:
    bare_control_plane.kubectl.api.apply(CRD)
    system.operator.start()
    names = [f"{name}-{number}" for number in range(5)]
    system.apply_all({each: memory(MEMORY_DELAY="2") for each in names})
    with killed_api_server(session, bare_control_plane):
        assert "does not answer" in waits_for(system, "apiServer")
        eventually(lambda: in_flight(system) == 0, what="work has ended while nobody can be told")
    eventually(lambda: readiness(system.operator)[0] == 200)
    system.until_all(names, "Ready", "True")
    system.delete(*names)

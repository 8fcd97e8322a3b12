"""Operator and worker with the settings and the ServiceAccounts of the manifests; only addresses differ."""

from collections.abc import Iterator

import pytest
from tests.integration.manifests.conftest import Applied
from tests.support.manifests import NAMESPACE, granted_to, settings
from tests.support.polling import eventually
from tests.support.rbac import in_short, used
from tests.support.session import Session
from tests.support.specs import memory
from tests.support.system import System

from dev.cluster import ControlPlane

OPERATOR = "landlord-operator"
NOT_HERE = {"LANDLORD_RESTATE_ADMIN_URL", "LANDLORD_RESTATE_INGRESS_URL", "LANDLORD_WORKER_URL"}
TENANTS = {
    "memory": memory(),
    "kubernetes": {"workload": {"containers": [{"name": "app", "image": "any/image:1"}]}},
}


@pytest.fixture(scope="module")
def system(session: Session, cluster: ControlPlane, applied: Applied) -> Iterator[System]:
    cluster.kubectl.api.create_namespace("acme")
    system = System(session, cluster, session.restate(), "acme", {})
    for program in (system.operator, system.worker):
        said = {name: value for name, value in settings(program.name).items() if name not in NOT_HERE}
        kubeconfig = cluster.kubeconfig_of(NAMESPACE, f"landlord-{program.name}")
        program.settings |= said | {"KUBECONFIG": str(kubeconfig)}
    system.operator.settings |= {
        "LANDLORD_NAMESPACE": NAMESPACE,
        "LANDLORD_LEADER_ELECTION": "true",
        "LANDLORD_WATCH_NAMESPACES": "",
        "LANDLORD_MASS_DELETION_COUNT": "30",
    }
    system.worker.settings["LANDLORD_BACKENDS"] += ",memory"
    system.start()
    yield system
    system.stop()


@pytest.mark.parametrize("backend", TENANTS)
def test_a_tenant_becomes_ready_and_goes(system: System, backend: str) -> None:
    system.apply(backend, TENANTS[backend])
    assert system.until(backend, "Ready", "True")["status"]["provider"] == backend
    system.delete(backend)
    assert system.errors() == []


def test_a_tenant_that_expires_is_deleted(system: System) -> None:
    """The one thing for which the operator deletes Tenants."""
    system.apply("trial", memory() | {"lifetime": {"expireAfter": "1s", "onExpiry": "Delete"}})
    eventually(lambda: "trial" not in system.tenants(), what="it is gone")
    assert system.errors() == []


def test_the_operator_has_used_each_of_its_rights(system: System, cluster: ControlPlane) -> None:
    assert used(cluster, NAMESPACE, OPERATOR) == {in_short(right) for right in granted_to(OPERATOR)}

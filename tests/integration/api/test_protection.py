"""manifests/protection on the real API server: a protected Tenant can't be deleted."""

from collections.abc import Iterator

import pytest
import yaml
from tests.support.polling import eventually
from tests.support.session import CRD, Session
from tests.support.specs import memory

from dev.kubectl import Kubectl
from dev.paths import CHECKOUT
from landlord.api.names import API_VERSION, KIND

PROTECTION = CHECKOUT / "manifests" / "protection"


@pytest.fixture(scope="module")
def kubectl(session: Session) -> Iterator[Kubectl]:
    """A control plane of its own: the policy holds in all namespaces."""
    control_plane = session.control_plane()
    control_plane.start()
    control_plane.kubectl.install_crd(CRD)
    yield control_plane.kubectl
    control_plane.delete()


@pytest.fixture(scope="module")
def protection(kubectl: Kubectl) -> None:
    """The policy, active."""
    kubectl("apply", "-k", str(PROTECTION))

    def refused() -> bool:
        tenant(kubectl, "default", "canary", protected=True)
        return kubectl.run("delete", "tenant", "canary", "-n", "default").returncode != 0

    eventually(refused, what="the policy is active")
    let_go(kubectl, "default", "canary")


def tenant(kubectl: Kubectl, namespace: str, name: str, **deletion: bool) -> None:
    metadata = {"name": name, "namespace": namespace}
    spec = memory() | ({"deletion": deletion} if deletion else {})
    kubectl.api.apply(
        yaml.safe_dump({"apiVersion": API_VERSION, "kind": KIND, "metadata": metadata, "spec": spec})
    )


def let_go(kubectl: Kubectl, namespace: str, name: str) -> None:
    kubectl.api.patch("tenant", name, {"spec": {"deletion": {"protected": False}}}, namespace=namespace)
    kubectl.api.delete("tenant", name, namespace=namespace)


@pytest.mark.parametrize("how", [("acme",), ("--all",)], ids=["by name", "all"])
@pytest.mark.usefixtures("protection")
def test_a_protected_tenant_can_t_be_deleted_until_it_is_so_no_more(
    kubectl: Kubectl, namespace: str, how: tuple[str, ...]
) -> None:
    tenant(kubectl, namespace, "acme", protected=True)
    refused = kubectl.run("delete", "tenant", *how, "-n", namespace)
    words = f"Tenant {namespace}/acme is protected: set spec.deletion.protected to false first"
    assert words in refused.stderr
    assert "deletionTimestamp" not in kubectl.api.get("tenant", "acme", namespace=namespace)["metadata"]
    let_go(kubectl, namespace, "acme")


@pytest.mark.parametrize("deletion", [{}, {"protected": False}], ids=["says nothing", "says so"])
@pytest.mark.usefixtures("protection")
def test_a_tenant_that_is_not_protected_is_deleted(
    kubectl: Kubectl, namespace: str, deletion: dict[str, bool]
) -> None:
    tenant(kubectl, namespace, "acme", **deletion)
    kubectl("delete", "tenant", "acme", "-n", namespace)


@pytest.mark.usefixtures("protection")
def test_the_namespace_of_a_protected_tenant_does_not_go_and_says_why(
    kubectl: Kubectl, namespace: str
) -> None:
    tenant(kubectl, namespace, "acme", protected=True)
    kubectl.api.delete("namespace", namespace)

    def explained() -> bool:
        conditions = kubectl.api.get("namespace", namespace)["status"].get("conditions", [])
        return any("is protected: set spec.deletion" in each["message"] for each in conditions)

    eventually(explained)
    assert "deletionTimestamp" not in kubectl.api.get("tenant", "acme", namespace=namespace)["metadata"]
    let_go(kubectl, namespace, "acme")

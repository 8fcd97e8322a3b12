"""A change of Restate's pods has the registration looked at, and only looked at if all is well."""

import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from tests.support.apiserver import killed_api_server
from tests.support.metrics import total
from tests.support.pods import LABELS, SELECTOR, make_service, restart_container, run_pod
from tests.support.polling import eventually, steadily
from tests.support.programs import Ended, readiness, run
from tests.support.rbac import LEASE_RULES, OPERATOR_RULES, RESTATE_RULES, account, grant
from tests.support.session import Session
from tests.support.system import Landlord, System

from dev.cluster import ControlPlane
from dev.kubectl import Kubectl
from dev.paths import CHECKOUT
from landlord.api.names import LEASE

CRD = CHECKOUT / "crds" / "tenants.yaml"
GATE = "restatePods"
PROMPTLY = 4.0
"""Seconds; without the pods the registration is looked at every 5 s at most."""


@pytest.fixture(scope="module")
def restate_namespace(kubectl: Kubectl) -> Iterator[str]:
    """Where Restate's pods are: one, and its Service."""
    name = f"restate-{uuid.uuid4().hex[:8]}"
    kubectl.api.create_namespace(name)
    run_pod(kubectl, name)
    make_service(kubectl, name)
    yield name
    kubectl.api.delete("namespace", name)


def settings_for(namespace: str) -> dict[str, str]:
    return {"LANDLORD_RESTATE_NAMESPACE": namespace, "LANDLORD_RESTATE_POD_SELECTOR": SELECTOR}


@pytest.fixture(scope="module")
def system(new_landlord: Landlord, control_plane: ControlPlane, restate_namespace: str) -> System:
    """A landlord whose operator has the least rights."""
    system = new_landlord(**settings_for(restate_namespace))
    kubeconfig = account(control_plane, system.namespace, "operator", OPERATOR_RULES)
    grant(control_plane, restate_namespace, f"{system.namespace}/operator", RESTATE_RULES)
    system.operator.settings["KUBECONFIG"] = str(kubeconfig)
    system.start()
    system.until_registered()
    eventually(lambda: gate(system)["ok"], what="the pods are watched")
    return system


def gate(system: System) -> dict[str, object]:
    found: dict[str, object] = readiness(system.operator)[1].get(GATE, {"ok": False})
    return found


def checks(system: System) -> float:
    return total(system.operator.url, "landlord_registration_checks_total", trigger="pods")


def attempts(system: System) -> float:
    return total(system.operator.url, "landlord_registration_attempts_total")


def last_verified(system: System) -> float:
    return total(system.operator.url, "landlord_registration_last_verified_timestamp_seconds")


def settled(system: System) -> float:
    """The checks so far, once no more are made."""

    def standing() -> list[float]:
        before = checks(system)
        steadily(lambda: checks(system) == before, seconds=1)
        return [before]

    return eventually(standing)[0]


Change = Callable[[Kubectl, str], None]


def change_container(kubectl: Kubectl, namespace: str) -> None:
    (pod,) = kubectl.api.get("pods", namespace=namespace)["items"]
    restart_container(kubectl, namespace, pod["metadata"]["name"])


def replace_pod(kubectl: Kubectl, namespace: str) -> None:
    (pod,) = kubectl.api.get("pods", namespace=namespace)["items"]
    kubectl("delete", "pod", pod["metadata"]["name"], "-n", namespace)
    run_pod(kubectl, namespace)


def change_endpoints(kubectl: Kubectl, namespace: str) -> None:
    patch = '-p={"spec": {"ports": [{"port": 9070, "targetPort": 19070}]}}'
    kubectl("patch", "service", "restate", "-n", namespace, patch)


@pytest.mark.parametrize(
    "change",
    [change_container, replace_pod, change_endpoints],
    ids=["container restart", "replaced pod", "EndpointSlice"],
)
def test_a_change_leads_to_a_look_and_to_no_registration(
    system: System, kubectl: Kubectl, restate_namespace: str, change: Change
) -> None:
    checked, attempted, at = settled(system), attempts(system), time.time()
    change(kubectl, restate_namespace)
    eventually(lambda: checks(system) > checked, within=PROMPTLY, what="a check")
    eventually(lambda: last_verified(system) > at, within=PROMPTLY, what="the registration verified")
    assert attempts(system) == attempted == 1


def test_other_pods_do_not_matter(
    system: System, kubectl: Kubectl, restate_namespace: str, namespace: str
) -> None:
    before = settled(system)
    for place, labels in ((restate_namespace, {"app": "postgres"}), (namespace, LABELS)):
        pod = run_pod(kubectl, place, labels)
        restart_container(kubectl, place, pod)
        kubectl("delete", "pod", pod, "-n", place)
    steadily(lambda: checks(system) == before, seconds=2)


def test_a_replica_that_stands_by_watches_nothing_until_it_leads(
    new_landlord: Landlord, control_plane: ControlPlane, kubectl: Kubectl, restate_namespace: str
) -> None:
    system = new_landlord(LANDLORD_LEADER_ELECTION="true", **settings_for(restate_namespace))
    rules = [*OPERATOR_RULES, *LEASE_RULES]
    kubeconfig = account(control_plane, system.namespace, "operator", rules)
    grant(control_plane, restate_namespace, f"{system.namespace}/operator", RESTATE_RULES)
    system.operator.settings |= {"KUBECONFIG": str(kubeconfig), "LANDLORD_NAMESPACE": system.namespace}
    spec = {"holderIdentity": "somebody", "leaseDurationSeconds": 3600}
    lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "spec": spec}
    metadata = {"name": LEASE, "namespace": system.namespace}
    kubectl.api.apply(yaml.safe_dump(lease | {"metadata": metadata}))
    system.start()
    eventually(lambda: gate(system)["message"] == "not watched yet; only the leader watches")

    kubectl("delete", "lease", LEASE, "-n", system.namespace)
    eventually(lambda: gate(system)["ok"])
    system.stop()


def refused(folder: Path, control_plane: ControlPlane, namespace: str, settings: dict[str, str]) -> Ended:
    """How an operator ended that has the rights which it needs without Restate's pods."""
    kubeconfig = account(control_plane, namespace, "operator", OPERATOR_RULES)
    # The CRD, which the breaker of mass deletions reads, is in no namespace.
    common = {
        "KUBECONFIG": str(kubeconfig),
        "LANDLORD_WATCH_NAMESPACES": namespace,
        "LANDLORD_MASS_DELETION_COUNT": "0",
    }
    ended = run(folder, "operator", common | settings)
    assert ended.code == 2, ended
    return ended


def test_missing_rights_in_restate_s_namespace_are_named_at_start(
    tmp_path: Path, control_plane: ControlPlane, namespace: str, restate_namespace: str
) -> None:
    ended = refused(tmp_path, control_plane, namespace, settings_for(restate_namespace))
    assert (
        f"grant its ServiceAccount or user: watch pods in namespace {restate_namespace}, watch " in ended.said
    )
    assert f"watch endpointslices.discovery.k8s.io in namespace {restate_namespace}" in ended.said
    assert "list tenants" not in ended.said


def test_a_malformed_selector_is_refused_at_start(
    tmp_path: Path, control_plane: ControlPlane, namespace: str, restate_namespace: str
) -> None:
    grant(control_plane, restate_namespace, f"{namespace}/operator", RESTATE_RULES)
    settings = settings_for(restate_namespace) | {"LANDLORD_RESTATE_POD_SELECTOR": "app in (restate"}
    ended = refused(tmp_path, control_plane, namespace, settings)
    assert (
        "LANDLORD_RESTATE_POD_SELECTOR: must be a label selector such as app=restate: unable to" in ended.said
    )


def test_an_api_server_that_dies_and_returns_is_survived(session: Session) -> None:
    control_plane = session.control_plane()
    control_plane.start()
    kubectl = control_plane.kubectl
    kubectl.api.apply(CRD)
    run_pod(kubectl, "default")
    make_service(kubectl, "default")
    system = System(session, control_plane, session.restate(), "default", settings_for("default"))
    system.start()
    eventually(lambda: gate(system)["ok"])

    with killed_api_server(session, control_plane):
        eventually(lambda: "landlord can't watch" in str(gate(system)["message"]))
        before = checks(system)
    eventually(lambda: gate(system)["ok"], what="the pods are watched again")
    eventually(lambda: checks(system) > before, what="a check of what may have been missed")
    warnings = [line for line in system.operator.logs() if "landlord can't watch" in line["message"]]
    assert len(warnings) == 1

    checked = settled(system)
    change_container(kubectl, "default")
    eventually(lambda: checks(system) > checked, within=PROMPTLY)
    assert attempts(system) == 1
    system.stop()
    control_plane.delete()

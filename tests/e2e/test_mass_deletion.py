"""Many Tenants deleted at once, or the CRD itself: nothing is removed until a person means it."""

import shlex
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from tests.support.events import reasons
from tests.support.metrics import total
from tests.support.polling import eventually, steadily
from tests.support.programs import run
from tests.support.rbac import OPERATOR_RULES, RBAC, account
from tests.support.session import CRD, Session
from tests.support.specs import memory
from tests.support.status import conditions, message
from tests.support.system import Landlord, System, landlords

from dev.cluster import ControlPlane
from dev.paths import CHECKOUT
from landlord.api.names import CRD_NAME
from landlord.controller.decide.breaker import RELEASE

LIMIT = 3
SETTINGS = {
    "LANDLORD_ENGINE": "local",
    "LANDLORD_MASS_DELETION_COUNT": str(LIMIT),
}
HELD = ("True", "MassDeletionHold")


def grant_crd(control_plane: ControlPlane, namespace: str, account: str) -> None:
    """Bind the role of manifests/protection to a service account."""
    (role, _) = yaml.safe_load_all((CHECKOUT / "manifests/protection/crd-reader.yaml").read_text())
    name = f"{namespace}-{account}"
    role["metadata"]["name"] = name
    binding = {
        "apiVersion": role["apiVersion"],
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name},
        "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": namespace}],
    }
    control_plane.kubectl.api.apply(yaml.safe_dump_all([role, binding]))


@pytest.fixture
def careful(new_landlord: Landlord, control_plane: ControlPlane) -> System:
    """One that takes three deletions to be meant, and may do no more than it needs to."""
    system = new_landlord(**SETTINGS)
    kubeconfig = account(control_plane, system.namespace, "operator", OPERATOR_RULES)
    grant_crd(control_plane, system.namespace, "operator")
    system.operator.settings["KUBECONFIG"] = str(kubeconfig)
    system.operator.start()
    return system


def some(system: System, name: str, count: int) -> list[str]:
    names = [f"{name}-{number}" for number in range(count)]
    system.apply_all({each: memory(ports=1) for each in names})
    system.until_all(names, "Ready", "True")
    return names


def delete(system: System, *names: str) -> None:
    system.kubectl("delete", "tenant", *(names or ("--all",)), "-n", system.namespace, "--wait=false")


def held(system: System, names: list[str]) -> bool:
    tenants = system.tenants()
    said = {name: conditions(tenants[name]) for name in names if name in tenants}
    assert said.keys() == set(names), said
    for each in said.values():
        assert (each.get("DeletionHeld"), each["Ready"]) == (HELD, ("True", "Provisioned")), said
    return True


def metric(system: System) -> float:
    return total(system.operator.url, "landlord_mass_deletion_held")


def release(system: System) -> None:
    command = RELEASE.replace("$(date -u +%Y-%m-%dT%H:%M:%SZ)", f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}")
    program, *arguments = shlex.split(command)
    assert program == "kubectl"
    system.kubectl(*arguments)


def test_a_mass_deletion_removes_nothing_survives_a_restart_and_goes_on_when_released(
    careful: System, name: str
) -> None:
    names = some(careful, name, LIMIT + 3)
    delete(careful)
    eventually(lambda: held(careful, names), what="all are held")
    assert RELEASE in message(careful.tenant(names[0]), "DeletionHeld")
    assert metric(careful) == len(names)
    seen = eventually(lambda: reasons(careful.kubectl, careful.namespace, "Tenant", names[0])[1:])
    assert seen == ["Warning MassDeletionHold"]

    careful.operator.kill()
    careful.operator.start()
    eventually(lambda: metric(careful) == len(names))
    steadily(lambda: held(careful, names), seconds=8, what="still held")

    release(careful)
    eventually(lambda: not careful.tenants(), what="all are gone")
    eventually(lambda: metric(careful) == 0)


def test_deletions_that_were_carried_out_count_and_what_is_held_stays_so_without_them(
    careful: System, name: str
) -> None:
    names = some(careful, name, LIMIT + 2)
    for each in names[:LIMIT]:
        careful.delete(each)
    delete(careful, names[LIMIT])
    eventually(lambda: held(careful, [names[LIMIT]]))

    careful.operator.kill()
    delete(careful, names[LIMIT + 1])
    careful.operator.start()
    # What was carried out is forgotten; that one is held is not, and so is the next one.
    eventually(lambda: held(careful, names[LIMIT:]))
    release(careful)
    eventually(lambda: not careful.tenants())


def test_an_operator_that_may_not_read_the_crd_says_what_to_grant(
    tmp_path: Path, control_plane: ControlPlane, namespace: str
) -> None:
    kubeconfig = account(control_plane, namespace, "operator", OPERATOR_RULES)
    settings = {"KUBECONFIG": str(kubeconfig), "LANDLORD_WATCH_NAMESPACES": namespace}
    ended = run(tmp_path, "operator", SETTINGS | settings)
    assert ended.code == 2
    assert "get customresourcedefinitions.apiextensions.k8s.io named tenants.landlord.dev" in ended.said


def test_a_few_deletions_are_carried_out(careful: System, name: str) -> None:
    names = some(careful, name, LIMIT)
    careful.delete(*names)
    assert careful.tenants() == {}


@pytest.fixture
def doomed(session: Session) -> Iterator[System]:
    """A landlord with a control plane of its own, whose CRD may be deleted."""
    control_plane = session.control_plane()
    control_plane.start()
    control_plane.kubectl.install_crd(CRD)
    with landlords(session, control_plane) as make:
        system = make(**SETTINGS)
        system.operator.start()
        yield system
    control_plane.delete()


def test_a_deleted_crd_takes_no_tenant_with_it_and_can_be_installed_again(doomed: System, name: str) -> None:
    (only,) = some(doomed, name, 1)
    doomed.kubectl("delete", "crd", "tenants.landlord.dev", "--wait=false")
    eventually(lambda: held(doomed, [only]))
    assert "the CRD tenants.landlord.dev was deleted" in message(doomed.tenant(only), "DeletionHeld")
    doomed.operator.kill()
    doomed.operator.start()
    steadily(lambda: held(doomed, [only]), seconds=4)

    # To keep what runs, and begin again with a new CRD.
    patch = '{"spec":{"deletion":{"policy":"Retain"}}}'
    doomed.kubectl("patch", "tenant", only, "-n", doomed.namespace, "--type=merge", "-p", patch)
    eventually(lambda: doomed.api.find("crd", CRD_NAME) is None, what="the CRD is gone")
    doomed.kubectl.install_crd(CRD)
    some(doomed, f"{name}-again", 1)

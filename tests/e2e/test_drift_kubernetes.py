"""What somebody does with kubectl to a tenant's objects is seen, told, and put right if that is wanted."""

import json

import pytest
from tests.support.events import reasons
from tests.support.polling import eventually, steadily
from tests.support.specs import Spec
from tests.support.status import conditions, message, workflow
from tests.support.system import Landlord, System, Tenant


@pytest.fixture(scope="module")
def system(new_landlord: Landlord) -> System:
    """One that looks so often that the tests need not wait for it."""
    system = new_landlord(
        LANDLORD_DEFAULT_BACKEND="kubernetes",
        LANDLORD_BACKENDS="kubernetes",
        LANDLORD_SURVEY_SECONDS="0.5",
    )
    system.start()
    return system


def spec(drift: str = "Repair") -> Spec:
    container = {
        "name": "web",
        "image": "web:1",
        "ports": [{"name": "http", "containerPort": 8080, "appProtocol": "http"}],
    }
    return {
        "workload": {"containers": [container], "replicas": 2},
        "compute": {"kubernetes": {}},
        "management": {"drift": drift},
    }


def replicas(system: System, name: str) -> int:
    deployment = system.kubectl.api.get("deployment", "tenant", namespace=f"tenant-{name}")
    return int(deployment["spec"]["replicas"])


def repaired(system: System, name: str) -> Tenant:
    def seen() -> Tenant:
        tenant = system.tenant(name)
        assert conditions(tenant)["Ready"] == ("True", "Provisioned"), tenant["status"]
        assert workflow(tenant)["operation"] == "Repair"
        return tenant

    return eventually(seen, what=f"{name} is repaired")


EDIT = json.dumps(
    {"spec": {"template": {"spec": {"containers": [{"name": "web", "image": "somebody/else:1"}]}}}}
)
HANDS = {
    "deleted": ("delete", "deployment/tenant", "--wait=false"),
    "scaled": ("scale", "deployment/tenant", "--replicas=3"),
    "scaled to zero": ("scale", "deployment/tenant", "--replicas=0"),
    "edited": ("patch", "deployment/tenant", "-p", EDIT),
    "service edited": ("patch", "service/tenant", "-p", '{"spec":{"type":"NodePort"}}'),
    "policy deleted": ("delete", "networkpolicy/tenant", "--wait=false"),
}


@pytest.mark.parametrize("hand", HANDS.values(), ids=HANDS.keys())
def test_what_was_done_with_kubectl_is_undone(system: System, name: str, hand: tuple[str, ...]) -> None:
    system.apply(name, spec())
    system.until(name, "Ready", "True")
    system.kubectl(*hand, "-n", f"tenant-{name}")
    tenant = repaired(system, name)
    assert message(tenant, "Provisioned").startswith("Repaired: ")
    assert replicas(system, name) == 2
    deployment = system.kubectl.api.get("deployment", "tenant", namespace=f"tenant-{name}")
    assert deployment["spec"]["template"]["spec"]["containers"][0]["image"] == "web:1"
    system.kubectl.api.get("networkpolicy", "tenant", namespace=f"tenant-{name}")
    service = system.kubectl.api.get("service", "tenant", namespace=f"tenant-{name}")
    assert service["spec"]["type"] == "ClusterIP"
    system.delete(name)


def test_a_report_follows_what_is_done_next_and_ends_when_that_is_undone(system: System, name: str) -> None:
    def reported() -> list[str]:
        found: list[str] = system.tenant(name)["status"].get("drift", {}).get("items", [])
        return found

    system.apply(name, spec("Report"))
    system.until(name, "Ready", "True")
    for number in (3, 4):
        system.kubectl("scale", "deployment/tenant", f"--replicas={number}", "-n", f"tenant-{name}")
        item = f"Deployment tenant: spec.replicas is {number}, should be 2"
        eventually(lambda item=item: reported() == [item], what=item)  # type: ignore[misc]
    system.kubectl("scale", "deployment/tenant", "--replicas=2", "-n", f"tenant-{name}")
    eventually(lambda: not reported(), what="nothing is reported any more")
    system.delete(name)


@pytest.mark.parametrize(
    ("mode", "item"), [("Report", "Deployment tenant: spec.replicas is 3, should be 2"), ("Ignore", None)]
)
def test_what_was_done_with_kubectl_is_left_so_if_that_is_wanted(
    system: System, name: str, mode: str, item: str | None
) -> None:
    system.apply(name, spec(mode))
    system.until(name, "Ready", "True")
    system.kubectl("scale", "deployment/tenant", "--replicas=3", "-n", f"tenant-{name}")
    if item:
        drift = eventually(lambda: system.tenant(name)["status"].get("drift"))
        assert drift["items"] == [item]
        eventually(lambda: "Warning Drifted" in reasons(system.kubectl, system.namespace, "Tenant", name))
    steadily(lambda: replicas(system, name) == 3, seconds=3, what="nothing is put right")
    tenant = system.until(name, "Ready", "True")  # the third replica may have taken its time
    assert ("drift" in tenant["status"]) == bool(item)
    assert workflow(tenant)["attempt"] == 1

    system.apply(name, spec("Repair"))
    eventually(lambda: replicas(system, name) == 2)
    system.delete(name)

"""Whatever others do in a tenant's namespace: what is theirs stays, and the rest is what the spec says."""

import json
from pathlib import Path

import pytest
from tests.support.history import History
from tests.support.polling import eventually, steadily
from tests.support.secrets import Owner
from tests.support.specs import Spec
from tests.support.status import conditions, message, workflow
from tests.support.system import Landlord, System

SURVEY_SECONDS = 0.5


@pytest.fixture(scope="module")
def system(new_landlord: Landlord) -> System:
    """One that looks so often that the tests need not wait for it."""
    system = new_landlord(
        LANDLORD_DEFAULT_BACKEND="kubernetes",
        LANDLORD_BACKENDS="kubernetes",
        LANDLORD_SURVEY_SECONDS=str(SURVEY_SECONDS),
    )
    system.start()
    return system


def spec(*containers: Spec) -> Spec:
    return {"workload": {"containers": [*containers]}, "compute": {"provider": "kubernetes"}}


def container(name: str, image: str, **env: str) -> Spec:
    return {
        "name": name,
        "image": image,
        "env": [{"name": variable, "value": value} for variable, value in env.items()],
    }


def referring_to(secret: str) -> Spec:
    variable = {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": secret, "key": "password"}}}
    return container("web", "web:1") | {"env": [variable]}


def deployment(system: System, name: str) -> Spec:
    found: Spec = system.kubectl.api.get("deployment", "tenant", namespace=f"tenant-{name}")
    return found


def test_what_is_removed_after_a_restore_is_gone(system: System, name: str) -> None:
    system.apply(name, spec(container("web", "web:1", OLD="1"), container("debug", "debug:1")))
    system.until(name, "Ready", "True")
    found = deployment(system, name)
    system.kubectl("replace", "--force", "-f", "-", stdin=json.dumps(found))
    system.apply(name, spec(container("web", "web:2")))

    def only_what_is_wanted() -> bool:
        pod = deployment(system, name)["spec"]["template"]["spec"]
        return [(each["image"], each.get("env")) for each in pod["containers"]] == [("web:2", None)]

    eventually(only_what_is_wanted)
    system.until(name, "Ready", "True")
    assert workflow(system.tenant(name))["operation"] == "Update"
    system.delete(name)


def test_what_somebody_adds_is_repaired_and_told(system: System, name: str) -> None:
    system.apply(name, spec(container("web", "web:1")))
    system.until(name, "Ready", "True")
    added = {"spec": {"template": {"spec": {"containers": [{"name": "theirs", "image": "theirs:1"}]}}}}
    system.kubectl("patch", "deployment/tenant", "-n", f"tenant-{name}", "-p", json.dumps(added))
    line = "Deployment tenant: spec.template.spec.containers[theirs] is set, should not be"
    eventually(lambda: message(system.tenant(name), "Provisioned") == f"Repaired: {line}")
    assert len(deployment(system, name)["spec"]["template"]["spec"]["containers"]) == 1
    system.delete(name)


def test_an_autoscaler_keeps_its_replicas_and_the_tenant_stays_ready(
    system: System, name: str, tmp_path: Path
) -> None:
    system.apply(name, spec(container("web", "web:1")))
    system.until(name, "Ready", "True")
    history = History(tmp_path, system, name)
    place = ("-n", f"tenant-{name}")
    system.kubectl("autoscale", "deployment/tenant", "--min=3", "--max=5", "--cpu=50%", *place)
    told = "kube-controller-manager sets spec.replicas of the Deployment, and landlord leaves that unchanged"
    eventually(lambda: message(system.tenant(name), "ComputeHealthy") == f"The tenant is healthy; {told}")
    steadily(lambda: deployment(system, name)["spec"]["replicas"] == 3, seconds=5)
    history.stop()
    assert {workflow(each)["attempt"] for each in history.versions()} == {1}
    system.apply(name, spec(container("web", "web:2")))
    system.until(name, "Ready", "True")
    assert deployment(system, name)["spec"]["replicas"] == 3
    system.delete(name)


def test_a_secret_that_is_rewritten_again_and_again_costs_nothing_and_delays_nothing(
    system: System, name: str, tmp_path: Path
) -> None:
    owner = Owner(system.kubectl, system.namespace)
    owner.put(name, password="first")
    system.apply(name, spec(referring_to(name)))
    system.until(name, "Ready", "True")
    history = History(tmp_path, system, name)

    def rewritten() -> bool:
        owner.touch(name)
        return True

    steadily(rewritten, seconds=8)
    history.stop()
    versions = history.versions()
    assert "Repairing" not in {conditions(each)["Ready"][1] for each in versions}
    assert {workflow(each)["attempt"] for each in versions} == {1}
    owner.put(name, password="second")
    eventually(lambda: workflow(system.tenant(name))["attempt"] == 2, what="the new value")
    system.until(name, "Ready", "True")
    system.delete(name)

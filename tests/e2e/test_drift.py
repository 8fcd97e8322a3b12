"""What is done to running tenants behind landlord's back is seen, told, and put right if that is wanted."""

import time
from collections.abc import Callable

import docker
import pytest
from tests.support.audit import writes_of
from tests.support.containers import containers_of
from tests.support.events import reasons, until_told
from tests.support.metrics import total
from tests.support.polling import eventually
from tests.support.rbac import OPERATOR_RULES, account
from tests.support.specs import Spec, memory, web
from tests.support.status import conditions, message, workflow
from tests.support.system import Landlord, System, Tenant

from dev.cluster import ControlPlane

OFTEN = "0.5"
"""Seconds between two surveys: the waits of these tests would be 20 s each otherwise."""


@pytest.fixture(scope="module")
def system(new_landlord: Landlord) -> System:
    system = new_landlord(LANDLORD_SURVEY_SECONDS=OFTEN)
    system.start()
    return system


def with_drift(spec: Spec, mode: str) -> Spec:
    return spec | {"management": {"drift": mode}}


def told(system: System, name: str) -> list[str]:
    return reasons(system.kubectl, system.namespace, "Tenant", name)


def surveys(system: System, outcome: str = "ok") -> float:
    return total(system.operator.url, "landlord_surveys_total", outcome=outcome)


def let_surveys_pass(system: System, number: int, outcome: str = "ok") -> None:
    """Return after so many more whole surveys."""
    until = surveys(system, outcome) + number + 1
    eventually(lambda: surveys(system, outcome) >= until, what=f"{number} surveys")


def repaired(system: System, name: str, attempt: int = 2) -> Tenant:
    """The Tenant once it was repaired."""

    def seen() -> Tenant:
        tenant = system.tenant(name)
        assert conditions(tenant)["Ready"] == ("True", "Provisioned"), tenant["status"]
        assert (workflow(tenant)["operation"], workflow(tenant)["attempt"]) == ("Repair", attempt)
        return tenant

    return eventually(seen, what=f"{name} is repaired")


def stop(engine: docker.DockerClient, container: str) -> None:
    engine.containers.get(container).stop(timeout=1)


def remove(engine: docker.DockerClient, container: str) -> None:
    engine.containers.get(container).remove(force=True)


def pause(engine: docker.DockerClient, container: str) -> None:
    engine.containers.get(container).pause()


def take_off_the_network(engine: docker.DockerClient, container: str) -> None:
    (network,) = engine.containers.get(container).attrs["NetworkSettings"]["Networks"]
    engine.networks.get(network).disconnect(container, force=True)


def update(engine: docker.DockerClient, container: str) -> None:
    engine.api.update_container(container, restart_policy={"Name": "on-failure"})


Hand = Callable[[docker.DockerClient, str], None]


@pytest.mark.parametrize(
    ("hand", "found"),
    [
        (stop, "container landlord-{name}: it was stopped"),
        (remove, ""),  # by turns it was stopped, is being removed, and is gone
        (pause, "container landlord-{name}: it is paused"),
        (take_off_the_network, "container landlord-{name}: it is not on the network"),
        (update, "HostConfig.RestartPolicy is on-failure, should be unless-stopped"),
    ],
)
def test_what_was_done_to_a_container_by_hand_is_undone(
    system: System, name: str, docker_engine: docker.DockerClient, web_image: str, hand: Hand, found: str
) -> None:
    system.apply(name, web(web_image))
    system.until(name, "Ready", "True")
    (container,) = containers_of(docker_engine, name)
    hand(docker_engine, container)

    tenant = repaired(system, name)
    assert conditions(tenant)["ComputeHealthy"] == ("True", "Healthy")
    assert message(tenant, "Provisioned").startswith("Repaired: ")
    assert found.format(name=name) in message(tenant, "Provisioned")
    assert "drift" not in tenant["status"]
    (again,) = containers_of(docker_engine, name)
    assert docker_engine.containers.get(again).status == "running"
    eventually(lambda: told(system, name)[-1] == "Normal Repaired", what="the Event")
    let_surveys_pass(system, 3)
    assert workflow(system.tenant(name))["attempt"] == 2, "repaired once"
    system.delete(name)


def test_a_container_that_hangs_is_shown_unhealthy_until_it_serves_again_and_is_left_alone(
    system: System, name: str, docker_engine: docker.DockerClient, web_image: str
) -> None:
    system.apply(name, web(web_image))
    system.until(name, "Ready", "True")
    (container,) = containers_of(docker_engine, name)
    docker_engine.containers.get(container).kill(signal="SIGSTOP")
    tenant = system.until(name, "Ready", "False", reason="Unhealthy")
    assert conditions(tenant)["ComputeHealthy"] == ("False", "Unhealthy")
    assert "and its probe fails: GET / on port 8080: no success within 2 s" in message(
        tenant, "ComputeHealthy"
    )
    assert "drift" not in tenant["status"]

    docker_engine.containers.get(container).kill(signal="SIGCONT")
    tenant = system.until(name, "Ready", "True")
    assert (workflow(tenant)["operation"], workflow(tenant)["attempt"]) == ("Create", 1)
    assert containers_of(docker_engine, name) == [container]
    system.delete(name)


def test_what_was_done_by_hand_is_reported_with_what_differs_and_left_so_if_that_is_wanted(
    system: System, name: str, docker_engine: docker.DockerClient, web_image: str
) -> None:
    spec = web(web_image)
    system.apply(name, with_drift(spec, "Report"))
    system.until(name, "Ready", "True")
    (container,) = containers_of(docker_engine, name)
    docker_engine.api.update_container(container, restart_policy={"Name": "on-failure"})
    pause(docker_engine, container)

    tenant = system.until(name, "ComputeHealthy", "False", reason="Unhealthy")
    assert conditions(tenant)["Ready"] == ("False", "Unhealthy")
    assert tenant["status"]["phase"] == "Degraded"
    items = tenant["status"]["drift"]["items"]
    assert f"container landlord-{name}: it is paused" in items
    changed_policy = "HostConfig.RestartPolicy is on-failure, should be unless-stopped"
    assert f"container landlord-{name}: {changed_policy}" in items
    since, version = tenant["status"]["drift"]["firstDetectedAt"], tenant["metadata"]["resourceVersion"]
    let_surveys_pass(system, 4)
    assert system.tenant(name)["metadata"]["resourceVersion"] == version, "told once"
    assert docker_engine.containers.get(container).status == "paused"

    remove(docker_engine, container)
    tenant = system.until(name, "Ready", "False", reason="Missing")
    assert tenant["status"]["drift"]["firstDetectedAt"] == since
    assert containers_of(docker_engine, name) == []
    assert workflow(tenant)["attempt"] == 1
    eventually(lambda: told(system, name)[-1] == "Warning Missing", what="the Events")
    assert told(system, name)[1] == "Warning Drifted"

    system.apply(name, with_drift(spec, "Repair"))
    tenant = system.until(name, "Ready", "True")
    assert "drift" not in tenant["status"]
    assert len(containers_of(docker_engine, name)) == 1
    system.delete(name)


def test_what_was_done_by_hand_is_ignored_if_that_is_wanted_but_what_is_gone_is_told(
    system: System, name: str, docker_engine: docker.DockerClient, web_image: str
) -> None:
    system.apply(name, with_drift(web(web_image), "Ignore"))
    tenant = system.until(name, "Ready", "True")
    (container,) = containers_of(docker_engine, name)
    take_off_the_network(docker_engine, container)
    remove(docker_engine, container)
    tenant = system.until(name, "Ready", "False", reason="Missing")
    assert conditions(tenant)["ComputeHealthy"] == ("False", "Missing")
    assert "drift" not in tenant["status"]
    let_surveys_pass(system, 2)
    assert containers_of(docker_engine, name) == []
    system.delete(name)


def test_a_paused_tenant_is_left_alone_whatever_is_done_to_it(
    system: System, name: str, docker_engine: docker.DockerClient, web_image: str
) -> None:
    spec = web(web_image)
    system.apply(name, spec)
    system.until(name, "Ready", "True")
    system.apply(name, spec | {"management": {"mode": "Paused"}})
    tenant = system.until(name, "Paused", "True")
    assert "ComputeHealthy" not in conditions(tenant), "it is not looked at"
    (container,) = containers_of(docker_engine, name)
    remove(docker_engine, container)
    # So that there are surveys at all.
    system.apply(f"{name}-other", spec)
    system.until(f"{name}-other", "Ready", "True")
    let_surveys_pass(system, 3)
    assert system.tenant(name)["metadata"]["resourceVersion"] == tenant["metadata"]["resourceVersion"]
    assert containers_of(docker_engine, name) == []

    system.apply(name, spec)
    tenant = system.until(name, "Ready", "True")
    assert conditions(tenant)["ComputeHealthy"] == ("True", "Healthy")
    assert len(containers_of(docker_engine, name)) == 1
    system.delete(name, f"{name}-other")


def test_without_the_worker_nothing_is_known_of_tenants_and_nothing_else_is_said(
    new_landlord: Landlord, name: str, docker_engine: docker.DockerClient, web_image: str
) -> None:
    system = new_landlord(LANDLORD_SURVEY_SECONDS=OFTEN)
    system.start()
    system.apply(name, web(web_image))
    before = system.until(name, "Ready", "True")
    containers = containers_of(docker_engine, name)
    system.worker.stop()
    tenant = system.until(name, "ComputeHealthy", "Unknown", reason="NotSurveyed")
    assert conditions(tenant)["Ready"] == ("True", "Provisioned")
    let_surveys_pass(system, 3, outcome="failed")
    assert conditions(system.tenant(name))["ComputeHealthy"] == ("Unknown", "NotSurveyed")

    system.worker.start()
    tenant = system.until(name, "ComputeHealthy", "True")
    assert workflow(tenant) == workflow(before)
    assert containers_of(docker_engine, name) == containers
    assert told(system, name) == ["Normal Provisioned"]


def test_tenants_that_a_restarted_worker_does_not_know_are_made_again(
    new_landlord: Landlord, name: str
) -> None:
    system = new_landlord(LANDLORD_SURVEY_SECONDS=OFTEN)
    system.start()
    tenants = [f"{name}-{number}" for number in range(10)]
    system.apply_all({each: memory() for each in tenants})
    system.until_all(tenants, "Ready", "True")
    system.worker.kill()
    system.worker.start()
    for each in tenants:
        tenant = repaired(system, each)
        gone = "Repaired: None of the tenant's objects exist on backend memory"
        assert message(tenant, "Provisioned") == gone
    assert total(system.operator.url, "landlord_drift_total", action="repair") == len(tenants)


def test_a_tenant_that_is_changed_again_and_again_is_repaired_more_and_more_rarely(
    system: System, name: str, docker_engine: docker.DockerClient, web_image: str
) -> None:
    system.apply(name, web(web_image))
    system.until(name, "Ready", "True")
    stop(docker_engine, *containers_of(docker_engine, name))
    repaired(system, name)
    again = time.monotonic()
    stop(docker_engine, *containers_of(docker_engine, name))
    system.until(name, "Ready", "False", reason="Unhealthy")

    def reported() -> Tenant:
        tenant = system.tenant(name)
        items = tenant["status"].get("drift", {}).get("items")
        assert items == [f"container landlord-{name}: it was stopped"]
        return tenant

    tenant = eventually(reported, what="the drift is reported")
    assert "landlord repaired it moments ago, and does so again at" in message(tenant, "Ready")
    repaired(system, name, attempt=3)
    assert time.monotonic() - again > 15
    system.delete(name)


def test_settled_tenants_cost_no_write_however_often_they_are_looked_at(
    new_landlord: Landlord, control_plane: ControlPlane, name: str
) -> None:
    system = new_landlord(LANDLORD_SURVEY_SECONDS="0.2")
    system.operator.settings["KUBECONFIG"] = str(
        account(control_plane, system.namespace, "operator", OPERATOR_RULES)
    )
    system.start()
    # A Tenant that waits for the first registration is told so by an Event of its own.
    system.until_registered()
    tenants = [f"{name}-{number}" for number in range(20)]
    system.apply_all({each: memory() for each in tenants})
    system.until_all(tenants, "Ready", "True")
    for each in tenants:
        until_told(system, each, "Normal Provisioned")
    before = len(list(writes_of(control_plane, system.namespace, "operator")))
    worked = total(system.operator.url, "landlord_reconcile_total")
    let_surveys_pass(system, 20)
    assert len(list(writes_of(control_plane, system.namespace, "operator"))) == before
    assert total(system.operator.url, "landlord_reconcile_total") == worked, "not even a thought"

"""The workflow is always registered: whatever becomes of Restate's store or of the worker, work goes on."""

import json
import urllib.request
from typing import Any

import docker
import pytest
from tests.support.containers import containers_of
from tests.support.metrics import total
from tests.support.polling import eventually
from tests.support.session import Session
from tests.support.specs import memory, web
from tests.support.status import conditions, kstatus, message, workflow
from tests.support.system import Landlord, System

from landlord.controller.sweep import BAD_NEWS_SECONDS
from landlord.dev.net import free_ports, request
from landlord.dev.programs import worker

SOMEBODY_ELSES_KEY = "publickeyv1_w7YHemBctH5Ck2nQRQ47iBBqhNHy4FV7t2Usbye2A6f"


@pytest.fixture(scope="module")
def system(new_landlord: Landlord) -> System:
    system = new_landlord()
    system.start()
    return system


def lost(system: System, cause: str) -> float:
    return total(system.operator.url, "landlord_registration_lost_total", cause=cause)


def repaired(system: System) -> float:
    return total(system.operator.url, "landlord_registration_repair_seconds_count")


def asked(url: str) -> dict[str, Any]:
    """What the URL answers, as JSON; empty if it answers no."""
    answer = request(url)
    assert answer is not None
    found: dict[str, Any] = json.loads(answer[1]) if answer[0] == 200 else {}
    return found


def deployment(system: System) -> dict[str, Any]:
    """The worker that Restate runs the workflow on; empty if it does not know it."""
    admin = system.restate.admin_url
    service = asked(f"{admin}/services/TenantProvisioning")
    return asked(f"{admin}/deployments/{service['deployment_id']}") if service else {}


@pytest.mark.parametrize("data", ["wiped", "kept"])
def test_restate_comes_back_and_unfinished_tenants_finish_while_settled_ones_are_left_alone(
    system: System, name: str, data: str, docker_engine: docker.DockerClient, web_image: str
) -> None:
    settled = {f"{name}-settled": memory(ports=1), f"{name}-web": web(web_image)}
    slow = {f"{name}-slow-{n}": memory(MEMORY_DELAY="6") for n in range(3)}
    starting = {f"{name}-starting": web(web_image, START_DELAY="6")}
    system.apply_all(settled)
    system.until_all(settled, "Ready", "True")
    system.apply_all(slow | starting)
    eventually(lambda: all("step" in workflow(system.tenants()[each]) for each in slow | starting))
    made = eventually(lambda: containers_of(docker_engine, f"{name}-starting"))
    versions = {each: system.tenant(each)["metadata"]["resourceVersion"] for each in settled}
    containers = containers_of(docker_engine, f"{name}-web")
    losses, repairs = lost(system, "store_lost"), repaired(system)

    if data == "wiped":
        system.restate.wipe()
    else:
        system.restate.kill()
    system.restate.start()
    system.until_all([*slow, *starting], "Ready", "True")

    assert lost(system, "store_lost") - losses == repaired(system) - repairs == (data == "wiped")
    assert {each: system.tenant(each)["metadata"]["resourceVersion"] for each in settled} == versions
    assert containers_of(docker_engine, f"{name}-web") == containers
    assert containers_of(docker_engine, f"{name}-starting") == made
    tenants = system.tenants()
    assert {workflow(tenants[each])["attempt"] for each in slow} == {1}
    system.delete(*settled, *slow, *starting)
    assert (
        containers_of(docker_engine, f"{name}-web") == containers_of(docker_engine, f"{name}-starting") == []
    )


def test_a_deployment_that_somebody_removed_is_registered_again(system: System, name: str) -> None:
    losses = lost(system, "deployment_deleted")
    url = f"{system.restate.admin_url}/deployments/{deployment(system)['id']}?force=true"
    urllib.request.urlopen(urllib.request.Request(url, method="DELETE"), timeout=5).close()
    system.apply(name, memory())
    system.until(name, "Ready", "True")
    assert lost(system, "deployment_deleted") - losses == 1
    system.delete(name)


def test_another_worker_that_somebody_registered_is_replaced_by_ours(
    system: System, session: Session, name: str
) -> None:
    losses = lost(system, "superseded")
    (port,) = free_ports(1)
    other = worker(session.folder("other"), mark=session.mark, port=port, settings=system.worker.settings)
    other.start()
    request(f"{system.restate.admin_url}/deployments", json_body=json.dumps({"uri": other.url}))
    assert deployment(system)["uri"].startswith(other.url)

    eventually(lambda: deployment(system)["uri"].startswith(system.worker.url), what="ours is back")
    assert lost(system, "superseded") - losses == 1
    other.stop()
    system.apply(name, memory())
    system.until(name, "Ready", "True")
    system.delete(name)


def test_a_changed_worker_is_registered_again_and_serves_what_it_could_not_before(
    new_landlord: Landlord, name: str, web_image: str
) -> None:
    system = new_landlord(LANDLORD_BACKENDS="memory")
    system.start()
    system.apply(name, web(web_image))
    system.until(name, "Accepted", "False", reason="UnknownBackend")
    system.worker.stop()
    system.worker.settings["LANDLORD_BACKENDS"] = "memory,docker"
    system.worker.start()
    ready = system.until(name, "Ready", "True")
    assert ready["status"]["registration"]["revision"] == asked(f"{system.worker.url}/healthz")["revision"]
    system.delete(name)
    system.stop()


def test_a_worker_that_refuses_restate_s_signature_is_hopeless_until_it_changes(
    system: System, name: str
) -> None:
    right = system.worker.settings["LANDLORD_RESTATE_IDENTITY_KEYS"]
    system.worker.stop()
    system.restate.wipe()
    system.worker.settings["LANDLORD_RESTATE_IDENTITY_KEYS"] = SOMEBODY_ELSES_KEY
    system.worker.start()
    system.restate.start()
    system.apply(name, memory())
    tenant = system.until(name, "Stalled", "True", reason="RegistrationRejected")
    assert kstatus(tenant) == "Failed"
    assert conditions(tenant)["WorkflowRegistered"] == ("False", "RegistrationRejected")
    assert "set the worker's LANDLORD_RESTATE_IDENTITY_KEYS" in message(tenant, "Ready")

    system.worker.stop()
    system.worker.settings["LANDLORD_RESTATE_IDENTITY_KEYS"] = right
    system.worker.start()
    assert "Stalled" not in conditions(system.until(name, "Ready", "True"))
    system.delete(name)


def test_an_outage_of_restate_that_lasts_is_told_to_settled_tenants_which_stay_ready(
    system: System, name: str
) -> None:
    system.apply(name, memory())
    system.until(name, "Ready", "True")
    system.restate.stop()
    tenant = system.until(
        name, "WorkflowRegistered", "Unknown", reason="EngineUnreachable", timeout=BAD_NEWS_SECONDS + 20
    )
    assert conditions(tenant)["Ready"] == ("True", "Provisioned")
    assert kstatus(tenant) == "Current"
    system.restate.start()
    system.delete(name)

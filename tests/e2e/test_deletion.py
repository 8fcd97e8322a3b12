"""What keeps a deleted Tenant from being deprovisioned, with either engine and across restarts."""

from datetime import UTC, datetime
from typing import Any

import docker
import pytest
from tests.support.containers import containers_of
from tests.support.events import events, reasons
from tests.support.polling import eventually, steadily
from tests.support.specs import Spec, memory, web
from tests.support.status import conditions, kstatus, message
from tests.support.system import Landlord, System

PROTECTED = {"protected": True}
RETAIN = {"policy": "Retain"}


@pytest.fixture(params=[{}, {"LANDLORD_ENGINE": "local"}], ids=["restate", "local"], scope="module")
def own_landlord(request: pytest.FixtureRequest, new_landlord: Landlord) -> System:
    """One whose operator may be killed."""
    system = new_landlord(**request.param)
    system.start()
    return system


def with_deletion(spec: Spec, **deletion: Any) -> Spec:
    return spec | {"deletion": deletion}


def ready(system: System, name: str, **deletion: Any) -> None:
    system.apply(name, with_deletion(memory(ports=1), **deletion))
    system.until(name, "Ready", "True")


def delete(system: System, name: str) -> None:
    system.delete(name, timeout=0)


def change(system: System, name: str, patch: str) -> None:
    system.kubectl("patch", "tenant", name, "-n", system.namespace, "--type=merge", "-p", patch)


def gone(system: System, name: str) -> bool:
    return name not in system.tenants()


def restart(system: System) -> None:
    system.operator.kill()
    system.operator.start()


def held(system: System, name: str, reason: str) -> None:
    tenant = system.until(name, "DeletionHeld", "True", reason=reason)
    assert conditions(tenant)["Ready"] == ("True", "Provisioned")
    assert tenant["status"]["phase"] == "DeletionHeld"
    assert kstatus(tenant) == "Terminating"


def test_a_protected_tenant_outlives_its_deletion_and_a_restart(own_landlord: System, name: str) -> None:
    ready(own_landlord, name, **PROTECTED)
    delete(own_landlord, name)
    held(own_landlord, name, "Protected")

    def told() -> list[str]:
        return reasons(own_landlord.kubectl, own_landlord.namespace, "Tenant", name)[:2]

    eventually(lambda: told() == ["Normal Provisioned", "Warning Protected"], what="the Events")
    restart(own_landlord)
    steadily(lambda: "DeletionHeld" in conditions(own_landlord.tenant(name)), seconds=2)
    held(own_landlord, name, "Protected")
    assert "spec.deletion.protected to false" in message(own_landlord.tenant(name), "DeletionHeld")

    change(own_landlord, name, '{"spec":{"deletion":{"protected":false}}}')
    eventually(lambda: gone(own_landlord, name))


def test_a_retained_tenant_goes_what_runs_stays_and_the_next_of_its_kind_takes_it_over(
    any_landlord: System, name: str, docker_engine: docker.DockerClient, web_image: str
) -> None:
    spec = with_deletion(web(web_image), **RETAIN)
    any_landlord.apply(name, spec)
    made = any_landlord.until(name, "Ready", "True")["status"]["resources"]
    running = containers_of(docker_engine, name)
    any_landlord.delete(name)
    assert containers_of(docker_engine, name) == running

    about = eventually(lambda: events(any_landlord.kubectl, any_landlord.namespace, "Tenant", name)[1:])
    logged = [line for line in any_landlord.operator.logs() if line.get("message", "").startswith("Retained")]
    assert (about[0]["type"], about[0]["reason"]) == ("Normal", "Retained")
    for resource in made:
        named = f"{resource['kind']} {resource['name']}"
        assert named in about[0]["note"]
        assert any(named in line["message"] for line in logged)

    any_landlord.apply(name, web(web_image))
    any_landlord.until(name, "Ready", "True")
    assert containers_of(docker_engine, name) == running
    any_landlord.delete(name)
    assert containers_of(docker_engine, name) == []


def test_a_retained_tenant_goes_without_restate_too(own_landlord: System, name: str) -> None:
    ready(own_landlord, name, **RETAIN)
    own_landlord.restate.stop()
    own_landlord.delete(name)
    own_landlord.start()


def test_a_grace_period_is_counted_from_the_deletion_whatever_happens_to_the_operator(
    own_landlord: System, name: str
) -> None:
    ready(own_landlord, name, gracePeriod="20s")
    delete(own_landlord, name)
    held(own_landlord, name, "GracePeriod")
    asked = datetime.fromisoformat(own_landlord.tenant(name)["metadata"]["deletionTimestamp"])
    for _ in range(2):
        steadily(lambda: not gone(own_landlord, name), seconds=3)
        restart(own_landlord)
    restarted = datetime.now(UTC)

    def gone_when() -> datetime | None:
        return datetime.now(UTC) if gone(own_landlord, name) else None

    went = eventually(gone_when)
    assert (went - asked).total_seconds() >= 20
    assert (went - restarted).total_seconds() < 18, "it was not counted from the last restart"


def test_a_grace_period_can_be_cut_short_or_end_in_keeping_what_runs(any_landlord: System, name: str) -> None:
    for patch in ('{"gracePeriod":"0s"}', '{"policy":"Retain"}'):
        ready(any_landlord, name, gracePeriod="72h")
        delete(any_landlord, name)
        held(any_landlord, name, "GracePeriod")
        change(any_landlord, name, f'{{"spec":{{"deletion":{patch}}}}}')
        eventually(lambda: gone(any_landlord, name))


def test_a_backend_that_is_gone_for_good_is_given_up_by_force_and_what_is_left_is_told(
    new_landlord: Landlord, name: str
) -> None:
    system = new_landlord()
    system.start()
    ready(system, name)
    system.worker.settings["LANDLORD_BACKENDS"] = "docker"
    system.worker.restart()
    delete(system, name)
    system.until(name, "Stalled", "True", reason="Deleting")
    assert "set spec.deletion.force to true" in message(system.tenant(name), "Ready")
    restart(system)
    steadily(lambda: not gone(system, name), seconds=2)

    change(system, name, '{"spec":{"deletion":{"force":true}}}')
    eventually(lambda: gone(system, name))

    def told() -> bool:
        seen = events(system.kubectl, system.namespace, "Tenant", name)[-1]
        assert (seen["type"], seen["reason"]) == ("Warning", "LeftBehind")
        assert f"These may still exist: memory {name} on memory" in seen["note"]
        return True

    eventually(told)
    (logged,) = (line for line in system.operator.logs() if line["message"].startswith("LeftBehind"))
    assert (logged["severity"], f"memory {name} on memory" in logged["message"]) == ("WARNING", True)

"""The registration in a real Restate, whatever happens to Restate and the worker."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from typing import get_args

import pytest
from prometheus_client import REGISTRY
from tests.integration.restate.parts import RunningEngine, ScriptedWorker, request, running
from tests.support.polling import eventually_async
from tests.support.session import Session

from landlord.api.names import WORKFLOW_SERVICE
from landlord.dev.restate import RestateServer
from landlord.engines.restate import probe
from landlord.engines.restate.admin import Admin
from landlord.engines.restate.http import HttpClient
from landlord.engines.restate.keeper import SETTLED_SECONDS, Trigger
from landlord.engines.restate.seen import WorkerAway
from landlord.errors import EngineUnreachable, InvocationLost

SOME_KEY = "publickeyv1_2G8dCQhArfvGpzPw5Vx2ALciR4xCLHfS5YaT93XjNxX9"


def sample(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"landlord_registration_{name}", labels) or 0.0


def attempts() -> float:
    outcomes = ("verified", "unverified", "rejected", "worker_unreachable", "engine_unreachable")
    return sum(sample("attempts_total", outcome=outcome) for outcome in outcomes)


async def test_first_start(restate: RestateServer, worker: ScriptedWorker) -> None:
    async with running(restate, worker) as engine:
        registration = await engine.until("Registered")
        assert engine.heard.reasons == ["NotRegistered", "Registered"]
        assert registration.status == "True"
        assert registration.message == f"Restate runs TenantProvisioning on the worker at {worker.url}"
        assert registration.backends == frozenset({"scripted"})
        assert registration.deployment_id
        assert registration.revision
        assert sample("up") == 1
        assert sample("last_verified_timestamp_seconds") > 0


async def test_a_second_operator_finds_the_registration_and_leaves_it(own_engine: RunningEngine) -> None:
    before = attempts()
    async with running(own_engine.restate, own_engine.worker) as other:
        assert await other.until("Registered") == own_engine.registration
    assert attempts() == before


async def test_restate_away_at_the_start(restate: RestateServer, worker: ScriptedWorker) -> None:
    await asyncio.to_thread(restate.stop)
    async with running(restate, worker) as engine:
        await engine.until("EngineUnreachable")
        assert engine.registration.status == "Unknown"
        await asyncio.to_thread(restate.start)
        await engine.until("Registered")


@pytest.mark.parametrize("how", ["restart", "kill"])
async def test_restate_restarted_with_its_data_keeps_the_registration(
    own_engine: RunningEngine, how: str
) -> None:
    before, attempted = own_engine.registration, attempts()
    await asyncio.to_thread(own_engine.restate.kill if how == "kill" else own_engine.restate.stop)
    await own_engine.until("EngineUnreachable")
    await asyncio.to_thread(own_engine.restate.start)
    assert await own_engine.until("Registered") == before
    assert attempts() == attempted
    assert "RegistrationLost" not in own_engine.heard.reasons


async def test_a_lost_store_is_called_lost_and_repaired(own_engine: RunningEngine, tenant: str) -> None:
    lost, repaired = sample("lost_total", cause="store_lost"), sample("repair_seconds_count")
    await asyncio.to_thread(own_engine.restate.wipe)
    await own_engine.until("EngineUnreachable")
    await asyncio.to_thread(own_engine.restate.start)
    await own_engine.until("Registered")
    assert own_engine.heard.reasons == [
        "NotRegistered",
        "Registered",
        "EngineUnreachable",
        "RegistrationLost",
        "Registered",
    ]
    assert sample("lost_total", cause="store_lost") == lost + 1
    assert sample("repair_seconds_count") == repaired + 1
    assert (await own_engine.perform(request(tenant))).result == "Succeeded"


async def test_a_store_lost_between_two_checks_is_noticed_by_the_held_connection(
    own_engine: RunningEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("landlord.engines.restate.keeper.SETTLED_SECONDS", (3600.0, 3600.0))
    before = sample("last_verified_timestamp_seconds")
    own_engine.kick()

    async def checked() -> bool:
        return sample("last_verified_timestamp_seconds") > before

    await eventually_async(checked, within=10)
    await asyncio.to_thread(own_engine.restate.wipe)
    await asyncio.to_thread(own_engine.restate.start)
    await own_engine.until("Registered")
    assert "RegistrationLost" in own_engine.heard.reasons


Provoke = Callable[[RunningEngine], Awaitable[object]]


async def restart_restate(engine: RunningEngine) -> None:
    await asyncio.to_thread(engine.restate.stop)
    await asyncio.to_thread(engine.restate.start)


async def restart_worker(engine: RunningEngine) -> None:
    await asyncio.to_thread(engine.worker.stop)
    await asyncio.to_thread(engine.worker.start)


async def call_without_registration(engine: RunningEngine) -> None:
    await remove_deployment(engine)
    await engine.perform(request(f"tenant-{uuid.uuid4().hex[:8]}"))


async def say_that_pods_changed(engine: RunningEngine) -> None:
    engine.kick()


@pytest.mark.parametrize(
    ("trigger", "provoke"),
    [
        ("restate", restart_restate),
        ("worker", restart_worker),
        ("ingress", call_without_registration),
        ("pods", say_that_pods_changed),
    ],
)
async def test_a_check_is_counted_by_what_led_to_it(
    own_engine: RunningEngine, trigger: str, provoke: Provoke
) -> None:
    before = sample("checks_total", trigger=trigger)
    await provoke(own_engine)

    async def counted() -> bool:
        return sample("checks_total", trigger=trigger) > before

    await eventually_async(counted, within=5)


async def test_nothing_but_the_interval_leads_to_a_check_when_all_is_well(own_engine: RunningEngine) -> None:
    before = {trigger: sample("checks_total", trigger=trigger) for trigger in get_args(Trigger)}
    await asyncio.sleep(max(SETTLED_SECONDS) + 1)
    after = {trigger: sample("checks_total", trigger=trigger) for trigger in get_args(Trigger)}
    assert after == before | {"interval": after["interval"]}
    assert 1 <= after["interval"] - before["interval"] <= 3


async def test_work_under_way_in_a_lost_store_is_called_lost_and_can_be_submitted_again(
    own_engine: RunningEngine, tenant: str
) -> None:
    own_engine.worker.script(tenant, container={"sleep": 60})
    call = asyncio.create_task(own_engine.perform(request(tenant)))
    await own_engine.until_progress(request(tenant), "Running")
    await asyncio.to_thread(own_engine.restate.wipe)
    await asyncio.to_thread(own_engine.restate.start)
    with pytest.raises(InvocationLost):
        await asyncio.wait_for(call, 5)
    await own_engine.until("Registered")
    own_engine.worker.script(tenant, container={})
    assert (await own_engine.perform(request(tenant))).result == "Succeeded"


async def test_another_worker_that_took_over_is_superseded_again(
    own_engine: RunningEngine, session: Session
) -> None:
    lost = sample("lost_total", cause="superseded")
    other = ScriptedWorker(session.folder("other-worker"), session.mark)
    await asyncio.to_thread(other.start)
    http = HttpClient("Restate", own_engine.restate.admin_url)
    await Admin(http).register(other.url, "whatever")
    own_engine.kick()
    await own_engine.until("Superseded")
    assert f"Restate runs TenantProvisioning on the worker at {other.url}/" in own_engine.registration.message
    await own_engine.until("Registered")
    latest = await Admin(http).latest(WORKFLOW_SERVICE)
    assert latest is not None
    assert latest.uri == f"{own_engine.worker.url}/"
    assert sample("lost_total", cause="superseded") == lost + 1
    await http.close()
    await asyncio.to_thread(other.kill)


async def remove_deployment(engine: RunningEngine) -> None:
    http = HttpClient("Restate", engine.restate.admin_url)
    answer = await http.request("DELETE", f"/deployments/{engine.registration.deployment_id}?force=true")
    assert answer.status == 202
    await http.close()


async def test_a_deployment_removed_by_hand_is_registered_again(own_engine: RunningEngine) -> None:
    lost = sample("lost_total", cause="deployment_deleted")
    await remove_deployment(own_engine)
    own_engine.kick()
    await own_engine.until("RegistrationLost")
    await own_engine.until("Registered")
    assert sample("lost_total", cause="deployment_deleted") == lost + 1


async def test_a_loss_that_a_call_runs_into_is_repaired_before_the_call_gives_up(
    own_engine: RunningEngine, tenant: str
) -> None:
    await remove_deployment(own_engine)
    assert (await own_engine.perform(request(tenant))).result == "Succeeded"
    assert own_engine.heard.reasons[-2:] == ["RegistrationLost", "Registered"]


async def test_a_changed_worker_at_the_same_url_is_registered_again_and_nothing_counts_as_lost(
    own_engine: RunningEngine,
) -> None:
    before, lost = own_engine.registration, sample("lost_total", cause="superseded")
    await asyncio.to_thread(own_engine.worker.stop)
    await asyncio.to_thread(own_engine.worker.start, backends="scripted,second")
    await own_engine.until("Superseded")
    after = await own_engine.until("Registered")
    assert after.deployment_id == before.deployment_id
    assert after.revision != before.revision
    assert after.backends == frozenset({"scripted", "second"})
    assert sample("lost_total", cause="superseded") == lost


async def test_the_worker_is_away_and_comes_back(own_engine: RunningEngine) -> None:
    before, attempted = own_engine.registration, attempts()
    await asyncio.to_thread(own_engine.worker.kill)
    away = await own_engine.until("WorkerUnreachable")
    assert (away.status, away.deployment_id) == ("False", before.deployment_id)
    assert away.message == (
        f"the worker at {own_engine.worker.url} can't be reached: connection refused or broken; "
        "start it, or check LANDLORD_WORKER_URL"
    )
    await asyncio.to_thread(own_engine.worker.start)
    assert await own_engine.until("Registered") == before
    assert attempts() == attempted


async def test_a_service_of_another_type_is_rejected_once_and_accepted_when_it_has_changed(
    restate: RestateServer, worker: ScriptedWorker, session: Session
) -> None:
    http = HttpClient("Restate", restate.admin_url)
    await Admin(http).register(worker.url, "whatever")
    await http.close()
    other = ScriptedWorker(session.folder("other-worker"), session.mark)
    await asyncio.to_thread(other.start, kind="plain-service")
    async with running(restate, other) as engine:
        rejected = await engine.until("RegistrationRejected")
        assert rejected.status == "False"
        assert "(META0006); a service of another type has that name" in rejected.message
        attempted = attempts()
        for _ in range(3):
            await engine._keeper.check()
        assert attempts() == attempted, "what is hopeless must not be tried again and again"
        assert engine.registration == rejected
        await asyncio.to_thread(other.kill)
        await asyncio.to_thread(other.start)
        await engine.until("Registered")
    await asyncio.to_thread(other.kill)


async def test_a_worker_that_refuses_restates_signature(
    restate: RestateServer, worker: ScriptedWorker
) -> None:
    await asyncio.to_thread(worker.stop)
    await asyncio.to_thread(worker.start, identity_key=SOME_KEY)
    async with running(restate, worker) as engine:
        rejected = await engine.until("RegistrationRejected")
        assert "set the worker's LANDLORD_RESTATE_IDENTITY_KEYS" in rejected.message
        await asyncio.to_thread(worker.stop)
        await asyncio.to_thread(worker.start)
        await engine.until("Registered")


async def test_a_worker_url_where_something_else_answers(restate: RestateServer) -> None:
    http = HttpClient("the worker", restate.admin_url)
    assert await probe.look(http) == WorkerAway(
        f"what answers at {restate.admin_url}/healthz (HTTP 404) is not a landlord worker; "
        "check LANDLORD_WORKER_URL"
    )
    await http.close()


async def test_an_ingress_url_given_as_admin_url_is_not_taken_for_a_lost_registration(
    restate: RestateServer,
) -> None:
    http = HttpClient("Restate's admin API", restate.ingress_url)
    with pytest.raises(EngineUnreachable, match="answered 404: "):
        await Admin(http).latest(WORKFLOW_SERVICE)
    await http.close()

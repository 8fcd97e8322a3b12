"""How changes of the registration are noticed, and what is said of it; what can happen is in the table."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from typing import get_args

import pytest
from prometheus_client import REGISTRY
from tests.integration.restate.parts import RunningEngine, ScriptedWorker, request, running
from tests.support.polling import eventually_async

from dev.restate import RestateServer
from landlord.api.names import WORKFLOW_SERVICE
from landlord.engines.restate import probe
from landlord.engines.restate.admin import Admin
from landlord.engines.restate.http import HttpClient
from landlord.engines.restate.keeper import SETTLED_SECONDS, Trigger
from landlord.engines.restate.seen import WorkerAway
from landlord.errors import EngineUnreachable, InvocationLost
from landlord.metrics import LEADER


def sample(name: str, **labels: str) -> float:
    values = [
        registry.get_sample_value(f"landlord_registration_{name}", labels) for registry in (REGISTRY, LEADER)
    ]
    return next((value for value in values if value is not None), 0.0)


async def test_a_registration_says_what_is_registered(restate: RestateServer, worker: ScriptedWorker) -> None:
    async with running(restate, worker) as engine:
        registration = await engine.until("Registered")
        assert registration.status == "True"
        assert registration.message == f"Restate runs TenantProvisioning on the worker at {worker.url}"
        assert registration.backends == frozenset({"scripted"})
        assert registration.deployment_id
        assert registration.revision
        assert sample("last_verified_timestamp_seconds") > 0


async def test_a_store_lost_between_two_checks_is_noticed_by_the_held_connection(
    own_engine: RunningEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("landlord.engines.restate.keeper.SETTLED_SECONDS", (3600.0, 3600.0))
    before = sample("last_verified_timestamp_seconds")
    own_engine.kick()

    async def checked() -> bool:
        return sample("last_verified_timestamp_seconds") > before

    await eventually_async(checked)
    await asyncio.to_thread(own_engine.restate.wipe)
    await asyncio.to_thread(own_engine.restate.start)
    await own_engine.until("Registered")
    assert "RegistrationLost" in own_engine.heard.reasons


Provoke = Callable[[RunningEngine], Awaitable[object]]


@pytest.fixture
def patient_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine a repair may take longer than a call waits for it."""
    monkeypatch.setattr("landlord.engines.restate.engine.SETTLING_SECONDS", (0.1,) * 600)


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
@pytest.mark.usefixtures("patient_calls")
async def test_a_check_is_counted_by_what_led_to_it(
    own_engine: RunningEngine, trigger: str, provoke: Provoke
) -> None:
    before = sample("checks_total", trigger=trigger)
    await provoke(own_engine)

    async def counted() -> bool:
        return sample("checks_total", trigger=trigger) > before

    await eventually_async(counted)


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


async def remove_deployment(engine: RunningEngine) -> None:
    http = HttpClient("Restate", engine.restate.admin_url)
    answer = await http.request("DELETE", f"/deployments/{engine.registration.deployment_id}?force=true")
    assert answer.status == 202
    await http.close()


@pytest.mark.usefixtures("patient_calls")
async def test_a_loss_that_a_call_runs_into_is_repaired_before_the_call_gives_up(
    own_engine: RunningEngine, tenant: str
) -> None:
    await remove_deployment(own_engine)
    assert (await own_engine.perform(request(tenant))).result == "Succeeded"
    await own_engine.until("Registered")
    assert own_engine.heard.reasons[-2:] == ["RegistrationLost", "Registered"]


async def test_a_changed_worker_at_the_same_url_keeps_its_deployment(own_engine: RunningEngine) -> None:
    before = own_engine.registration
    await asyncio.to_thread(own_engine.worker.stop)
    await asyncio.to_thread(own_engine.worker.start, backends="scripted,second")
    await own_engine.until("Superseded")
    after = await own_engine.until("Registered")
    assert after.deployment_id == before.deployment_id
    assert after.revision != before.revision
    assert after.backends == frozenset({"scripted", "second"})


async def test_a_worker_url_where_something_else_answers(restate: RestateServer) -> None:
    http = HttpClient("the worker", restate.admin_url)
    assert await probe.observe_worker(http) == WorkerAway(
        f"the server at {restate.admin_url}/healthz (HTTP 404) is not a landlord worker\n"
        "Fix: check LANDLORD_WORKER_URL."
    )
    await http.close()


async def test_an_ingress_url_given_as_admin_url_is_not_taken_for_a_lost_registration(
    restate: RestateServer,
) -> None:
    http = HttpClient("Restate's admin API", restate.ingress_url)
    with pytest.raises(EngineUnreachable, match="answered 404: "):
        await Admin(http).latest(WORKFLOW_SERVICE)
    await http.close()

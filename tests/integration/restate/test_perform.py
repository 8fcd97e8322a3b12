"""Work that is submitted to a real Restate and run by a real worker."""

import asyncio
import time

import pytest
from tests.integration.restate.parts import RunningEngine, ScriptedWorker, request, running
from tests.support.polling import eventually_async

from dev.restate import RestateServer
from landlord.api.names import WORKFLOW_SERVICE
from landlord.engines.restate.http import HttpClient
from landlord.errors import EngineUnreachable, NotRegistered, RequestRejected


async def test_short_work_is_answered_by_the_request_itself(engine: RunningEngine, tenant: str) -> None:
    outcome = await engine.perform(request(tenant))
    assert outcome.result == "Succeeded"
    assert [resource.kind for resource in outcome.made.resources] == ["network", "container", "health"]
    assert engine.heard.progress == []


async def test_the_same_request_again_gives_the_same_outcome_and_runs_nothing(
    engine: RunningEngine, tenant: str
) -> None:
    first = await engine.perform(request(tenant))
    assert await engine.perform(request(tenant)) == first
    assert len(engine.worker.ran(tenant)) == 3


async def test_long_work_is_let_go_and_ends_with_its_outcome_and_progress(
    engine: RunningEngine, tenant: str
) -> None:
    engine.worker.script(tenant, network={}, container={"sleep": 5}, health={})
    outcome = await engine.perform(request(tenant))
    assert outcome.result == "Succeeded"
    progress = engine.heard.latest(request(tenant))
    assert progress is not None
    assert (progress.sub_state, progress.step, progress.step_number, progress.total_steps) == (
        "Running",
        "container",
        2,
        3,
    )
    assert progress.last_error is None
    assert engine.worker.ran(tenant) == ["network", "container", "health"]


async def test_a_cancelled_call_leaves_the_work_alone_and_a_further_one_attaches_to_it(
    engine: RunningEngine, tenant: str
) -> None:
    engine.worker.script(tenant, container={"sleep": 3})
    call = asyncio.create_task(engine.perform(request(tenant)))
    await asyncio.sleep(1.5)
    call.cancel()
    assert (await engine.perform(request(tenant))).result == "Succeeded"
    assert engine.worker.ran(tenant) == ["container"]


async def test_a_failing_step_is_shown_with_its_attempt_next_retry_and_error(
    engine: RunningEngine, tenant: str
) -> None:
    engine.worker.script(tenant, network={}, container={"error": "no room left\nfor it"})
    call = asyncio.create_task(engine.perform(request(tenant)))
    progress = await engine.until_progress(request(tenant), "BackingOff")
    assert (progress.step, progress.step_number, progress.total_steps) == ("container", 2, 2)
    assert progress.last_error == "Unexpected: RuntimeError: no room left"
    assert progress.attempt > 1
    assert progress.next_retry is not None
    assert progress.invocation_id is not None
    engine.worker.script(tenant, network={}, container={})
    assert (await call).result == "Succeeded"


@pytest.mark.parametrize("how", ["kill", "stop"])
async def test_work_under_way_outlives_a_restart_of_restate(
    own_engine: RunningEngine, how: str, tenant: str
) -> None:
    own_engine.worker.script(tenant, network={}, container={"sleep": 4})
    call = asyncio.create_task(own_engine.perform(request(tenant)))
    await own_engine.until_progress(request(tenant), "Running")
    await asyncio.to_thread(own_engine.restate.kill if how == "kill" else own_engine.restate.stop)
    await own_engine.until("EngineUnreachable")
    with pytest.raises(EngineUnreachable, match=r"admin API at http://127.0.0.1:\d+ can't be reached"):
        await own_engine.perform(request("other"))
    await asyncio.to_thread(own_engine.restate.start)
    assert (await call).result == "Succeeded"
    assert own_engine.worker.ran(tenant).count("network") == 1


async def test_work_under_way_outlives_a_restart_of_the_worker(
    own_engine: RunningEngine, tenant: str
) -> None:
    own_engine.worker.script(tenant, network={}, container={"sleep": 5})
    call = asyncio.create_task(own_engine.perform(request(tenant)))
    await own_engine.until_progress(request(tenant), "Running")
    await asyncio.to_thread(own_engine.worker.kill)
    await own_engine.until("WorkerUnreachable")
    await asyncio.to_thread(own_engine.worker.start)
    assert (await call).result == "Succeeded"
    assert own_engine.worker.ran(tenant).count("network") == 1


async def test_before_there_is_a_registration_work_is_refused_with_its_message(
    restate: RestateServer, worker: ScriptedWorker, tenant: str
) -> None:
    await asyncio.to_thread(worker.stop)
    async with running(restate, worker) as engine:
        await engine.until("WorkerUnreachable")
        with pytest.raises(NotRegistered, match=f"the worker at {worker.url} can't be reached"):
            await engine.perform(request(tenant))


async def test_two_hundred_calls_of_two_seconds_run_at_once(own_engine: RunningEngine) -> None:
    tenants = [f"tenant-{number}" for number in range(200)]
    for tenant in tenants:
        own_engine.worker.script(tenant, container={"sleep": 2})
    began = time.monotonic()
    outcomes = await asyncio.gather(*(own_engine.perform(request(tenant)) for tenant in tenants))
    assert {outcome.result for outcome in outcomes} == {"Succeeded"}
    assert time.monotonic() - began < 60, "one after the other they would take 400 s"
    assert all(own_engine.worker.ran(tenant) == ["container"] for tenant in tenants)


async def test_more_long_calls_than_are_held_are_all_submitted_and_end(engine: RunningEngine) -> None:
    tenants = [f"tenant-{number}" for number in range(260)]
    for tenant in tenants:
        engine.worker.script(tenant, container={"sleep": 6})
    began = time.monotonic()
    outcomes = await asyncio.gather(*(engine.perform(request(tenant)) for tenant in tenants))
    assert {outcome.result for outcome in outcomes} == {"Succeeded"}
    assert time.monotonic() - began < 60


async def test_work_that_is_submitted_while_the_workflow_is_private_is_done(
    own_engine: RunningEngine, tenant: str
) -> None:
    admin = HttpClient("Restate", own_engine.restate.admin_url)
    await admin.request("PATCH", f"/services/{WORKFLOW_SERVICE}", body=b'{"public": false}')
    await admin.close()

    async def performed() -> bool:
        try:
            return (await own_engine.perform(request(tenant))).result == "Succeeded"
        except NotRegistered:  # which the control loop submits again
            return False

    await eventually_async(performed, what="the work is done")
    await own_engine.until("Registered")
    assert own_engine.heard.reasons[-2:] == ["NotPublic", "Registered"]


# Restate's limit is 32 MiB, which no object in Kubernetes has.
@pytest.mark.filterwarnings("ignore:Sending a large body directly:ResourceWarning")
async def test_a_request_that_is_too_large_for_restate_is_rejected_for_good(
    engine: RunningEngine, tenant: str
) -> None:
    large = request(tenant)
    assert large.desired is not None
    container = large.desired.workload.containers[0].model_copy(update={"args": ("x" * 34_000_000,)})
    workload = large.desired.workload.model_copy(update={"containers": (container,)})
    desired = large.desired.model_copy(update={"workload": workload})
    with pytest.raises(RequestRejected, match=r"length limit exceeded \(HTTP 413\)\nFix: make the spec"):
        await engine.perform(large.model_copy(update={"desired": desired}))


@pytest.mark.parametrize("tenant_id", ["a/b c?d#e", "ä%2F", "a'b"])
async def test_no_tenant_id_can_reach_another_path(engine: RunningEngine, tenant_id: str) -> None:
    outcome = await engine.perform(request(tenant_id))
    assert outcome.result == "Succeeded"
    assert outcome.made.resources[0].name == tenant_id
    assert await engine._ingress.output(request(tenant_id)) == outcome

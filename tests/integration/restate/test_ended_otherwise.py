"""Work that ends, or does not go on, for reasons outside of its steps."""

import asyncio
from typing import Any

import pytest
from tests.integration.restate.parts import RunningEngine, request
from tests.support.polling import eventually_async

from landlord.api.request import Operation, Request
from landlord.engines.restate.admin import Admin
from landlord.engines.restate.http import HttpClient
from landlord.engines.restate.invocations import read_invocations


@pytest.mark.parametrize(("verb", "code"), [("cancel", "Cancelled"), ("kill", "Killed")])
@pytest.mark.parametrize("followed", [False, True], ids=["held", "followed"])
async def test_ended_by_hand_is_a_failure_that_may_be_tried_again(
    engine: RunningEngine, admin: HttpClient, verb: str, code: str, followed: bool, tenant: str
) -> None:
    engine.worker.script(tenant, container={"sleep": 30})
    call = asyncio.create_task(engine.perform(request(tenant)))
    progress = await engine.until_progress(request(tenant), "Running")
    if followed:
        await asyncio.sleep(3)
    await admin.request("PATCH", f"/invocations/{progress.invocation_id}/{verb}")
    outcome = await asyncio.wait_for(call, 10)
    assert outcome.result == "Failed"
    assert outcome.failure is not None
    assert (outcome.failure.code, outcome.failure.retryable) == (code, True)
    engine.worker.script(tenant, container={})
    assert (await engine.perform(request(tenant, attempt=2))).result == "Succeeded"


async def test_paused_by_hand_is_shown_and_goes_on_when_resumed(
    engine: RunningEngine, admin: HttpClient, tenant: str
) -> None:
    engine.worker.script(tenant, container={"error": "no such image"})
    call = asyncio.create_task(engine.perform(request(tenant)))
    progress = await engine.until_progress(request(tenant), "BackingOff")
    await admin.request("PATCH", f"/invocations/{progress.invocation_id}/pause")
    paused = await engine.until_progress(request(tenant), "Paused")
    assert (paused.step, paused.last_error) == ("container", "Unexpected: RuntimeError: no such image")
    engine.worker.script(tenant, container={})
    await admin.request("PATCH", f"/invocations/{progress.invocation_id}/resume")
    assert (await call).result == "Succeeded"


async def test_a_worker_that_can_not_go_on_with_a_journal_ends_the_attempt(
    engine: RunningEngine, tenant: str
) -> None:
    engine.worker.script(tenant, network={}, container={"error": "no such image"})
    call = asyncio.create_task(engine.perform(request(tenant)))
    await engine.until_progress(request(tenant), "BackingOff")
    engine.worker.script(tenant, volume={}, container={})
    outcome = await asyncio.wait_for(call, 20)
    assert outcome.failure is not None
    assert (outcome.failure.code, outcome.failure.retryable) == ("JournalMismatch", True)
    assert outcome.invocation_id
    assert outcome.failure.message.startswith(
        "the worker was replaced while this workflow ran, and can't continue it: Found a mismatch"
    )
    assert (await engine.perform(request(tenant, attempt=2))).result == "Succeeded"


async def test_purged_work_is_run_again_under_the_same_name(
    engine: RunningEngine, admin: HttpClient, tenant: str
) -> None:
    engine.worker.script(tenant, container={"sleep": 4})
    call = asyncio.create_task(engine.perform(request(tenant)))
    progress = await engine.until_progress(request(tenant), "Running")
    assert (await call).result == "Succeeded"
    answer = await admin.request("PATCH", f"/invocations/{progress.invocation_id}/purge")
    assert answer.status == 200
    assert (await engine.perform(request(tenant))).result == "Succeeded"
    assert engine.worker.ran(tenant) == ["container", "container"]


async def have_patience(engine: RunningEngine) -> None:
    """Have a worker whose invocations wait an hour after they have lost it."""
    await asyncio.to_thread(engine.worker.stop)
    await engine.until("WorkerUnreachable")
    await asyncio.to_thread(engine.worker.start, backends="scripted,second", retry_seconds="3600")
    await engine.until("Registered")


async def lose_worker_while_running(engine: RunningEngine, work: Request) -> None:
    """Have that work interrupted; it is simple from then on."""
    engine.worker.script(work.tenant_id, network={}, container={"sleep": 60})
    call = asyncio.create_task(engine.perform(work))
    await engine.until_progress(work, "Running")
    await asyncio.to_thread(engine.worker.kill)
    waiting = await engine.until_progress(work, "BackingOff")
    assert waiting.step == "container"
    call.cancel()
    engine.worker.script(work.tenant_id, network={}, container={})


async def test_what_waited_for_the_worker_goes_on_as_soon_as_it_is_back(
    own_engine: RunningEngine, tenant: str
) -> None:
    await have_patience(own_engine)
    await lose_worker_while_running(own_engine, request(tenant))
    call = asyncio.create_task(own_engine._tracker.follow(request(tenant)))
    await asyncio.to_thread(own_engine.worker.start, backends="scripted,second", retry_seconds="3600")
    assert (await asyncio.wait_for(call, 30)).result == "Succeeded", "by itself it waits for an hour"


async def test_what_waits_for_its_next_try_hears_of_its_cancellation_at_once(
    own_engine: RunningEngine, tenant: str
) -> None:
    await have_patience(own_engine)
    old, new = request(tenant, generation=1), request(tenant, generation=2)
    await lose_worker_while_running(own_engine, old)
    await asyncio.to_thread(own_engine.worker.start, backends="scripted,second", retry_seconds="3600")
    await own_engine.until("Registered")
    assert (await asyncio.wait_for(own_engine.perform(new), 30)).result == "Succeeded"
    ended = await own_engine._ingress.output(old)
    assert ended is not None
    assert ended.failure is not None
    assert ended.failure.code == "Cancelled"


@pytest.mark.parametrize(
    ("operation", "meanwhile"), [("apply", "stopped"), ("delete", "failing"), ("delete", "not-found")]
)
async def test_what_restate_paused_while_the_worker_was_away_goes_on_when_it_is_back(
    own_engine: RunningEngine, tenant: str, operation: Operation, meanwhile: str
) -> None:
    """Restate can be configured to allow fewer tries than landlord asks for."""
    own_engine.restate.settings["RESTATE_MAX_RETRY_POLICY_MAX_ATTEMPTS"] = "3"
    await asyncio.to_thread(own_engine.restate.restart)
    await own_engine.until("Registered")
    slow, quick = {"sleep": 60}, dict[str, Any]()
    steps = ["remove"] if operation == "delete" else ["network", "container"]
    own_engine.worker.script(tenant, **dict.fromkeys(steps, slow))
    work = request(tenant, operation=operation)
    call = asyncio.create_task(own_engine.perform(work))
    running = await own_engine.until_progress(work, "Running")
    await asyncio.to_thread(own_engine.worker.kill)
    if meanwhile != "stopped":
        await asyncio.to_thread(own_engine.worker.start, kind=meanwhile)

    async def paused() -> bool:
        assert running.invocation_id is not None
        return await read_status(own_engine, running.invocation_id) == "paused"

    await eventually_async(paused, what="Restate pauses it")
    waiting = await own_engine.until_progress(work, "BackingOff")
    assert waiting.last_error is not None
    own_engine.worker.script(tenant, **dict.fromkeys(steps, quick))
    if meanwhile != "stopped":
        await asyncio.to_thread(own_engine.worker.kill)
    await asyncio.to_thread(own_engine.worker.start)
    assert (await asyncio.wait_for(call, 30)).result == "Succeeded"


async def read_status(engine: RunningEngine, invocation: str) -> str:
    """What Restate says about it."""
    client = HttpClient("Restate", engine.restate.admin_url)
    try:
        return (await read_invocations(Admin(client), [invocation]))[invocation].status
    finally:
        await client.close()

"""Newer work of a tenant that meets older work, in a real Restate."""

import asyncio
import contextlib

import pytest
from tests.integration.restate.parts import RunningEngine, request

from landlord.api.request import Request
from landlord.engines.restate.http import HttpClient
from landlord.errors import InvocationLost

BROKEN = {"error": "no such image"}
SOON = 15


@pytest.fixture
def old(tenant: str) -> Request:
    return request(tenant, generation=1, created=2)


@pytest.fixture
def new(tenant: str) -> Request:
    return request(tenant, generation=2, created=2)


async def stuck(engine: RunningEngine, work: Request) -> "asyncio.Task[object]":
    """Work that was begun and backs off."""
    engine.worker.script(work.tenant_id, container=BROKEN)
    call: asyncio.Task[object] = asyncio.create_task(engine.perform(work))
    await engine.until_progress(work, "BackingOff")
    return call


@pytest.mark.parametrize("whose", ["the same object", "another object"])
async def test_an_apply_that_backs_off_makes_way_for_newer_work(
    engine: RunningEngine, tenant: str, old: Request, new: Request, whose: str
) -> None:
    before = old if whose == "the same object" else request(tenant, uid="77aa", created=1)
    engine.worker.script(tenant, container=BROKEN)
    first = asyncio.create_task(engine.perform(before))
    await engine.until_progress(before, "BackingOff")
    second = asyncio.create_task(engine.perform(new))
    outcome = await asyncio.wait_for(first, SOON)
    engine.worker.script(tenant, container={})
    assert outcome.failure is not None
    assert (outcome.failure.code, outcome.failure.retryable) == ("Cancelled", True)
    assert (await asyncio.wait_for(second, SOON)).result == "Succeeded"


async def test_an_apply_that_backs_off_makes_way_for_a_delete(
    engine: RunningEngine, tenant: str, old: Request
) -> None:
    first = await stuck(engine, old)
    delete = request(tenant, generation=2, created=2, operation="delete")
    assert (await asyncio.wait_for(engine.perform(delete), SOON)).result == "Succeeded"
    await first
    assert engine.worker.ran(tenant)[-1] == "remove"


async def test_what_is_paused_makes_way_for_newer_work(
    engine: RunningEngine, tenant: str, old: Request, new: Request, admin: HttpClient
) -> None:
    first = await stuck(engine, old)
    progress = await engine.until_progress(old, "BackingOff")
    await admin.request("PATCH", f"/invocations/{progress.invocation_id}/pause")
    await engine.until_progress(old, "Paused")
    engine.worker.script(tenant, container={})
    assert (await asyncio.wait_for(engine.perform(new), SOON)).result == "Succeeded"
    await first


async def test_what_makes_progress_is_left_alone_and_waited_for(
    engine: RunningEngine, tenant: str, old: Request, new: Request
) -> None:
    engine.worker.script(tenant, network={}, container={"sleep": 6})
    first = asyncio.create_task(engine.perform(old))
    await engine.until_progress(old, "Running")
    second = asyncio.create_task(engine.perform(new))
    waiting = await engine.until_progress(new, "Pending")
    assert waiting.step is None
    assert (await first).result == "Succeeded"
    engine.worker.script(tenant, network={}, container={})
    assert (await second).result == "Succeeded"


async def test_older_work_that_still_waits_is_dropped(
    engine: RunningEngine, tenant: str, old: Request, new: Request
) -> None:
    engine.worker.script(tenant, container={"sleep": 7})
    first = asyncio.create_task(engine.perform(old))
    await engine.until_progress(old, "Running")
    second = asyncio.create_task(engine.perform(new))
    await engine.until_progress(new, "Pending")
    third = asyncio.create_task(engine.perform(request(tenant, generation=3, created=2)))
    with contextlib.suppress(InvocationLost):
        outcome = await second
        assert outcome.failure is not None
        assert outcome.failure.code == "Cancelled"
    engine.worker.script(tenant, container={})
    assert (await first).result == "Succeeded"
    assert (await third).result == "Succeeded"
    assert len(engine.worker.ran(tenant)) == 2


async def test_newer_work_is_never_stopped_for_older(
    engine: RunningEngine, tenant: str, old: Request, new: Request
) -> None:
    newer = await stuck(engine, new)
    older = asyncio.create_task(engine.perform(old))
    await engine.until_progress(old, "Pending")
    for _ in range(3):
        await engine._tracker.tick()
    assert not newer.done()
    engine.worker.script(tenant, container={})
    await newer
    assert (await older).result == "Superseded"


async def test_what_does_not_hear_of_its_cancellation_is_killed(
    engine: RunningEngine, tenant: str, old: Request, new: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("landlord.engines.restate.tracker.KILL_AFTER_SECONDS", 1.0)
    first = await stuck(engine, old)
    first.cancel()
    # Its journal does not fit this step, so each try fails before it comes to where it was cancelled.
    engine.worker.script(tenant, other={})
    assert (await asyncio.wait_for(engine.perform(new), 2 * SOON)).result == "Succeeded"

"""What each engine makes of the same requests."""

import asyncio
import re
import secrets
import time
from datetime import UTC, datetime, timedelta

import pytest
from tests.integration.worker.conftest import World
from tests.support.polling import eventually_async
from tests.support.requests import CREATED, request

from landlord.api.outcome import Failure, Outcome, ResourceRef, Result
from landlord.api.request import Request
from landlord.workflow import attempt as trying

SUPERSEDED = Outcome(result="Superseded")


@pytest.fixture
def tenant() -> str:
    return f"acme-{secrets.token_hex(4)}"


async def said(world: World, asked: Request) -> Outcome:
    """What the workflow says, without what the engine calls the invocation."""
    outcome = await world.engine.perform(asked)
    return outcome.model_copy(update={"invocation_id": None})


async def test_create_update_and_delete(world: World, tenant: str) -> None:
    made = Result(resources=(ResourceRef(kind="memory", name=tenant),))
    for asked in (request(tenant), request(tenant, generation=2, COLOR="blue")):
        assert asked.desired is not None
        succeeded = Outcome(result="Succeeded", made=made, spec_hash=asked.desired.hash())
        assert await said(world, asked) == succeeded
    assert await said(world, request(tenant, "delete", generation=3)) == Outcome(result="Succeeded")


async def test_the_same_request_is_done_once(world: World, tenant: str) -> None:
    asked = request(tenant, provider="ledger")
    outcomes = await asyncio.gather(*(world.engine.perform(asked) for _ in range(5)))
    outcomes.append(await world.engine.perform(asked))
    assert [outcome.result for outcome in outcomes] == ["Succeeded"] * 6
    assert world.ledger.effects(tenant) == ["one", "two", "three"]


async def test_another_attempt_is_done_again(world: World, tenant: str) -> None:
    for attempt in (1, 2):
        assert (
            await world.engine.perform(request(tenant, attempt=attempt, provider="ledger"))
        ).result == "Succeeded"
    assert world.ledger.effects(tenant) == ["one", "two", "three"] * 2


async def test_apply_after_the_delete_is_refused(world: World, tenant: str) -> None:
    await world.engine.perform(request(tenant, provider="ledger"))
    await world.engine.perform(request(tenant, "delete", generation=2, provider="ledger"))
    late = request(tenant, generation=3, provider="ledger")
    assert await said(world, late) == SUPERSEDED
    assert world.ledger.effects(tenant)[-1] == "removed"


async def test_older_generation_is_refused(world: World, tenant: str) -> None:
    await world.engine.perform(request(tenant, generation=2))
    assert await said(world, request(tenant, generation=1)) == SUPERSEDED


async def test_another_object_gets_the_tenant_only_when_it_is_newer(world: World, tenant: str) -> None:
    await world.engine.perform(request(tenant, uid="uid-1"))
    rival = await world.engine.perform(request(tenant, uid="uid-2", created_at=CREATED - timedelta(days=1)))
    assert rival.failure is not None
    assert (rival.failure.code, rival.failure.retryable) == ("IdentityConflict", False)
    heir = request(tenant, uid="uid-3", created_at=CREATED + timedelta(days=1))
    assert (await world.engine.perform(heir)).result == "Succeeded"


async def test_an_object_of_the_same_second_takes_the_tenant_over_for_good(world: World, tenant: str) -> None:
    """As when a Tenant with `deletion.policy: Retain` is deleted and created again at once."""
    await world.engine.perform(request(tenant, uid="uid-1"))
    heir = await world.engine.perform(request(tenant, uid="uid-2"))
    assert heir.result == "Succeeded"
    straggler = await world.engine.perform(request(tenant, uid="uid-1", generation=2))
    assert straggler.failure is not None
    assert straggler.failure.code == "IdentityConflict"


async def test_delete_by_an_object_that_owns_nothing_changes_nothing(world: World, tenant: str) -> None:
    await world.engine.perform(request(tenant, uid="uid-1", provider="ledger"))
    stranger = request(tenant, "delete", uid="uid-2", provider="ledger")
    assert await said(world, stranger) == Outcome(result="Succeeded")
    assert "removed" not in world.ledger.effects(tenant)


async def test_terminal_failure_names_step_and_code_and_is_not_tried_again(world: World, tenant: str) -> None:
    outcome = await said(world, request(tenant, MEMORY_TERMINAL="no such image"))
    failure = Failure(code="Rehearsed", message="no such image", retryable=False, step="ready")
    assert outcome == Outcome(result="Failed", failure=failure)


async def test_failing_step_is_tried_again_until_it_succeeds(world: World, tenant: str) -> None:
    outcome = await world.engine.perform(request(tenant, provider="ledger", FAIL="two:3"))
    assert outcome.result == "Succeeded"
    assert world.ledger.entries(tenant).count("two fails") == 3
    assert world.ledger.effects(tenant) == ["one", "two", "three"]


async def test_failing_step_is_given_up_after_the_timeout(world: World, tenant: str) -> None:
    outcome = await world.engine.perform(request(tenant, timeout=1, MEMORY_ERROR="the disk is full"))
    failure = outcome.failure
    assert failure is not None
    assert (failure.code, failure.retryable, failure.step) == ("Rehearsed", True, "ready")
    assert re.fullmatch(r"the disk is full \(tried for \d s\)", failure.message)


async def test_hanging_step_is_given_up_after_the_timeout(
    world: World, tenant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trying, "SHORTEST_TRY", 1.0)
    outcome = await world.engine.perform(request(tenant, timeout=1, MEMORY_DELAY="50"))
    assert outcome.failure is not None
    assert (outcome.failure.code, outcome.failure.retryable) == ("Timeout", True)
    assert outcome.failure.step == "ready"


async def test_unknown_backend_is_refused(world: World, tenant: str) -> None:
    outcome = await world.engine.perform(request(tenant, provider="cloud"))
    assert outcome.failure == Failure(
        code="UnknownBackend",
        message="the worker has no backend 'cloud'; enabled: ledger, memory",
        retryable=False,
    )


async def test_newer_request_replaces_one_that_backs_off(world: World, tenant: str) -> None:
    failing = request(tenant, provider="ledger", timeout=600, FAIL="two:99")
    older = asyncio.create_task(world.engine.perform(failing))

    async def backs_off() -> bool:
        return world.ledger.entries(tenant).count("two fails") >= 3

    await eventually_async(backs_off, what="the older request to back off")
    newer = await world.engine.perform(request(tenant, generation=2, provider="ledger"))
    assert newer.result == "Succeeded"
    replaced = (await older).failure
    assert replaced is not None
    assert (replaced.code, replaced.retryable) == ("Cancelled", True)


async def test_newer_request_waits_for_one_that_makes_progress(world: World, tenant: str) -> None:
    held = request(tenant, provider="ledger", HOLD="two")
    older = asyncio.create_task(world.engine.perform(held))

    async def is_held() -> bool:
        return "two begins" in world.ledger.entries(tenant)

    await eventually_async(is_held, what="the older request to be in its second step")
    newer = asyncio.create_task(world.engine.perform(request(tenant, generation=2, provider="ledger")))
    done, _ = await asyncio.wait({newer}, timeout=0.5)
    assert not done
    assert world.ledger.effects(tenant) == ["one"]
    world.ledger.release(tenant)
    assert [(await older).result, (await newer).result] == ["Succeeded", "Succeeded"]
    assert world.ledger.effects(tenant) == ["one", "two", "three"] * 2


async def test_progress_tells_step_attempt_next_try_and_last_error(world: World, tenant: str) -> None:
    asked = request(tenant, provider="ledger", FAIL="two:4")
    work = asyncio.create_task(world.engine.perform(asked))

    async def backing_off() -> bool:
        return any(each.sub_state == "BackingOff" and each.attempt >= 3 for each in world.heard.of(asked))

    await eventually_async(backing_off, what="progress that tells of the third failure")
    seen = next(
        each for each in world.heard.of(asked) if each.sub_state == "BackingOff" and each.attempt >= 3
    )
    assert (seen.step, seen.step_number, seen.total_steps) == ("two", 2, 3)
    assert seen.last_error == "NotYet: two needs another try"
    assert seen.next_retry is not None
    assert abs(seen.next_retry - datetime.now(UTC)) < timedelta(seconds=10)
    assert (await work).result == "Succeeded"


async def test_fifty_slow_tenants_take_as_long_as_one(world: World, tenant: str) -> None:
    begun = time.monotonic()
    asked = [request(f"{tenant}-{number}", MEMORY_DELAY="1") for number in range(50)]
    outcomes = await asyncio.gather(*map(world.engine.perform, asked))
    assert {outcome.result for outcome in outcomes} == {"Succeeded"}
    assert time.monotonic() - begun < 10

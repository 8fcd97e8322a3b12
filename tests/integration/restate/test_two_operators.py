"""Two operators with one Restate and one worker, as during a rollout: neither undoes what the other does."""

import asyncio
import re

import pytest
from tests.integration.restate import world as w
from tests.integration.restate.parts import STEPS, RunningEngine, request
from tests.integration.restate.table import Counted, heard
from tests.integration.restate.world import Happening, World
from tests.support.polling import eventually_async

ONCE_EACH_AT_MOST = range(1, 3)


async def agree(world: World, *engines: RunningEngine) -> None:
    """Wait until all say what is so: that Restate has our worker registered."""

    async def so() -> bool:
        found = await world.registered()
        assert found is not None
        assert found.uri == f"{world.worker.url}/"
        assert {engine.registration.deployment_id for engine in engines} == {found.id}
        assert {engine.registration.revision for engine in engines} == {found.revision}
        return all(engine.registration.ready for engine in engines)

    await eventually_async(so)


async def test_one_that_comes_later_finds_the_registration_and_leaves_it(world: World) -> None:
    async with world.operated() as first:
        await first.until("Registered")
        counted = Counted()
        async with world.operated() as second:
            assert await second.until("Registered") == first.registration
        counted.assert_added(attempts={}, lost={})


async def test_both_start_at_once(world: World) -> None:
    counted = Counted()
    async with world.operated() as first, world.operated() as second:
        await agree(world, first, second)
    assert {heard(first), heard(second)} <= {"NotRegistered → Registered", "Registered"}
    counted.assert_added(attempts={"verified": ONCE_EACH_AT_MOST}, lost={})


@pytest.mark.parametrize(
    ("happens", "may_be_heard", "lost"),
    [
        pytest.param(
            w.each(w.store_is_wiped, w.until("EngineUnreachable"), w.restate_starts),
            "EngineUnreachable → (RegistrationLost → )?Registered",
            "store_lost",
            id="the directory is wiped",
        ),
        pytest.param(
            w.deployment_is_deleted,
            "(RegistrationLost → Registered)?",
            "deployment_deleted",
            id="the deployment is deleted",
        ),
        pytest.param(
            w.registered_by_hand(w.other),
            "(Superseded → Registered)?",
            "superseded",
            id="another deployment is registered",
        ),
        pytest.param(
            w.worker_becomes(backends="scripted,second"),
            "WorkerUnreachable → (Superseded → )?Registered",
            None,
            id="the worker is changed",
        ),
    ],
)
async def test_both_notice_and_both_repair(
    world: World, tenant: str, happens: Happening, may_be_heard: str, lost: str | None
) -> None:
    async with world.operated() as first, world.operated() as second:
        await world.until("Registered")
        for engine in (first, second):
            engine.heard.registrations.clear()
        counted = Counted()
        await happens(world)
        await agree(world, first, second)
        await w.is_looked_at(world)
        await w.is_looked_at(world)
        outcomes = await asyncio.gather(*(engine.perform(request(tenant)) for engine in (first, second)))
    for engine in (first, second):
        assert re.fullmatch(may_be_heard, heard(engine)), heard(engine)
    counted.assert_added(
        attempts={"verified": ONCE_EACH_AT_MOST}, lost={lost: ONCE_EACH_AT_MOST} if lost else {}
    )
    assert {outcome.result for outcome in outcomes} == {"Succeeded"}
    assert world.worker.ran(tenant) + world.other.ran(tenant) == STEPS

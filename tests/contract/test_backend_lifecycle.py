"""The contract of suspend, archive and inspect, run against every backend there is."""

import asyncio
from collections.abc import Callable, Sequence

import pytest
from tests.contract.harness import observe, settle, succeed

from landlord.api.lifecycle import State
from landlord.api.request import Desired
from landlord.backends.contract import Backend, Observation, Step

NewTenant = Callable[..., Desired]
RESTS: tuple[State, ...] = ("Suspended", "Archived")


def to_rest(backend: Backend, state: State, tenant_id: str) -> Sequence[Step]:
    """The steps that bring a tenant into a state in which it does not run."""
    return {"Suspended": backend.suspend, "Archived": backend.archive}[state](tenant_id)


async def seen(backend: Backend, desired: Desired) -> Observation:
    """What the survey says of a tenant that exists."""
    observation = await observe(backend, desired.tenant_id)
    assert observation is not None
    return observation


async def assert_as_made(backend: Backend, desired: Desired) -> None:
    """A tenant is all that it should be, looked at both ways."""
    observation = await seen(backend, desired)
    surveyed = (observation.state, observation.healthy, observation.spec_hash, observation.drift)
    assert surveyed == ("Active", True, desired.hash(), ""), observation.reason
    assert await backend.inspect(desired) == []


async def test_what_was_just_made_is_active_and_without_drift(
    backend: Backend, new_tenant: NewTenant
) -> None:
    desired = new_tenant()
    await settle(backend.apply(desired))
    await assert_as_made(backend, desired)


@pytest.mark.parametrize("state", RESTS)
async def test_tenant_at_rest_is_surveyed_as_such_and_healthy(
    backend: Backend, new_tenant: NewTenant, state: State
) -> None:
    desired = new_tenant()
    await settle(backend.apply(desired))
    await settle(to_rest(backend, state, desired.tenant_id))
    observation = await seen(backend, desired)
    assert (observation.state, observation.healthy, observation.drift) == (state, True, "")


async def test_suspended_tenant_is_known_by_the_hash_that_was_applied(
    backend: Backend, new_tenant: NewTenant
) -> None:
    desired = new_tenant()
    await settle(backend.apply(desired))
    await settle(backend.suspend(desired.tenant_id))
    assert (await seen(backend, desired)).spec_hash == desired.hash()


@pytest.mark.parametrize("state", RESTS)
async def test_steps_to_rest_have_short_distinct_names(
    backend: Backend, new_tenant: NewTenant, state: State
) -> None:
    names = [step.name for step in to_rest(backend, state, new_tenant().tenant_id)]
    assert len(set(names)) == len(names)
    assert all(name == name.lower() and 0 < len(name) <= 63 for name in names)


@pytest.mark.parametrize("state", RESTS)
async def test_each_step_to_rest_may_run_twice(backend: Backend, new_tenant: NewTenant, state: State) -> None:
    desired = new_tenant()
    await settle(backend.apply(desired))
    for step in to_rest(backend, state, desired.tenant_id):
        assert await succeed(step) == await succeed(step), step.name
    assert (await seen(backend, desired)).state == state


@pytest.mark.parametrize("state", RESTS)
async def test_interrupted_after_any_step_to_rest_the_whole_may_run_again(
    backend: Backend, new_tenant: NewTenant, state: State
) -> None:
    async def interrupted(done: int) -> None:
        desired = new_tenant()
        await settle(backend.apply(desired))
        await settle(to_rest(backend, state, desired.tenant_id)[:done])
        await settle(to_rest(backend, state, desired.tenant_id))
        observation = await seen(backend, desired)
        assert (observation.state, observation.healthy) == (state, True), done

    steps = len(to_rest(backend, state, new_tenant().tenant_id))
    await asyncio.gather(*(interrupted(done) for done in range(steps + 1)))


@pytest.mark.parametrize("state", RESTS)
async def test_half_way_to_rest_a_tenant_can_be_brought_back(
    backend: Backend, new_tenant: NewTenant, state: State
) -> None:
    async def turned_round(done: int) -> None:
        desired = new_tenant()
        await settle(backend.apply(desired))
        await settle(to_rest(backend, state, desired.tenant_id)[:done])
        await settle(backend.apply(desired))
        await assert_as_made(backend, desired)

    steps = len(to_rest(backend, state, new_tenant().tenant_id))
    await asyncio.gather(*(turned_round(done) for done in range(steps)))


@pytest.mark.parametrize("state", RESTS)
async def test_half_made_tenant_can_be_brought_to_rest_and_back(
    backend: Backend, new_tenant: NewTenant, state: State
) -> None:
    async def half_made(done: int) -> None:
        desired = new_tenant()
        await settle(backend.apply(desired)[:done])
        await settle(to_rest(backend, state, desired.tenant_id))
        await settle(backend.apply(desired))
        await assert_as_made(backend, desired)

    await asyncio.gather(*(half_made(done) for done in range(len(backend.apply(new_tenant())))))


@pytest.mark.parametrize("state", RESTS)
async def test_nothing_can_be_brought_to_rest_and_stays_nothing(
    backend: Backend, new_tenant: NewTenant, state: State
) -> None:
    tenant_id = new_tenant().tenant_id
    made = await settle(to_rest(backend, state, tenant_id))
    assert (made.resources, made.endpoints) == ((), ())
    assert await observe(backend, tenant_id) is None


@pytest.mark.parametrize("state", RESTS)
async def test_applying_the_same_brings_back_exactly_what_was(
    backend: Backend, new_tenant: NewTenant, state: State
) -> None:
    desired = new_tenant()
    before = await settle(backend.apply(desired))
    await settle(to_rest(backend, state, desired.tenant_id))
    assert await settle(backend.apply(desired)) == before
    await assert_as_made(backend, desired)


@pytest.mark.parametrize("state", RESTS)
async def test_what_changed_while_it_was_at_rest_is_applied(
    backend: Backend, new_tenant: NewTenant, state: State
) -> None:
    before = new_tenant(greeting="before")
    after = new_tenant(before.tenant_id, greeting="after")
    await settle(backend.apply(before))
    await settle(to_rest(backend, state, before.tenant_id))
    await settle(backend.apply(after))
    await assert_as_made(backend, after)


async def test_suspended_tenant_can_be_archived_and_restored(backend: Backend, new_tenant: NewTenant) -> None:
    desired = new_tenant()
    await settle(backend.apply(desired))
    await settle(backend.suspend(desired.tenant_id))
    await settle(backend.archive(desired.tenant_id))
    assert (await seen(backend, desired)).state == "Archived"
    await settle(backend.apply(desired))
    await assert_as_made(backend, desired)


async def test_suspending_names_nothing_new_but_what_is_kept(backend: Backend, new_tenant: NewTenant) -> None:
    desired = new_tenant()
    made = await settle(backend.apply(desired))
    kept = await settle(backend.suspend(desired.tenant_id))
    assert {each.kind for each in kept.resources} == {each.kind for each in made.resources}
    assert kept.endpoints == ()


async def test_archiving_names_part_of_what_was_made(backend: Backend, new_tenant: NewTenant) -> None:
    desired = new_tenant()
    made = await settle(backend.apply(desired))
    kept = await settle(backend.archive(desired.tenant_id))
    assert kept.resources
    assert set(kept.resources) <= set(made.resources)
    assert kept.endpoints == ()


@pytest.mark.parametrize("state", RESTS)
async def test_teardown_of_a_tenant_at_rest_leaves_nothing(
    backend: Backend, new_tenant: NewTenant, state: State
) -> None:
    desired = new_tenant()
    await settle(backend.apply(desired))
    await settle(to_rest(backend, state, desired.tenant_id))
    await settle(backend.delete(desired.tenant_id))
    assert await observe(backend, desired.tenant_id) is None


@pytest.mark.parametrize("state", RESTS)
async def test_others_run_on_beside_a_tenant_at_rest(
    backend: Backend, new_tenant: NewTenant, state: State
) -> None:
    resting, running = new_tenant(), new_tenant()
    await asyncio.gather(*(settle(backend.apply(desired)) for desired in (resting, running)))
    await settle(to_rest(backend, state, resting.tenant_id))
    await assert_as_made(backend, running)


async def test_look_in_depth_finds_what_was_never_made(backend: Backend, new_tenant: NewTenant) -> None:
    assert await backend.inspect(new_tenant()) != []


async def test_look_in_depth_finds_what_was_made_otherwise_and_changes_nothing(
    backend: Backend, new_tenant: NewTenant
) -> None:
    made = new_tenant(greeting="a wrong word")
    wanted = new_tenant(made.tenant_id, greeting="the right word")
    await settle(backend.apply(made))
    lines = await backend.inspect(wanted)
    assert lines
    assert all(line and "\n" not in line for line in lines)
    assert await backend.inspect(wanted) == lines
    await assert_as_made(backend, made)


async def test_look_in_depth_tells_no_value_of_env(backend: Backend, new_tenant: NewTenant) -> None:
    made = new_tenant(greeting="made-s3cret")
    await settle(backend.apply(made))
    said = "\n".join(await backend.inspect(new_tenant(made.tenant_id, greeting="wanted-s3cret")))
    assert "s3cret" not in said


@pytest.mark.parametrize("state", RESTS)
async def test_look_in_depth_finds_that_a_tenant_is_at_rest(
    backend: Backend, new_tenant: NewTenant, state: State
) -> None:
    desired = new_tenant()
    await settle(backend.apply(desired))
    await settle(to_rest(backend, state, desired.tenant_id))
    assert await backend.inspect(desired) != []

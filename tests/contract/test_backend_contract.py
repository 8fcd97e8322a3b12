"""The contract of `landlord.backends`, run against every backend there is."""

import asyncio
from collections.abc import Callable

from tests.contract.harness import observe, settle, succeed

from landlord.api.request import Desired
from landlord.backends.contract import Backend

NewTenant = Callable[..., Desired]


async def test_applied_tenant_is_surveyed_as_healthy_with_the_hash_applied(
    backend: Backend, new_tenant: NewTenant
) -> None:
    desired = new_tenant()
    await settle(backend.apply(desired))
    seen = await observe(backend, desired.tenant_id)
    assert seen is not None
    assert seen.healthy, seen.reason
    assert seen.spec_hash == desired.hash()


async def test_applying_names_what_it_made(backend: Backend, new_tenant: NewTenant) -> None:
    made = await settle(backend.apply(new_tenant()))
    assert made.resources


async def test_steps_have_short_distinct_names_that_depend_on_the_desired_state_alone(
    backend: Backend, new_tenant: NewTenant
) -> None:
    desired = new_tenant()
    names = [step.name for step in backend.apply(desired)]
    await settle(backend.apply(desired))
    assert [step.name for step in backend.apply(desired)] == names
    assert len(set(names)) == len(names)
    assert all(name == name.lower() and 0 < len(name) <= 63 for name in names)


async def test_each_step_may_run_twice(backend: Backend, new_tenant: NewTenant) -> None:
    desired = new_tenant()
    for step in backend.apply(desired):
        assert await succeed(step) == await succeed(step), step.name
    seen = await observe(backend, desired.tenant_id)
    assert seen is not None
    assert seen.healthy


async def test_interrupted_after_any_step_the_whole_may_run_again(
    backend: Backend, new_tenant: NewTenant
) -> None:
    async def interrupted(done: int) -> None:
        desired = new_tenant()
        await settle(backend.apply(desired)[:done])
        await settle(backend.apply(desired))
        seen = await observe(backend, desired.tenant_id)
        assert seen is not None, done
        assert (seen.healthy, seen.spec_hash) == (True, desired.hash()), done

    await asyncio.gather(*(interrupted(done) for done in range(len(backend.apply(new_tenant())) + 1)))


async def test_applying_the_same_again_makes_the_same(backend: Backend, new_tenant: NewTenant) -> None:
    desired = new_tenant()
    first = await settle(backend.apply(desired))
    assert await settle(backend.apply(desired)) == first


async def test_update_is_seen_by_its_hash(backend: Backend, new_tenant: NewTenant) -> None:
    before = new_tenant(greeting="before")
    after = new_tenant(before.tenant_id, greeting="after")
    await settle(backend.apply(before))
    await settle(backend.apply(after))
    seen = await observe(backend, before.tenant_id)
    assert seen is not None
    assert (seen.healthy, seen.spec_hash) == (True, after.hash())


async def test_teardown_of_nothing_is_fine(backend: Backend, new_tenant: NewTenant) -> None:
    await settle(backend.delete(new_tenant().tenant_id))


async def test_teardown_leaves_nothing_and_may_run_again(backend: Backend, new_tenant: NewTenant) -> None:
    desired = new_tenant()
    await settle(backend.apply(desired))
    for step in backend.delete(desired.tenant_id):
        await succeed(step)
        await succeed(step)
    assert await observe(backend, desired.tenant_id) is None
    await settle(backend.delete(desired.tenant_id))


async def test_half_made_tenant_can_be_torn_down(backend: Backend, new_tenant: NewTenant) -> None:
    async def half_made(done: int) -> None:
        desired = new_tenant()
        await settle(backend.apply(desired)[:done])
        await settle(backend.delete(desired.tenant_id))
        assert await observe(backend, desired.tenant_id) is None, done

    await asyncio.gather(*(half_made(done) for done in range(len(backend.apply(new_tenant())))))


async def test_tenant_can_come_back_after_teardown(backend: Backend, new_tenant: NewTenant) -> None:
    desired = new_tenant()
    await settle(backend.apply(desired))
    await settle(backend.delete(desired.tenant_id))
    await settle(backend.apply(desired))
    seen = await observe(backend, desired.tenant_id)
    assert seen is not None
    assert seen.healthy


async def test_tenants_come_at_the_same_time_and_do_not_disturb_each_other(
    backend: Backend, new_tenant: NewTenant
) -> None:
    tenants = [new_tenant(greeting=f"tenant {number}") for number in range(5)]
    await asyncio.gather(*(settle(backend.apply(desired)) for desired in tenants))
    gone, *rest = tenants
    await settle(backend.delete(gone.tenant_id))
    survey = await backend.survey()
    assert gone.tenant_id not in survey
    assert {desired.tenant_id: survey[desired.tenant_id].spec_hash for desired in rest} == {
        desired.tenant_id: desired.hash() for desired in rest
    }

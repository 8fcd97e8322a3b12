"""Whatever is cut short is made whole by the next run, and what was given up does not come back."""

import asyncio
from collections.abc import Callable
from itertools import count
from typing import Any, TypeVar

from docker import APIClient
from docker.errors import NotFound
from tests.contract.harness import observe, run
from tests.integration.backends.tenants import Tenants, ask
from tests.support.polling import eventually_async

from landlord.api.compute import Publish
from landlord.api.request import Desired
from landlord.api.workload import EnvVar
from landlord.backends.docker import containers
from landlord.errors import Retryable

T = TypeVar("T")
PUBLISH = (Publish(port="http"),)


class Killed(BaseException):
    """The process ended here."""


class Mortal:
    """A real client that dies before its n-th call."""

    def __init__(self, api: APIClient, calls: int) -> None:
        self._api = api
        self._left = calls

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._api, name)
        if not callable(attribute):
            return attribute

        def call(*args: object, **options: object) -> object:
            if self._left == 0:
                raise Killed
            self._left -= 1
            return attribute(*args, **options)

        return call


def survives(work: Callable[[APIClient, T], object], api: APIClient, calls: int, of: T) -> bool:
    try:
        work(Mortal(api, calls), of)  # type: ignore[arg-type]
    except Killed:
        return False
    return True


async def test_update_may_be_killed_between_any_two_calls(tenants: Tenants) -> None:
    api = tenants.engine.api
    tenant = tenants.new(publish=PUBLISH)
    url = (await tenants.apply(tenant)).endpoints[0].url
    for calls in count():
        text = f"version {calls}"
        update = tenants.new(tenant.tenant_id, publish=PUBLISH, env=(EnvVar(name="GREETING", value=text),))
        survived = survives(containers.ensure, api, calls, update)
        made = await tenants.apply(update)
        assert made.endpoints[0].url == url
        assert ask(url)["greeting"] == text
        if survived:
            assert calls > 4, "find, stop, remove, create and start were all cut short"
            return


async def test_suspension_may_be_killed_between_any_two_calls(tenants: Tenants) -> None:
    api = tenants.engine.api
    desired = tenants.new(publish=PUBLISH)
    before = await tenants.apply(desired)
    container = tenants.container(desired)
    for calls in count():
        survived = survives(containers.suspend, api, calls, desired.tenant_id)
        await run(tenants.backend.suspend(desired.tenant_id))
        seen = await observe(tenants.backend, desired.tenant_id)
        assert seen is not None
        assert (seen.state, seen.healthy, seen.drift) == ("Suspended", True, "")
        assert await tenants.apply(desired) == before
        assert tenants.container(desired).id == container.id
        if survived:
            assert calls > 3, "find, update, stop and rename were all cut short"
            return


async def test_resumption_may_be_killed_between_any_two_calls(tenants: Tenants) -> None:
    api = tenants.engine.api
    desired = tenants.new(publish=PUBLISH)
    before = await tenants.apply(desired)
    container = tenants.container(desired)
    for calls in count():
        await run(tenants.backend.suspend(desired.tenant_id))
        survived = survives(containers.ensure, api, calls, desired)
        assert await tenants.apply(desired) == before
        assert tenants.container(desired).id == container.id
        assert await tenants.backend.inspect(desired) == []
        if survived:
            assert calls > 4, "both finds, rename, update and start were all cut short"
            return


async def test_step_that_was_given_up_does_not_undo_the_teardown_that_follows(tenants: Tenants) -> None:
    for moment in (0.0, 0.02, 0.1, 0.3):
        desired = tenants.new()
        *prepare, container, _ = tenants.backend.apply(desired)
        await run(prepare)
        given_up = asyncio.ensure_future(container.run())
        await asyncio.wait([given_up], timeout=moment)
        given_up.cancel()
        await tenants.remove(desired)
        assert await observe(tenants.backend, desired.tenant_id) is None, moment


async def test_container_that_is_removed_while_it_is_torn_down_is_gone_in_the_end(tenants: Tenants) -> None:
    desired = tenants.new()
    await tenants.apply(desired)

    async def gone() -> bool:
        try:
            await tenants.remove(desired)
        except Retryable:
            return False  # the engine is still at the other's removal
        return await observe(tenants.backend, desired.tenant_id) is None

    by_hand = asyncio.to_thread(_remove_by_hand, tenants, desired)
    await asyncio.gather(eventually_async(gone), by_hand)
    assert await gone()


def _remove_by_hand(tenants: Tenants, desired: Desired) -> None:
    try:
        tenants.container(desired).remove(force=True)
    except NotFound:
        return

"""Has settled Tenants report a changed registration: late, slowly, and only those that report another.

An outage of a minute must not cost a write, let alone two, for each of 10,000 Tenants that keep running.
"""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress

from landlord.api.tenant import Key
from landlord.controller.tell.pace import requeue_outdated
from landlord.engines.contract import Registration

BAD_NEWS_SECONDS = 30.0
"""How long a registration must have been out of order before settled Tenants report it."""
GOOD_NEWS_SECONDS = 10.0
"""The same for a registration that is in order: what Tenants still report against it is wrong."""


class Sweep:
    """Follows the registration, and has Tenants report it once it is steady.

    `is_outdated` says whether a Tenant reports another registration. `settle` is called with the steady
    registration before `add` is called with one outdated Tenant after another.
    """

    def __init__(
        self,
        keys: Callable[[], Iterable[Key]],
        is_outdated: Callable[[Key, Registration], bool],
        settle: Callable[[Registration], None],
        add: Callable[[Key], None],
    ) -> None:
        self._keys = keys
        self._is_outdated = is_outdated
        self._settle = settle
        self._add = add
        self._changed = asyncio.Event()
        self._latest: Registration | None = None
        self._since = self._reworded_since = 0.0
        self._reported: Registration | None = None
        """What every settled Tenant reports; None while they may differ."""

    def follow(self, registration: Registration) -> None:
        """Note the registration that holds from now on."""
        now = asyncio.get_running_loop().time()
        if self._latest is None or _is_different(registration, self._latest):
            self._since = now
        if self._reported is not None and _is_different(registration, self._reported):
            self._reported = (
                None  # because Tenants that settle now report this one, even if it is over in a moment
            )
        self._latest, self._reworded_since = registration, now
        self._changed.set()

    async def run(self) -> None:
        """Sweep whenever the registration has changed and is steady, until cancelled."""
        while True:
            registration = await self._wait_until_steady()
            self._settle(registration)
            since = self._since
            is_complete = await self._requeue_all(registration)
            self._reported = registration if is_complete and self._since == since else None

    async def _wait_until_steady(self) -> Registration:
        while True:
            self._changed.clear()
            due = None
            if self._latest is not None and self._latest != self._reported:
                due = self._find_due_time(self._latest)
                if due <= asyncio.get_running_loop().time():
                    return self._latest
            with suppress(TimeoutError):
                async with asyncio.timeout_at(due):
                    await self._changed.wait()

    def _find_due_time(self, latest: Registration) -> float:
        # The wording may change all the time while an engine is away, which must neither delay nor repeat the
        # news.
        since = self._since if self._reported is None else self._reworded_since
        return since + (GOOD_NEWS_SECONDS if latest.ready else BAD_NEWS_SECONDS)

    async def _requeue_all(self, registration: Registration) -> bool:
        """Requeue all outdated Tenants. Returns False if the registration changed before the end."""
        return await requeue_outdated(
            self._keys(),
            lambda key: self._is_outdated(key, registration),
            self._add,
            lambda: self._latest is not None and _is_different(self._latest, registration),
        )


def _is_different(one: Registration, other: Registration) -> bool:
    return (one.status, one.reason) != (other.status, other.reason)

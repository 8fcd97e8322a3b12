"""Tells settled Tenants of a changed registration: late, slowly, and only those that say otherwise.

An outage of a minute must not cost a write for each of 10,000 Tenants that run on undisturbed, let alone two.
"""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress

from landlord.api.tenant import Key
from landlord.controller.tell.pace import tell
from landlord.engines.contract import Registration

BAD_NEWS_SECONDS = 30.0
"""How long a registration must have been something else than registered before settled Tenants hear of it."""
GOOD_NEWS_SECONDS = 10.0
"""The same for a registration that is as it should be: what Tenants still say against it is wrong."""


class Sweep:
    """Follows the registration, and passes it on once it is steady.

    `outdated` says whether a Tenant says something else than the registration; `settle` hears of the steady
    registration before `add` hears of the Tenants that are to be told, one by one.
    """

    def __init__(
        self,
        keys: Callable[[], Iterable[Key]],
        outdated: Callable[[Key, Registration], bool],
        settle: Callable[[Registration], None],
        add: Callable[[Key], None],
    ) -> None:
        self._keys = keys
        self._outdated = outdated
        self._settle = settle
        self._add = add
        self._changed = asyncio.Event()
        self._latest: Registration | None = None
        self._since = self._reworded_since = 0.0
        self._told: Registration | None = None
        """What every settled Tenant says; None while some may say this and some that."""

    def registration_changed(self, registration: Registration) -> None:
        """Take in how it is now."""
        now = asyncio.get_running_loop().time()
        if self._latest is None or _differ(registration, self._latest):
            self._since = now
        if self._told is not None and _differ(registration, self._told):
            self._told = None  # who settles now tells of this, be it over in a moment
        self._latest, self._reworded_since = registration, now
        self._changed.set()

    async def run(self) -> None:
        """Sweep whenever there is something steady to tell, until cancelled."""
        while True:
            registration = await self._steady()
            self._settle(registration)
            since = self._since
            all_told = await self._tell(registration)
            self._told = registration if all_told and self._since == since else None

    async def _steady(self) -> Registration:
        while True:
            self._changed.clear()
            due = None
            if self._latest is not None and self._latest != self._told:
                due = self._due(self._latest)
                if due <= asyncio.get_running_loop().time():
                    return self._latest
            with suppress(TimeoutError):
                async with asyncio.timeout_at(due):
                    await self._changed.wait()

    def _due(self, latest: Registration) -> float:
        # Words may change all the time while an engine is away, which neither delays the news nor repeats it.
        since = self._since if self._told is None else self._reworded_since
        return since + (GOOD_NEWS_SECONDS if latest.ready else BAD_NEWS_SECONDS)

    async def _tell(self, registration: Registration) -> bool:
        """Whether all have been told; something else to tell ends it."""
        return await tell(
            self._keys(),
            lambda key: self._outdated(key, registration),
            self._add,
            lambda: self._latest is not None and _differ(self._latest, registration),
        )


def _differ(one: Registration, other: Registration) -> bool:
    return (one.status, one.reason) != (other.status, other.reason)

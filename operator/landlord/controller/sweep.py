"""Tells settled Tenants of a changed registration: late, and slowly.

An outage of a minute must not cost a write for each of 10,000 Tenants that run on undisturbed, let alone two.
"""

import asyncio
from collections.abc import Callable

from landlord.api.tenant import Key
from landlord.controller.queue import WorkQueue
from landlord.engines import Registration

STEADY_SECONDS = 30.0
"""How long a registration must stand before settled Tenants hear of it."""
PACE = 50.0
"""Tenants per second that are looked at: the most writes per second that a sweep can cost."""


class Sweep:
    """Follows the registration, and passes it on once it is steady."""

    def __init__(
        self,
        keys: Callable[[], list[Key]],
        queue: WorkQueue[Key],
        settle: Callable[[Registration], None],
        steady_seconds: float = STEADY_SECONDS,
        pace: float = PACE,
    ) -> None:
        self._keys = keys
        self._queue = queue
        self._settle = settle
        self._steady_seconds = steady_seconds
        self._pace = pace
        self._changed = asyncio.Event()
        self._latest: Registration | None = None

    def registration_changed(self, registration: Registration) -> None:
        """Start to wait anew."""
        self._latest = registration
        self._changed.set()

    async def run(self) -> None:
        """Sweep after each change, until cancelled; a change during a sweep ends it."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            if await self._changes_within(self._steady_seconds) or self._latest is None:
                continue
            self._settle(self._latest)
            for key in self._keys():
                self._queue.add(key)
                if await self._changes_within(1 / self._pace):
                    break

    async def _changes_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            return False
        return True

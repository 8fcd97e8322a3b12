"""The work queue, with the semantics of client-go's: no key twice, one at a time, backoff per key.

landlord has its own because no library has these semantics for asyncio, and a control loop is correct only
with them.
"""

import asyncio
from collections import deque
from collections.abc import Hashable
from typing import Generic, TypeVar

from landlord.backoff import backoff

K = TypeVar("K", bound=Hashable)


class WorkQueue(Generic[K]):
    """Keys that need work. Used on one event loop."""

    def __init__(self) -> None:
        self._ready: deque[K] = deque()
        self._waiting: set[K] = set()
        self._active: set[K] = set()
        self._again: set[K] = set()
        self._timers: dict[K, asyncio.TimerHandle] = {}
        self._failures: dict[K, int] = {}
        self._wakeup = asyncio.Event()

    def __len__(self) -> int:
        return len(self._ready)

    def add(self, key: K) -> None:
        """Have the key worked on now; a key that is being worked on comes again afterwards."""
        self._disarm(key)
        if key in self._active:
            self._again.add(key)
        elif key not in self._waiting:
            self._waiting.add(key)
            self._ready.append(key)
            self._wakeup.set()

    def add_after(self, key: K, seconds: float) -> None:
        """Have the key worked on later, unless it is queued anyway; the earlier of two times holds."""
        if key in self._waiting or key in self._again:
            return
        loop = asyncio.get_running_loop()
        timer = self._timers.get(key)
        if timer is not None and timer.when() <= loop.time() + seconds:
            return
        self._disarm(key)
        self._timers[key] = loop.call_later(seconds, self.add, key)

    def retry(self, key: K) -> float:
        """Have the key worked on after its backoff; returns the seconds."""
        self._failures[key] = self._failures.get(key, 0) + 1
        delay = backoff(self._failures[key])
        self.add_after(key, delay)
        return delay

    def reset_backoff(self, key: K) -> None:
        """Let the key's next failure start at the shortest backoff again."""
        self._failures.pop(key, None)

    def forget(self, key: K) -> None:
        """Drop everything about a key that no longer exists."""
        self._disarm(key)
        self._failures.pop(key, None)

    async def get(self) -> K:
        """Return the next key; the caller must call `finish` with it."""
        while not self._ready:
            self._wakeup.clear()
            await self._wakeup.wait()
        key = self._ready.popleft()
        self._waiting.discard(key)
        self._active.add(key)
        return key

    def finish(self, key: K) -> None:
        """End the work on the key, whether it succeeded or not."""
        self._active.discard(key)
        if key in self._again:
            self._again.discard(key)
            self.add(key)

    def _disarm(self, key: K) -> None:
        timer = self._timers.pop(key, None)
        if timer is not None:
            timer.cancel()

"""Waits between polls within the bounds of a step: briefly at first, then longer."""

import asyncio
import time

GROWTH = 1.5


class Patience:
    """Waits between polls, for a limited number of seconds in all."""

    def __init__(self, seconds: float, *, first_pause: float = 0.1, longest_pause: float = 1.0) -> None:
        self._seconds = seconds
        self._longest_pause = longest_pause
        self._began = time.monotonic()
        self._pause = first_pause

    @property
    def elapsed(self) -> float:
        """Seconds since the first poll."""
        return time.monotonic() - self._began

    async def pause(self) -> bool:
        """Wait until the next poll. Return False, at once, if no time is left for it."""
        if self.elapsed + self._pause > self._seconds:
            return False
        await asyncio.sleep(self._pause)
        self._pause = min(self._pause * GROWTH, self._longest_pause)
        return True

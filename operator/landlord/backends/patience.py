"""Looking again and again, within a step's bounds: at first quickly, then less often."""

import asyncio
import time

FIRST_PAUSE, LONGEST_PAUSE, GROWTH = 0.1, 1.0, 1.5


class Patience:
    """Waits between looks, for so many seconds in all."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._began = time.monotonic()
        self._pause = FIRST_PAUSE

    @property
    def elapsed(self) -> float:
        """Seconds since it began."""
        return time.monotonic() - self._began

    async def pause(self) -> bool:
        """Wait for the next look. False, at once, if there is no time left for it."""
        if self.elapsed + self._pause > self._seconds:
            return False
        await asyncio.sleep(self._pause)
        self._pause = min(self._pause * GROWTH, LONGEST_PAUSE)
        return True

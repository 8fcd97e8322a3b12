"""An event loop whose clock moves only as far as a rule lets it, in no time."""

import asyncio
import selectors
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

T = TypeVar("T")
BEGIN = datetime(2026, 1, 1, 12, tzinfo=UTC)


class _Jumping(selectors.SelectSelector):
    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.now += max(timeout or 0.0, 0.0)
        return super().select(0)


class ModelLoop(asyncio.SelectorEventLoop):
    """Runs what a rule awaits; everything that is due until then happens, too."""

    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now

    def now(self) -> datetime:
        return BEGIN + timedelta(seconds=self.time())

    def run(self, what: Coroutine[Any, Any, T]) -> T:
        return self.run_until_complete(what)

    def pass_time(self, seconds: float = 0.0) -> None:
        """Let time pass, and whatever is ready happen."""

        async def turns() -> None:
            await asyncio.sleep(seconds)
            for _ in range(10):
                await asyncio.sleep(0)

        self.run(turns())

    def end(self) -> None:
        """Cancel everything, and close."""
        tasks = asyncio.all_tasks(self)
        for task in tasks:
            task.cancel()
        self.run(_gather(tasks))
        self.close()


async def _gather(tasks: set[asyncio.Task[Any]]) -> None:
    await asyncio.gather(*tasks, return_exceptions=True)

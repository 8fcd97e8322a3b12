"""The journal of one workflow, in the memory of this process."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from landlord.api.outcome import Outcome
from landlord.engines.contract import Progress
from landlord.workflow.attempt import TryAgain, next_wait
from landlord.workflow.fence import Fence
from landlord.workflow.position import StepPosition
from landlord.workflow.run import StepAttempt


class GaveWay(Exception):
    """The work ended between two tries, because a newer request waits."""

    def __init__(self, position: StepPosition, last_error: str) -> None:
        super().__init__(f"stopped for a newer request of the same tenant; the last error was: {last_error}")
        self.step = position.step


class LocalJournal:
    """Remembers nothing after the call. The caller keeps `accepted`."""

    def __init__(
        self,
        fence: Fence | None,
        timeout_seconds: float,
        give_way: asyncio.Event,
        report: Callable[[Progress], None],
    ) -> None:
        self.accepted = fence
        self._started = time.time()
        self._deadline = self._started + timeout_seconds
        self._give_way = give_way
        self._report = report

    async def fence(self) -> Fence | None:
        """Return the fence."""
        return self.accepted

    async def accept(self, fence: Fence) -> None:
        """Replace the fence."""
        self.accepted = fence

    async def run(self, position: StepPosition, attempt: StepAttempt) -> Outcome:
        """Try until there is an outcome, and report the progress. Raises GaveWay instead of backing off."""
        progress = Progress(
            "Running", step=position.step, step_number=position.number, total_steps=position.total
        )
        while True:
            self._report(progress)
            try:
                return await attempt(self._started, self._deadline, time.time)
            except TryAgain as error:
                last_error = error.message.strip().partition("\n")[0]
                progress = replace(progress, last_error=last_error, last_fix=error.fix)
            wait = next_wait(progress.attempt)
            next_retry = datetime.now(UTC) + timedelta(seconds=wait)
            self._report(replace(progress, sub_state="BackingOff", next_retry=next_retry))
            if await self._must_give_way(within=wait):
                raise GaveWay(position, last_error)
            progress = replace(progress, attempt=progress.attempt + 1)

    async def _must_give_way(self, within: float) -> bool:
        try:
            async with asyncio.timeout(within):
                return await self._give_way.wait()
        except TimeoutError:
            return False

"""Restate's journal and state behind the workflow's own, small idea of a journal."""

import asyncio
import time
from datetime import timedelta

from restate import ObjectContext, RestateDurableFuture, RunOptions, wait_completed

from landlord.api.outcome import Outcome
from landlord.worker.serde import ModelSerde
from landlord.workflow.attempt import FIRST_RETRY, LONGEST_RETRY, RETRY_FACTOR
from landlord.workflow.fence import Fence
from landlord.workflow.place import Place
from landlord.workflow.run import Attempt

FENCE = "fence"
STARTED = "started"
STEP: RunOptions[Outcome] = RunOptions(
    serde=ModelSerde(Outcome),
    initial_retry_interval=timedelta(seconds=FIRST_RETRY),
    retry_interval_factor=RETRY_FACTOR,
    max_retry_interval=timedelta(seconds=LONGEST_RETRY),
)


class RestateJournal:
    """The journal of one try of one invocation. Each entry costs milliseconds, so there are few."""

    def __init__(self, ctx: ObjectContext, timeout_seconds: float) -> None:
        self._ctx = ctx
        self._timeout = timeout_seconds
        self._durable_start: RestateDurableFuture[float] | None = None
        self._started: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    async def fence(self) -> Fence | None:
        """The fence from the object's state."""
        return await self._ctx.get(FENCE, type_hint=Fence)

    async def accept(self, fence: Fence) -> None:
        """Journaled before any later entry, and never lost once one of those exists."""
        self._ctx.set(FENCE, fence)

    async def run(self, place: Place, attempt: Attempt) -> Outcome:
        """Restate itself tries again, so that it can tell others of the attempt and the last error."""

        async def action() -> Outcome:
            started = await self._started
            return await attempt(started, started + self._timeout, time.time)

        if self._durable_start is None:
            self._durable_start = self._ctx.run_typed(STARTED, self._start)
        done = self._ctx.run_typed(str(place), action, STEP)
        if not self._started.done():
            # Awaited together with the first step, which saves a round trip: the step begins with the time
            # just taken while that is being stored. In a replay it is there already, and returned at once.
            await wait_completed(self._durable_start, done)
            started = await self._durable_start
            if not self._started.done():
                self._started.set_result(started)
        return await done

    async def _start(self) -> float:
        now = time.time()
        self._started.set_result(now)
        return now

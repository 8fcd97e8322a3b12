"""Implements the workflow's journal with Restate's journal and state."""

import asyncio
import time
from datetime import timedelta

from restate import ObjectContext, RestateDurableFuture, RunOptions, wait_completed

from landlord.api.outcome import Outcome
from landlord.worker.serde import ModelSerde
from landlord.workflow.attempt import FIRST_RETRY, LONGEST_RETRY, RETRY_FACTOR
from landlord.workflow.fence import Fence
from landlord.workflow.position import StepPosition
from landlord.workflow.run import StepAttempt

FENCE = "fence"
STARTED = "started"
STEP: RunOptions[Outcome] = RunOptions(
    serde=ModelSerde(Outcome),
    initial_retry_interval=timedelta(seconds=FIRST_RETRY),
    retry_interval_factor=RETRY_FACTOR,
    max_retry_interval=timedelta(seconds=LONGEST_RETRY),
)


class RestateJournal:
    """The journal of one try of one invocation. It has few entries, because each costs milliseconds."""

    def __init__(self, ctx: ObjectContext, timeout_seconds: float) -> None:
        self._ctx = ctx
        self._timeout = timeout_seconds
        self._durable_start: RestateDurableFuture[float] | None = None
        self._started: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    async def fence(self) -> Fence | None:
        """Return the fence from the object's state."""
        return await self._ctx.get(FENCE, type_hint=Fence)

    async def accept(self, fence: Fence) -> None:
        """Store the fence. It is journaled before any later entry, and never lost once such an entry
        exists."""
        self._ctx.set(FENCE, fence)

    async def run(self, position: StepPosition, attempt: StepAttempt) -> Outcome:
        """Run a step. Restate itself retries it, so that it can show the attempt and the last error."""

        async def action() -> Outcome:
            started = await self._started
            return await attempt(started, started + self._timeout, time.time)

        if self._durable_start is None:
            self._durable_start = self._ctx.run_typed(STARTED, self._start)
        done = self._ctx.run_typed(str(position), action, STEP)
        if not self._started.done():
            # Awaited together with the first step, which saves a round trip: the step starts with the current
            # time while Restate stores it. A replay returns the stored time at once.
            await wait_completed(self._durable_start, done)
            started = await self._durable_start
            if not self._started.done():
                self._started.set_result(started)
        return await done

    async def _start(self) -> float:
        now = time.time()
        self._started.set_result(now)
        return now

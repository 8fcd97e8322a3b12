"""Restate's journal and state behind the workflow's own, small idea of a journal."""

import time
from datetime import timedelta

from restate import ObjectContext, RunOptions

from landlord.api.outcome import Outcome
from landlord.workflow.attempt import FIRST_RETRY, LONGEST_RETRY, RETRY_FACTOR
from landlord.workflow.fence import Fence
from landlord.workflow.run import Attempt

FENCE = "fence"


async def _now() -> float:
    return time.time()


class RestateJournal:
    """The journal of one invocation. Each entry costs milliseconds, so there are few."""

    def __init__(self, ctx: ObjectContext, timeout_seconds: float) -> None:
        self._ctx = ctx
        self._timeout = timeout_seconds
        self._started: float | None = None

    async def fence(self) -> Fence | None:
        """The fence from the object's state."""
        return await self._ctx.get(FENCE, type_hint=Fence)

    async def accept(self, fence: Fence) -> None:
        """Journaled before any later entry, and never lost once one of those exists."""
        self._ctx.set(FENCE, fence)

    async def run(self, name: str, attempt: Attempt) -> Outcome:
        """Restate itself tries again, so that it can tell others of the attempt and the last error."""
        if self._started is None:
            self._started = await self._ctx.run_typed("started", _now)
        started, deadline = self._started, self._started + self._timeout

        async def action() -> Outcome:
            return await attempt(started, deadline, time.time)

        left = max(deadline - time.time(), FIRST_RETRY)
        options: RunOptions[Outcome] = RunOptions(
            type_hint=Outcome,
            initial_retry_interval=timedelta(seconds=FIRST_RETRY),
            retry_interval_factor=RETRY_FACTOR,
            max_retry_interval=timedelta(seconds=min(LONGEST_RETRY, left)),
        )
        return await self._ctx.run_typed(name, action, options)

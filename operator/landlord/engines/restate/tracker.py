"""Follows all long work at once: one query per tick, whatever the number; none while there is none."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field

from landlord.api.outcome import Failure, Outcome
from landlord.api.request import Request
from landlord.engines.contract import JOURNAL_MISMATCH, Progress
from landlord.engines.restate.admin import Admin
from landlord.engines.restate.ingress import Ingress
from landlord.engines.restate.invocations import by_id, queues_of
from landlord.engines.restate.progress import error_line, progress_of
from landlord.engines.restate.seen import Invocation
from landlord.engines.restate.supersede import KILL_AFTER_SECONDS, QUEUED, STUCK, verb_for
from landlord.errors import EngineError, EngineUnreachable

logger = logging.getLogger(__name__)

TICK_SECONDS = 2.0
SOON_SECONDS = 0.2
"""After something was set going, whose effect is then due."""
SHARE = 0.05
"""Most of the time that queries may take: a slow Restate is asked less often, but for this."""
LONGEST_PAUSE = 10.0
OUTPUTS_AT_ONCE = 50
OTHER_JOURNAL = "RT0016"
WORKER_AWAY = "RT0010"


@dataclass(eq=False)
class _Followed:
    request: Request
    invocation_id: str
    ended: asyncio.Future[Outcome] = field(default_factory=asyncio.Future)
    progress: Progress | None = None


@dataclass
class _Stopping:
    """An invocation that was cancelled."""

    since: float = field(default_factory=time.monotonic)
    resumed: bool = False


class Tracker:
    """`send` submits a request and returns its invocation's id; `progressed` hears of each change."""

    def __init__(
        self,
        admin: Admin,
        ingress: Ingress,
        *,
        send: Callable[[Request], Awaitable[str]],
        progressed: Callable[[Request, Progress], None],
    ) -> None:
        self._admin = admin
        self._ingress = ingress
        self._send = send
        self._progressed = progressed
        self._followed: set[_Followed] = set()
        self._stopping: dict[str, _Stopping] = {}
        self._newly_registered = False
        self._blind = False
        self._wake = asyncio.Event()

    async def follow(self, request: Request) -> Outcome:
        """Make sure that the request is submitted, and wait for its end. Needs `run`.

        Raises InvocationLost once Restate does not know it any more, and what `send` raises. An outage of
        Restate is waited out.
        """
        followed = _Followed(request, await self._send(request))
        self._followed.add(followed)
        self._wake.set()
        try:
            return await followed.ended
        finally:
            self._followed.discard(followed)

    def registered(self) -> None:
        """The workflow is registered again: find what was lost, and end waits for a worker that was away."""
        self._newly_registered = True
        self._wake.set()

    async def run(self) -> None:
        """Tick until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._followed:
                began = time.monotonic()
                acted = await self.tick()
                slow = min((time.monotonic() - began) / SHARE, LONGEST_PAUSE)
                pause = max(SOON_SECONDS if acted else TICK_SECONDS, slow)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await self._wake.wait()
                self._wake.clear()
            self._stopping.clear()

    async def tick(self) -> bool:
        """Look at everything that is followed, once. Whether that set something going."""
        followed = list(self._followed)
        resuming, self._newly_registered = self._newly_registered, False
        try:
            seen = await by_id(self._admin, [each.invocation_id for each in followed])
            acted = await self._supersede(followed, seen)
            if resuming:
                acted |= await self._resume(seen.values())
        except EngineUnreachable as error:
            self._newly_registered |= resuming
            await self._go_on_blind(followed, error)
            return False
        if self._blind:
            self._blind = False
            logger.info("the progress of unfinished work is seen again")
        gone = []
        for each in followed:
            invocation = seen.get(each.invocation_id)
            if invocation is None or invocation.status == "completed":
                gone.append(each)
            else:
                await self._unfinished(each, invocation)
        await self._end_all(gone)
        return acted

    async def _go_on_blind(self, followed: list[_Followed], error: EngineUnreachable) -> None:
        """What is unfinished stands as it did; what has ended can be asked for all the same."""
        if not self._blind:
            self._blind = True
            logger.warning("the progress of unfinished work can't be seen: %s", error)
        # In an outage of all of Restate the first one has shown enough.
        if await self._end(followed[0]):
            await self._end_all(followed[1:])

    async def _end_all(self, followed: list[_Followed]) -> None:
        slots = asyncio.Semaphore(OUTPUTS_AT_ONCE)

        async def end(each: _Followed) -> None:
            async with slots:
                await self._end(each)

        await asyncio.gather(*(end(each) for each in followed))

    async def _end(self, followed: _Followed) -> bool:
        """Tell whoever waits if it has ended. Whether the ingress answers."""
        try:
            outcome = await self._ingress.output(followed.request)
        except EngineUnreachable:
            return False
        except EngineError as error:  # whoever waits decides: it may be lost, or refused
            if not followed.ended.done():
                followed.ended.set_exception(error)
            return True
        if outcome is not None and not followed.ended.done():
            followed.ended.set_result(outcome.model_copy(update={"invocation_id": followed.invocation_id}))
        return True

    async def _unfinished(self, followed: _Followed, invocation: Invocation) -> None:
        if invocation.status in STUCK and invocation.last_failure_error_code == OTHER_JOURNAL:
            await self._give_up(followed, invocation)
            return
        progress = progress_of(invocation)
        if progress != followed.progress:
            followed.progress = progress
            self._progressed(followed.request, progress)

    async def _resume(self, invocations: Iterable[Invocation]) -> bool:
        waiting = [
            invocation.id
            for invocation in invocations
            if invocation.status == "backing-off" and invocation.last_failure_error_code == WORKER_AWAY
        ]
        for id in waiting:
            await self._admin.resume(id)
        return bool(waiting)

    async def _give_up(self, followed: _Followed, invocation: Invocation) -> None:
        """The worker's code does not fit the journal any more, so this can never end; a new attempt can."""
        try:
            await self._admin.kill(invocation.id)
        except EngineUnreachable:
            return
        said = error_line(invocation.last_failure or "")
        message = f"the worker was changed while this ran, and can't go on with it: {said}"
        failure = Failure(code=JOURNAL_MISMATCH, message=message, retryable=True)
        if not followed.ended.done():
            outcome = Outcome(result="Failed", failure=failure, invocation_id=invocation.id)
            followed.ended.set_result(outcome)

    async def _supersede(self, followed: list[_Followed], seen: Mapping[str, Invocation]) -> bool:
        waiting = [
            each
            for each in followed
            if (invocation := seen.get(each.invocation_id)) is not None and invocation.status in QUEUED
        ]
        if not waiting:
            self._stopping.clear()
            return False
        queues = await queues_of(self._admin, {each.request.tenant_id for each in waiting})
        unseen = [id for queue in queues.values() for id in queue if id not in seen]
        known = {**seen, **await by_id(self._admin, unseen)}
        self._stopping = {id: stopping for id, stopping in self._stopping.items() if id in known}
        acted = False
        for each in waiting:
            for id in queues.get(each.request.tenant_id, []):
                if id == each.invocation_id:
                    break
                if (ahead := known.get(id)) is not None:
                    acted |= await self._push_aside(ahead, each.request)
        return acted

    async def _push_aside(self, ahead: Invocation, ours: Request) -> bool:
        verb = verb_for(ahead, ours)
        if verb is None:
            return False
        stopping = self._stopping.get(ahead.id)
        if stopping is None:
            logger.info(
                "older work is superseded",
                extra={
                    "tenant": ours.tenant_id,
                    "generation": ours.generation,
                    "invocation": ahead.id,
                    "older": ahead.idempotency_key,
                    "state": ahead.status,
                },
            )
            # Once only: a second cancel would break off what the first one makes the handler do.
            await self._admin.cancel(ahead.id)
            stopping = self._stopping[ahead.id] = _Stopping()
        if verb == "stop" and not stopping.resumed:
            await self._admin.resume(ahead.id)
            stopping.resumed = True
        elif time.monotonic() - stopping.since > KILL_AFTER_SECONDS:
            await self._admin.kill(ahead.id)
        return True

"""Tracks all long work with one query per tick, and with none while there is no long work."""

import asyncio
import contextlib
import logging
import math
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field

from landlord.api.outcome import Failure, Outcome
from landlord.api.request import Request
from landlord.engines.contract import JOURNAL_MISMATCH, Progress
from landlord.engines.restate.admin import Admin
from landlord.engines.restate.ingress import Ingress
from landlord.engines.restate.invocations import read_invocations, read_queues
from landlord.engines.restate.progress import error_line, progress_of
from landlord.engines.restate.seen import Invocation
from landlord.engines.restate.supersede import KILL_AFTER_SECONDS, QUEUED, STUCK, choose_verb
from landlord.errors import EngineError, EngineUnreachable, NotRegistered

logger = logging.getLogger(__name__)

TICK_SECONDS = 2.0
SOON_SECONDS = 0.2
"""The tick after the tracker changed something, to see the effect."""
SHARE = 0.05
"""The largest share of the time that queries may take. A slow Restate is queried less often."""
LONGEST_PAUSE = 10.0
OUTPUTS_AT_ONCE = 50
OTHER_JOURNAL = "RT0016"
RESUME_SECONDS = 5.0
"""The shortest time between two resumes of what Restate paused because the worker was away. It is the longest
backoff of work that Restate does not pause."""


@dataclass(eq=False)
class _TrackedRequest:
    request: Request
    invocation_id: str
    ended: asyncio.Future[Outcome] = field(default_factory=asyncio.Future)
    progress: Progress | None = None


@dataclass
class _Stopping:
    """An invocation that the tracker cancelled."""

    since: float = field(default_factory=time.monotonic)
    resumed: bool = False


class Tracker:
    """Tracks requests. `send` submits one and returns its invocation's id; `on_progress` gets each change."""

    def __init__(
        self,
        admin: Admin,
        ingress: Ingress,
        *,
        send: Callable[[Request], Awaitable[str]],
        on_progress: Callable[[Request, Progress], None],
    ) -> None:
        self._admin = admin
        self._ingress = ingress
        self._send = send
        self._on_progress = on_progress
        self._followed: set[_TrackedRequest] = set()
        self._stopping: dict[str, _Stopping] = {}
        self._registered = False
        self._newly_registered = False
        self._resumed_at = -math.inf
        self._blind = False
        self._wake = asyncio.Event()

    async def follow(self, request: Request) -> Outcome:
        """Submit the request unless it was submitted before, and wait for its end. Requires `run`.

        Raises InvocationLost if Restate lost the work, and what `send` raises. Waits during an outage of
        Restate.
        """
        followed = _TrackedRequest(request, await self._send(request))
        self._followed.add(followed)
        self._wake.set()
        try:
            return await followed.ended
        finally:
            self._followed.discard(followed)

    def note_registration(self, registered: bool) -> None:
        """Find lost work, and resume work that waits for the worker, once the workflow is registered."""
        self._registered = registered
        if registered:
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
        """Check all tracked work once. Returns whether that changed anything in Restate."""
        followed = list(self._followed)
        resuming, self._newly_registered = self._newly_registered, False
        try:
            seen = await read_invocations(self._admin, [each.invocation_id for each in followed])
            acted = await self._supersede(followed, seen)
            acted |= await self._resume(seen.values(), newly_registered=resuming)
        except EngineUnreachable as error:
            self._newly_registered |= resuming
            await self._continue_blind(followed, error)
            return False
        if self._blind:
            self._blind = False
            logger.info("the progress of unfinished work can be read again")
        finished = []
        for each in followed:
            invocation = seen.get(each.invocation_id)
            if invocation is None or invocation.status == "completed":
                finished.append(each)
            else:
                await self._update(each, invocation)
        await self._finish_all(finished)
        return acted

    async def _continue_blind(self, followed: list[_TrackedRequest], error: EngineUnreachable) -> None:
        """Read outcomes although progress can't be read."""
        if not self._blind:
            self._blind = True
            logger.warning("can't read the progress of unfinished work: %s", error)
        # If all of Restate is away, the first request shows it.
        if await self._finish(followed[0]):
            await self._finish_all(followed[1:])

    async def _finish_all(self, followed: list[_TrackedRequest]) -> None:
        slots = asyncio.Semaphore(OUTPUTS_AT_ONCE)

        async def finish(each: _TrackedRequest) -> None:
            async with slots:
                await self._finish(each)

        await asyncio.gather(*(finish(each) for each in followed))

    async def _finish(self, followed: _TrackedRequest) -> bool:
        """Pass on the outcome if there is one. Returns whether the ingress answers."""
        try:
            outcome = await self._ingress.output(followed.request)
        except EngineUnreachable:
            return False
        except NotRegistered:  # Restate still has the work, and shows it when the workflow is registered
            return True
        except EngineError as error:  # the caller decides: the work may be lost or rejected
            if not followed.ended.done():
                followed.ended.set_exception(error)
            return True
        if outcome is not None and not followed.ended.done():
            followed.ended.set_result(outcome.model_copy(update={"invocation_id": followed.invocation_id}))
        return True

    async def _update(self, followed: _TrackedRequest, invocation: Invocation) -> None:
        if invocation.status in STUCK and invocation.last_failure_error_code == OTHER_JOURNAL:
            await self._give_up(followed, invocation)
            return
        progress = progress_of(invocation)
        if progress != followed.progress:
            followed.progress = progress
            self._on_progress(followed.request, progress)

    async def _resume(self, invocations: Iterable[Invocation], *, newly_registered: bool) -> bool:
        """Retry now what stopped because the worker was away.

        What backs off retries by itself later, but what Restate paused does not. Restate may also pause it
        while the operator reaches the worker and Restate does not, so those are resumed again and again.
        """
        may_resume = self._registered and time.monotonic() - self._resumed_at >= RESUME_SECONDS
        waiting = [
            invocation
            for invocation in invocations
            if invocation.waits_for_worker
            and (newly_registered or (may_resume and invocation.status == "paused"))
        ]
        for each in waiting:
            await self._admin.resume(each.id)
        if waiting:
            self._resumed_at = time.monotonic()
        return bool(waiting)

    async def _give_up(self, followed: _TrackedRequest, invocation: Invocation) -> None:
        """Kill an invocation whose journal does not match the worker's new code; another attempt can
        finish."""
        try:
            await self._admin.kill(invocation.id)
        except EngineUnreachable:
            return
        error = error_line(invocation.last_failure or "")
        message = f"the worker was replaced while this workflow ran, and can't continue it: {error}"
        failure = Failure(code=JOURNAL_MISMATCH, message=message, retryable=True)
        if not followed.ended.done():
            outcome = Outcome(result="Failed", failure=failure, invocation_id=invocation.id)
            followed.ended.set_result(outcome)

    async def _supersede(self, followed: list[_TrackedRequest], seen: Mapping[str, Invocation]) -> bool:
        waiting = [
            each
            for each in followed
            if (invocation := seen.get(each.invocation_id)) is not None and invocation.status in QUEUED
        ]
        if not waiting:
            self._stopping.clear()
            return False
        queues = await read_queues(self._admin, {each.request.tenant_id for each in waiting})
        unseen = [id for queue in queues.values() for id in queue if id not in seen]
        known = {**seen, **await read_invocations(self._admin, unseen)}
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
        verb = choose_verb(ahead, ours)
        if verb is None:
            return False
        stopping = self._stopping.get(ahead.id)
        if stopping is None:
            logger.info(
                "superseding older work",
                extra={
                    "tenant": ours.tenant_id,
                    "generation": ours.generation,
                    "invocation": ahead.id,
                    "older": ahead.idempotency_key,
                    "state": ahead.status,
                },
            )
            # Only once: a second cancel would interrupt what the handler does after the first.
            await self._admin.cancel(ahead.id)
            stopping = self._stopping[ahead.id] = _Stopping()
        if verb == "stop" and not stopping.resumed:
            await self._admin.resume(ahead.id)
            stopping.resumed = True
        elif time.monotonic() - stopping.since > KILL_AFTER_SECONDS:
            await self._admin.kill(ahead.id)
        return True

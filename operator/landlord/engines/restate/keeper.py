"""Keeps the workflow registered: looks again and again, and makes true what is not.

Level-triggered: every check starts from what Restate and the worker say now, whatever happened before.
What to conclude is in `verdict`; this looks, acts and tells.
"""

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Callable
from dataclasses import replace

from landlord import metrics
from landlord.api.names import WORKFLOW_SERVICE
from landlord.engines import Registration
from landlord.engines.restate import probe
from landlord.engines.restate.admin import Admin
from landlord.engines.restate.connection import HeldConnection
from landlord.engines.restate.http import HttpClient
from landlord.engines.restate.refusals import refusal
from landlord.engines.restate.seen import Deployment, Engine, EngineAway, Refused, Worker, WorkerAway
from landlord.engines.restate.verdict import Memory, Names, RefusedBefore, Verdict, decide
from landlord.errors import EngineUnreachable

logger = logging.getLogger(__name__)

SETTLED_SECONDS = (5.0, 10.0)
FIRST_RETRY, LONGEST_RETRY = 0.1, 2.0
SECOND_LOOK_SECONDS = 0.05

_ATTEMPT_OUTCOMES = {
    "WorkerUnreachable": "worker_unreachable",
    "RegistrationRejected": "rejected",
    "EngineUnreachable": "engine_unreachable",
}


class Keeper:
    """`changed` hears of every registration that differs from the one before."""

    def __init__(self, admin: Admin, worker: HttpClient, *, changed: Callable[[Registration], None]) -> None:
        self._admin = admin
        self._worker = worker
        self._changed = changed
        self._names = Names(WORKFLOW_SERVICE, admin.url, worker.url)
        self._memory = Memory()
        self._lost_since: float | None = None
        self._kicked = asyncio.Event()
        self.registration = Registration(
            "Unknown", "EngineUnreachable", f"Restate at {admin.url} has not been asked yet"
        )

    def kick(self) -> None:
        """Check now: something was seen that may have to do with the registration."""
        self._kicked.set()

    async def run(self) -> None:
        """Check until cancelled."""
        restate = HeldConnection(self._admin.url, ended=self._engine_ended, returned=self.kick)
        worker = HeldConnection(self._worker.url, ended=self.kick, returned=self.kick)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(restate.run())
            tasks.create_task(worker.run())
            tasks.create_task(self._loop())

    async def _loop(self) -> None:
        retry = FIRST_RETRY
        while True:
            await self.check()
            if self.registration.ready:
                wait, retry = random.uniform(*SETTLED_SECONDS), FIRST_RETRY  # noqa: S311 - jitter
            else:
                wait, retry = retry, min(retry * 2, LONGEST_RETRY)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._kicked.wait(), wait)
                retry = FIRST_RETRY
            self._kicked.clear()

    async def check(self) -> None:
        """Look, tell what was seen, register if that is called for, and tell what came of it."""
        engine, worker = await self._look()
        verdict = self._conclude(engine, worker)
        if not verdict.register or isinstance(engine, EngineAway) or isinstance(worker, WorkerAway):
            return
        refused = await self._register(engine, worker)
        self._memory = replace(self._memory, refused=refused)
        if refused is None:
            # Whether it worked is not for Restate's answer to say, but for what it says when asked again.
            verdict = self._conclude(*await self._look())
            outcome = "verified" if verdict.registration.ready else "unverified"
        else:
            self._conclude(engine, worker)
            outcome = _ATTEMPT_OUTCOMES[refused.refusal.reason]
        metrics.registration_attempts.labels(outcome).inc()

    async def _look(self) -> tuple[Engine, Worker | WorkerAway]:
        seen = await self._look_once()
        if self.registration.ready and not decide(self._names, *seen, self._memory, 0.0).registration.ready:
            # One bad answer may be an accident, for instance of a connection that had gone stale.
            await asyncio.sleep(SECOND_LOOK_SECONDS)
            seen = await self._look_once()
        return seen

    async def _look_once(self) -> tuple[Engine, Worker | WorkerAway]:
        engine, worker = await asyncio.gather(self._ask_engine(), probe.look(self._worker))
        return engine, worker

    async def _ask_engine(self) -> Engine:
        try:
            return await self._admin.latest(WORKFLOW_SERVICE)
        except EngineUnreachable as error:
            return EngineAway(str(error))

    def _conclude(self, engine: Engine, worker: Worker | WorkerAway) -> Verdict:
        verdict = decide(self._names, engine, worker, self._memory, time.monotonic())
        metrics.engine_reachable.set(not isinstance(engine, EngineAway))
        metrics.registration_up.set(verdict.registration.ready)
        if verdict.loss is not None and self._lost_since is None:
            self._lost_since = time.monotonic()
            metrics.registration_lost.labels(verdict.loss).inc()
            logger.warning("registration found lost", extra={"cause": verdict.loss})
        if verdict.registration.ready and isinstance(engine, Deployment):
            self._verified(engine)
        self._tell(verdict.registration)
        return verdict

    def _verified(self, deployment: Deployment) -> None:
        metrics.registration_last_verified.set_to_current_time()
        if self._lost_since is not None:
            metrics.registration_repair_seconds.observe(time.monotonic() - self._lost_since)
            self._lost_since = None
        self._memory = Memory(verified=deployment)

    async def _register(self, engine: Deployment | None, worker: Worker) -> RefusedBefore | None:
        try:
            await self._admin.register(self._worker.url, worker.revision)
        except (Refused, EngineUnreachable) as error:
            said = refusal(error, self._worker.url)
            return RefusedBefore(said, worker.revision, engine.id if engine else None, time.monotonic())
        return None

    def _tell(self, registration: Registration) -> None:
        if registration == self.registration:
            return
        before, self.registration = self.registration, registration
        if (before.reason, before.message) != (registration.reason, registration.message):
            logger.log(
                logging.INFO if registration.ready else logging.WARNING,
                "registration: %s",
                registration.message,
                extra={
                    "reason": registration.reason,
                    "deployment": registration.deployment_id,
                    "revision": registration.revision,
                },
            )
        self._changed(registration)

    def _engine_ended(self) -> None:
        self._memory = replace(self._memory, engine_restarted=True)
        self.kick()

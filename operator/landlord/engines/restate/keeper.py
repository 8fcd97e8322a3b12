"""Keeps the workflow registered: looks again and again, and makes true what is not.

Level-triggered: every check starts from what Restate and the worker say now, whatever happened before.
What to conclude is in `verdict`; this looks, acts and tells.
"""

import asyncio
import contextlib
import logging
import math
import random
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Literal, NamedTuple

from landlord import metrics
from landlord.api.names import WORKFLOW_SERVICE
from landlord.engines.contract import History, Loss, Registration
from landlord.engines.restate import probe
from landlord.engines.restate.admin import Admin
from landlord.engines.restate.connection import HeldConnection
from landlord.engines.restate.http import HttpClient
from landlord.engines.restate.ingress import Ingress
from landlord.engines.restate.refusals import Reason, refusal
from landlord.engines.restate.seen import (
    Deployment,
    Engine,
    EngineAway,
    Refused,
    Seen,
    Unheard,
    Worker,
    WorkerAway,
)
from landlord.engines.restate.seen import Ingress as IngressSeen
from landlord.engines.restate.verdict import (
    LossCause,
    Memory,
    Policy,
    RefusedBefore,
    Verdict,
    Wanted,
    decide,
    is_new_loss,
    registered_over,
)
from landlord.errors import EngineUnreachable

logger = logging.getLogger(__name__)

SETTLED_SECONDS = (5.0, 10.0)
FIRST_RETRY, LONGEST_RETRY = 0.1, 2.0
SECOND_LOOK_SECONDS = 0.05
REST_SECONDS = 0.02
"""The least time between two looks, however often something kicks."""

Trigger = Literal["interval", "restate", "worker", "ingress", "pods"]
"""Why the registration is looked at; a label value of landlord_registration_checks_total."""

AttemptOutcome = Literal[
    "not_made", "verified", "unverified", "rejected", "worker_unreachable", "engine_unreachable"
]


class Attempt(NamedTuple):
    """A registration that was sent to Restate, or could not be."""

    outcome: AttemptOutcome
    """But for not_made, a label value of landlord_registration_attempts_total."""
    message: str
    """Why, or how it is now."""


_ATTEMPT_OUTCOMES: dict[Reason, AttemptOutcome] = {
    "WorkerUnreachable": "worker_unreachable",
    "RegistrationRejected": "rejected",
    "EngineUnreachable": "engine_unreachable",
}


class Keeper:
    """`changed` hears of every registration that differs from the one before."""

    def __init__(
        self,
        admin: Admin,
        ingress: Ingress,
        worker: HttpClient,
        policy: Policy,
        *,
        changed: Callable[[Registration], None],
    ) -> None:
        self._admin = admin
        self._ingress = ingress
        self._worker = worker
        self._changed = changed
        self._wanted = Wanted(WORKFLOW_SERVICE, admin.url, worker.url, policy)
        self._memory = Memory()
        self._lost: LossCause | None = None
        self._lost_since = 0.0
        self._needs_person = False
        self._kicked = asyncio.Event()
        self._trigger: Trigger = "interval"
        self.registration = Registration(
            "Unknown", "EngineUnreachable", f"Restate at {admin.url} has not been asked yet"
        )
        self.history = History("has not begun yet")

    def kick(self, trigger: Trigger) -> None:
        """Check now: something was seen that may have to do with the registration."""
        if not self._kicked.is_set():
            self._trigger = trigger
        self._kicked.set()

    async def run(self) -> None:
        """Check until cancelled."""
        restate = HeldConnection(
            self._admin.url,
            self._admin.tls,
            ended=self._engine_ended,
            returned=partial(self.kick, "restate"),
        )
        worker = HeldConnection(
            self._worker.url,
            self._worker.access.tls,
            ended=self._worker_ended,
            returned=partial(self.kick, "worker"),
        )
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(restate.run())
            tasks.create_task(worker.run())
            tasks.create_task(self._loop())

    async def check(self) -> None:
        """Look, tell what was seen, register if that is called for, and tell what came of it."""
        seen = await self._look()
        if self._conclude(seen).register:
            await self._register(seen)

    async def register(self) -> Attempt:
        """Register the worker now, whatever the policy and earlier refusals say, if it and Restate answer."""
        seen = await self._look()
        self._conclude(seen)
        return await self._register(seen)

    async def look(self) -> Seen:
        """Ask Restate's admin API, its ingress, and the worker, once."""
        engine, ingress, worker = await asyncio.gather(
            self._ask_engine(), self._ask_ingress(), probe.look(self._worker)
        )
        return Seen(engine, worker, ingress)

    async def _loop(self) -> None:
        trigger: Trigger = "interval"
        retry = FIRST_RETRY
        while True:
            await self.check()
            metrics.registration_checks.labels(trigger).inc()
            trigger = "interval"
            if self.registration.ready and self._memory.unheard_since is None:
                wait, retry = random.uniform(*SETTLED_SECONDS), FIRST_RETRY  # noqa: S311 - jitter
            else:
                wait, retry = retry, min(retry * 2, LONGEST_RETRY)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._kicked.wait()
                trigger, retry = self._trigger, FIRST_RETRY
                await asyncio.sleep(REST_SECONDS)
            self._kicked.clear()

    async def _look(self) -> Seen:
        seen = await self.look()
        verdict = self._decide(seen)
        if is_new_loss(self._lost, verdict.loss) or (
            self.registration.ready and not verdict.registration.ready
        ):
            # One bad answer may be an accident, for instance of a connection that had gone stale.
            await asyncio.sleep(SECOND_LOOK_SECONDS)
            seen = await self.look()
        return seen

    async def _ask_engine(self) -> Engine:
        try:
            return await self._admin.latest(WORKFLOW_SERVICE)
        except EngineUnreachable as error:
            return EngineAway(str(error))

    async def _ask_ingress(self) -> IngressSeen:
        try:
            if await self._ingress.knows_workflow():
                return None
        except EngineUnreachable as error:
            return EngineAway(str(error))
        return Unheard(
            f"Restate's ingress at {self._ingress.url} does not know {WORKFLOW_SERVICE}, which Restate's "
            f"admin API at {self._admin.url} has registered: check that LANDLORD_RESTATE_INGRESS_URL and "
            "LANDLORD_RESTATE_ADMIN_URL are of one Restate"
        )

    def _decide(self, seen: Seen) -> Verdict:
        return decide(self._wanted, seen, self._memory, time.monotonic())

    def _conclude(self, seen: Seen) -> Verdict:
        verdict = self._decide(seen)
        self.history = replace(self.history, doing=verdict.doing)
        # A gateway may answer all that is asked and refuse registrations: then only the verdict tells.
        answers = not isinstance(seen.engine, EngineAway) and not isinstance(seen.ingress, EngineAway)
        metrics.engine_reachable.set(answers and verdict.registration.reason != "EngineUnreachable")
        if isinstance(seen.engine, EngineAway):
            # Who can't be asked may be restarting; behind a gateway no connection tells of that.
            self._memory = replace(self._memory, engine_restarted=True)
        if isinstance(seen.engine, EngineAway) or isinstance(seen.worker, WorkerAway):
            # What was refused may be accepted by, or of, the one that comes back.
            self._refusal_is_due(at_once=True)
        if isinstance(seen.worker, WorkerAway):
            self._memory = replace(self._memory, renewed=())
        if verdict.loss is not None and is_new_loss(self._lost, verdict.loss):
            self._lost, self._lost_since, self._needs_person = verdict.loss, time.monotonic(), False
            self.history = replace(self.history, last_loss=Loss(verdict.loss, datetime.now(UTC)))
            metrics.registration_lost.labels(verdict.loss).inc()
            logger.warning("registration found lost", extra={"cause": verdict.loss})
        self._needs_person |= verdict.registration.hopeless
        if verdict.verified is not None:
            self._verified(verdict.verified)
        since = self._memory.unheard_since or time.monotonic()
        unheard = verdict.verified is not None and isinstance(seen.ingress, Unheard)
        self._memory = replace(self._memory, unheard_since=since if unheard else None)
        self._tell(verdict.registration)
        return verdict

    def _verified(self, deployment: Deployment) -> None:
        metrics.registration_last_verified.set_to_current_time()
        loss = self.history.last_loss
        if self._lost is not None and loss is not None:
            taken = time.monotonic() - self._lost_since
            if not self._needs_person:
                metrics.registration_repair_seconds.observe(taken)
            loss, self._lost = replace(loss, repaired_after=taken), None
        self.history = replace(self.history, last_verified=datetime.now(UTC), last_loss=loss)
        self._memory = replace(self._memory, verified=deployment, engine_restarted=False, refused=None)

    async def _register(self, seen: Seen) -> Attempt:
        engine, worker = seen.engine, seen.worker
        if isinstance(engine, EngineAway):
            return Attempt("not_made", engine.message)
        if isinstance(worker, WorkerAway):
            return Attempt("not_made", worker.message)
        refused = await self._attempt(engine, worker)
        self._memory = replace(self._memory, refused=refused)
        if refused is None:
            self._memory = registered_over(engine, self._wanted.worker_url, self._memory, time.monotonic())
            # Whether it worked is not for Restate's answer to say, but for what it says when asked again.
            verdict = self._conclude(await self._look())
            attempt = Attempt("verified" if verdict.verified else "unverified", verdict.registration.message)
        else:
            self._conclude(seen)
            attempt = Attempt(_ATTEMPT_OUTCOMES[refused.refusal.reason], refused.refusal.message)
        metrics.registration_attempts.labels(attempt.outcome).inc()
        return attempt

    async def _attempt(self, engine: Deployment | None, worker: Worker) -> RefusedBefore | None:
        try:
            await self._admin.register(self._worker.url)
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

    def _refusal_is_due(self, *, at_once: bool = False) -> None:
        if (refused := self._memory.refused) is not None:
            due = replace(refused, hinted=True, at=-math.inf if at_once else refused.at)
            self._memory = replace(self._memory, refused=due)

    def _engine_ended(self) -> None:
        self._memory = replace(self._memory, engine_restarted=True)
        self._refusal_is_due()
        self.kick("restate")

    def _worker_ended(self) -> None:
        self._refusal_is_due()
        self.kick("worker")

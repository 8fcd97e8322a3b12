"""Keeps the workflow registered, by repeated checks.

Level-triggered: every check starts from what Restate and the worker report now, whatever happened before.
`verdict` decides; this module observes, registers and reports.
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
from landlord.api.names import SURVEY_SERVICE, WORKFLOW_SERVICE
from landlord.engines.contract import ENGINE_STUCK, History, Loss, Registration
from landlord.engines.restate import probe
from landlord.engines.restate.admin import Admin
from landlord.engines.restate.connection import HeldConnection
from landlord.engines.restate.http import HttpClient
from landlord.engines.restate.ingress import Ingress
from landlord.engines.restate.partitions import Partitions
from landlord.engines.restate.refusals import Reason, interpret
from landlord.engines.restate.seen import (
    Deployment,
    EngineAnswer,
    EngineAway,
    IngressAnswer,
    Refused,
    Snapshot,
    Worker,
    WorkerAway,
    WorkflowUnknown,
)
from landlord.engines.restate.verdict import (
    LossCause,
    Memory,
    Policy,
    RefusedAttempt,
    RegistrationVerdict,
    Target,
    decide,
    is_new_loss,
    remember_takeover,
)
from landlord.errors import EngineUnreachable

logger = logging.getLogger(__name__)

SETTLED_SECONDS = (5.0, 10.0)
FIRST_RETRY, LONGEST_RETRY = 0.1, 2.0
SECOND_LOOK_SECONDS = 0.05
STARTING_SECONDS = 0.5
"""How long Restate's partitions may answer with errors after a start. Normally it takes about 0.3 s."""
REST_SECONDS = 0.02
"""The shortest time between two checks, however often something triggers them."""

Trigger = Literal["interval", "restate", "worker", "ingress", "pods"]
"""What triggers a check; a label value of landlord_registration_checks_total."""

AttemptOutcome = Literal[
    "not_made", "verified", "unverified", "rejected", "worker_unreachable", "engine_unreachable"
]


class RegistrationAttempt(NamedTuple):
    """A registration that was sent to Restate, or could not be sent."""

    outcome: AttemptOutcome
    """Except for not_made, a label value of landlord_registration_attempts_total."""
    message: str
    """Why it failed, or the registration after it."""


_ATTEMPT_OUTCOMES: dict[Reason, AttemptOutcome] = {
    "WorkerUnreachable": "worker_unreachable",
    "RegistrationRejected": "rejected",
    "EngineUnreachable": "engine_unreachable",
}


class Keeper:
    """Keeps one registration. Calls `on_change` with each registration that differs from the previous one."""

    def __init__(
        self,
        *,
        admin: Admin,
        ingress: Ingress,
        worker: HttpClient,
        policy: Policy,
        on_change: Callable[[Registration], None],
    ) -> None:
        self._admin = admin
        self._ingress = ingress
        self._worker = worker
        self._on_change = on_change
        self._target = Target(WORKFLOW_SERVICE, admin.url, worker.url, policy)
        self._partitions = Partitions(admin)
        self._memory = Memory()
        self._lost: LossCause | None = None
        self._lost_since = 0.0
        self._needs_person = False
        self._kicked = asyncio.Event()
        self._trigger: Trigger = "interval"
        self.registration = Registration(
            "Unknown", "EngineUnreachable", f"landlord has not asked Restate at {admin.url} yet"
        )
        self.history = History("has not started yet")

    def kick(self, trigger: Trigger) -> None:
        """Check now, because something happened that may affect the registration."""
        if not self._kicked.is_set():
            self._trigger = trigger
        self._kicked.set()

    async def run(self) -> None:
        """Check until cancelled."""
        restate = HeldConnection(
            self._admin.url,
            self._admin.tls,
            on_end=self._note_engine_end,
            on_return=partial(self.kick, "restate"),
        )
        worker = HeldConnection(
            self._worker.url,
            self._worker.access.tls,
            on_end=self._note_worker_end,
            on_return=partial(self.kick, "worker"),
        )
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(restate.run())
            tasks.create_task(worker.run())
            tasks.create_task(self._loop())

    async def check(self) -> None:
        """Observe and report the registration. If necessary, register the worker and report the result."""
        seen = await self._observe_twice()
        if self._conclude(seen).register:
            await self._register(seen)

    async def register(self) -> RegistrationAttempt:
        """Register the worker now, regardless of policy and earlier rejections, if it and Restate answer."""
        seen = await self._observe_twice()
        self._conclude(seen)
        return await self._register(seen)

    async def observe(self) -> Snapshot:
        """Ask Restate's admin API, its ingress, the worker and some of Restate's partitions once."""
        engine, ingress, worker = await asyncio.gather(
            self._ask_engine(), self._ask_ingress(), probe.observe_worker(self._worker)
        )
        stuck = None
        if isinstance(engine, Deployment):  # before that, they only delay the registration
            try:
                stuck = await self._partitions.find_stuck()
            except EngineUnreachable as error:
                engine = EngineAway(str(error))
        return Snapshot(engine, worker, ingress, stuck)

    async def _loop(self) -> None:
        trigger: Trigger = "interval"
        retry = FIRST_RETRY
        while True:
            await self.check()
            metrics.registration_checks.labels(trigger).inc()
            trigger = "interval"
            if self.registration.ready and self._memory.unknown_since is None:
                wait, retry = random.uniform(*SETTLED_SECONDS), FIRST_RETRY  # noqa: S311 - jitter
            else:
                wait, retry = retry, min(retry * 2, LONGEST_RETRY)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._kicked.wait()
                trigger, retry = self._trigger, FIRST_RETRY
                await asyncio.sleep(REST_SECONDS)
            self._kicked.clear()

    async def _observe_twice(self) -> Snapshot:
        """Observe, and observe again before reporting a loss or an outage."""
        seen = await self.observe()
        verdict = self._decide(seen)
        is_newly_stuck = verdict.registration.reason == ENGINE_STUCK != self.registration.reason
        is_outage = self.registration.ready and not verdict.registration.ready
        if is_new_loss(self._lost, verdict.loss) or is_outage or is_newly_stuck:
            # A single bad answer may be an accident, such as a stale connection.
            await asyncio.sleep(STARTING_SECONDS if is_newly_stuck else SECOND_LOOK_SECONDS)
            seen = await self.observe()
        return seen

    async def _ask_engine(self) -> EngineAnswer:
        try:
            return await self._admin.latest(WORKFLOW_SERVICE, SURVEY_SERVICE)
        except EngineUnreachable as error:
            return EngineAway(str(error))

    async def _ask_ingress(self) -> IngressAnswer:
        try:
            if await self._ingress.has_workflow():
                return None
        except EngineUnreachable as error:
            return EngineAway(str(error))
        return WorkflowUnknown(
            f"Restate's ingress at {self._ingress.url} does not have {WORKFLOW_SERVICE}, which is registered "
            f"in Restate's admin API at {self._admin.url}\n"
            "Fix: set LANDLORD_RESTATE_INGRESS_URL and LANDLORD_RESTATE_ADMIN_URL to the same Restate."
        )

    def _decide(self, seen: Snapshot) -> RegistrationVerdict:
        return decide(self._target, seen, self._memory, time.monotonic())

    def _conclude(self, seen: Snapshot) -> RegistrationVerdict:
        """Decide, remember and report."""
        verdict = self._decide(seen)
        self.history = replace(self.history, doing=verdict.doing)
        # A gateway may answer all reads and reject registrations, which only the verdict shows.
        answers = not isinstance(seen.engine, EngineAway) and not isinstance(seen.ingress, EngineAway)
        metrics.engine_reachable.set(
            answers and verdict.registration.reason not in ("EngineUnreachable", ENGINE_STUCK)
        )
        self._note_outages(seen)
        if verdict.loss is not None and is_new_loss(self._lost, verdict.loss):
            self._lost, self._lost_since, self._needs_person = verdict.loss, time.monotonic(), False
            self.history = replace(self.history, last_loss=Loss(verdict.loss, datetime.now(UTC)))
            metrics.registration_lost.labels(verdict.loss).inc()
            logger.warning("registration lost", extra={"cause": verdict.loss})
        self._needs_person |= verdict.registration.hopeless
        if verdict.verified is not None:
            self._note_verified(verdict.verified)
        since = self._memory.unknown_since or time.monotonic()
        unknown = verdict.verified is not None and isinstance(seen.ingress, WorkflowUnknown)
        self._memory = replace(self._memory, unknown_since=since if unknown else None)
        self._report(verdict.registration)
        return verdict

    def _note_outages(self, seen: Snapshot) -> None:
        if isinstance(seen.engine, EngineAway):
            # An unreachable Restate may be restarting; behind a gateway, no held connection shows that.
            self._memory = replace(self._memory, engine_restarted=True)
        if isinstance(seen.engine, EngineAway) or isinstance(seen.worker, WorkerAway):
            # Restate, or the worker, may be another one when it comes back.
            self._hint_at_change(retry_now=True)
        if isinstance(seen.worker, WorkerAway):
            self._memory = replace(self._memory, renewed=())

    def _note_verified(self, deployment: Deployment) -> None:
        metrics.registration_last_verified.set_to_current_time()
        loss = self.history.last_loss
        if self._lost is not None and loss is not None:
            seconds = time.monotonic() - self._lost_since
            if not self._needs_person:
                metrics.registration_repair_seconds.observe(seconds)
            loss, self._lost = replace(loss, repaired_after=seconds), None
        self.history = replace(self.history, last_verified=datetime.now(UTC), last_loss=loss)
        self._memory = replace(self._memory, verified=deployment, engine_restarted=False, refused=None)

    async def _register(self, seen: Snapshot) -> RegistrationAttempt:
        engine, worker = seen.engine, seen.worker
        if isinstance(engine, EngineAway):
            return RegistrationAttempt("not_made", engine.message)
        if isinstance(worker, WorkerAway):
            return RegistrationAttempt("not_made", worker.message)
        refused = await self._send(engine, worker)
        self._memory = replace(self._memory, refused=refused)
        if refused is None:
            self._memory = remember_takeover(engine, self._target.worker_url, self._memory, time.monotonic())
            # Restate's answer does not prove that it worked: only another check does.
            verdict = self._conclude(await self._observe_twice())
            outcome: AttemptOutcome = "verified" if verdict.verified else "unverified"
            attempt = RegistrationAttempt(outcome, verdict.registration.message)
        else:
            self._conclude(seen)
            attempt = RegistrationAttempt(_ATTEMPT_OUTCOMES[refused.refusal.reason], refused.refusal.message)
        metrics.registration_attempts.labels(attempt.outcome).inc()
        return attempt

    async def _send(self, engine: Deployment | None, worker: Worker) -> RefusedAttempt | None:
        try:
            await self._admin.register(self._worker.url)
        except (Refused, EngineUnreachable) as error:
            return RefusedAttempt(
                refusal=interpret(error, self._worker.url),
                revision=worker.revision,
                deployment_id=engine.id if engine else None,
                at=time.monotonic(),
            )
        return None

    def _report(self, registration: Registration) -> None:
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
        self._on_change(registration)

    def _hint_at_change(self, *, retry_now: bool = False) -> None:
        """Retry a refused registration sooner, because Restate or the worker may have been replaced."""
        if (refused := self._memory.refused) is not None:
            hinted = replace(refused, is_hinted=True, at=-math.inf if retry_now else refused.at)
            self._memory = replace(self._memory, refused=hinted)

    def _note_engine_end(self) -> None:
        self._memory = replace(self._memory, engine_restarted=True)
        self._hint_at_change()
        self.kick("restate")

    def _note_worker_end(self) -> None:
        self._hint_at_change()
        self.kick("worker")

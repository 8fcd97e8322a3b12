"""A workflow engine in memory, with the promises and the failures of Restate.

An idempotency key is one invocation, however often it is submitted, and one invocation of a tenant runs at a
time. The workflow, its fence and the decision on who supersedes whom are landlord's own code. Nothing goes on
by itself: a rule says which invocation does what.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from tests.model.backend import ModelBackend

from landlord.api.outcome import Outcome
from landlord.api.request import Desired, Request
from landlord.api.survey import Seen, SurveyRequest
from landlord.engines.contract import Progress, Registration
from landlord.engines.restate.seen import Invocation
from landlord.engines.restate.supersede import choose_verb
from landlord.errors import EngineError, EngineUnreachable, InvocationLost, NotRegistered
from landlord.workflow import run
from landlord.workflow.attempt import TryAgain, build_failure
from landlord.workflow.fence import Fence
from landlord.workflow.position import StepPosition
from landlord.workflow.run import StepAttempt
from landlord.workflow.survey import survey

Status = Literal["pending", "running", "backing-off", "paused", "completed"]
CANCELLED = build_failure("Cancelled", "the workflow was cancelled", retryable=True)
REGISTERED = Registration("True", "Registered", "registered", backends=frozenset({"model"}))
LOST = Registration("False", "RegistrationLost", "the store was lost", backends=frozenset({"model"}))
AWAY = Registration("Unknown", "EngineUnreachable", "the model's engine is away")


@dataclass(eq=False)
class Work:
    """One invocation."""

    id: str
    request: Request
    ended: "asyncio.Future[Outcome]"
    status: Status = "pending"
    last_error: str = ""
    tries: int = 1
    position: StepPosition | None = None
    done: dict[str, Outcome] = field(default_factory=dict)
    """The journal: the outcome of each step."""

    def seen(self) -> Invocation:
        return Invocation(
            id=self.id,
            target_service_key=self.request.tenant_id,
            target_handler_name=self.request.operation,
            idempotency_key=self.request.idempotency_key,
            status=self.status,
        )

    def progress(self) -> Progress:
        where = self.position
        states: dict[Status, Literal["Pending", "Running", "BackingOff", "Paused"]] = {
            "pending": "Pending",
            "backing-off": "BackingOff",
            "paused": "Paused",
        }
        return Progress(
            states.get(self.status, "Running"),
            invocation_id=self.id,
            step=where.step if where else None,
            step_number=where.number if where else None,
            total_steps=where.total if where else None,
            attempt=self.tries,
            last_error=self.last_error or None,
        )


class _Suspended(Exception):
    """A try of the workflow has done its one step; the rest is for the next one."""


class _Journal:
    """Lets one try of an invocation do at most one more step."""

    def __init__(self, engine: "ModelEngine", work: Work) -> None:
        self._engine, self._work, self._may_step = engine, work, True

    async def fence(self) -> Fence | None:
        return self._engine.fences.get(self._work.request.tenant_id)

    async def accept(self, fence: Fence) -> None:
        self._engine.fences[self._work.request.tenant_id] = fence

    async def run(self, position: StepPosition, attempt: StepAttempt) -> Outcome:
        work = self._work
        if str(position) not in work.done:
            if not self._may_step:
                raise _Suspended
            self._may_step, work.position = False, position
            now = self._engine.loop.time()
            work.done[str(position)] = await attempt(now, now + 1e9, self._engine.loop.time)
            work.tries, work.last_error = 1, ""
            self._engine.on_step(work.request, position.step)
        return work.done[str(position)]


class ModelEngine:
    """`on_step` hears of each step that was done, `on_end` of each invocation that ended."""

    def __init__(self, loop: asyncio.AbstractEventLoop, backend: ModelBackend) -> None:
        self.loop = loop
        self.backend = backend
        self.is_away = False
        self.is_eager = False
        """Whether work is done as soon as it is submitted."""
        self.loses_answer = False
        self.registration = REGISTERED
        self.fences: dict[str, Fence] = {}
        self.works: dict[tuple[str, str], Work] = {}
        self.queues: dict[str, list[Work]] = {}
        self.submitted: list[Request] = []
        """Since the store was lost: what a network might deliver once more."""
        self.on_accept: Callable[[Request], None] = lambda request: None
        self.on_step: Callable[[Request, str], None] = lambda request, step: None
        self.on_end: Callable[[Request, Outcome], None] = lambda request, outcome: None
        self._ids = 0

    # What the operator calls.

    async def perform(self, request: Request) -> Outcome:
        if self.is_away:
            raise EngineUnreachable("the model's engine is away")
        if not self.registration.ready:
            raise NotRegistered("the model's engine lacks the workflow")
        work = self.submit(request)
        if self.is_eager:
            while work.status in ("pending", "running") and await self.advance(
                self.queues[request.tenant_id][0]
            ):
                pass
        if self.loses_answer:
            self.loses_answer = False
            raise EngineUnreachable("the model lost the answer to this submission")
        return await asyncio.shield(work.ended)

    async def survey(self, provider: str) -> Mapping[str, Seen]:
        if self.is_away or not self.registration.ready:
            raise EngineError("the model's engine can't be asked")
        return (await survey({provider: self.backend}, SurveyRequest(provider=provider))).tenants

    async def inspect(self, provider: str, desired: Desired) -> Sequence[str]:
        return ()

    # What happens to it.

    def submit(self, request: Request) -> Work:
        key = (request.operation, request.idempotency_key)
        self.submitted.append(request)
        work = self.works.get(key)
        if work is None:
            self._ids += 1
            work = self.works[key] = Work(f"inv_{self._ids}", request, self.loop.create_future())
            self.queues.setdefault(request.tenant_id, []).append(work)
            self.on_accept(request)
            self._supersede()
        return work

    async def advance(self, work: Work) -> bool:
        """Let the first invocation of a tenant do its next step. Returns whether it can go on after that."""
        if work.status == "paused" or self.queues[work.request.tenant_id][0] is not work:
            return False
        work.status, self.backend.serving = "running", work.request
        try:
            outcome = await run.provision(work.request, {"model": self.backend}, _Journal(self, work))
        except _Suspended:
            return True
        except TryAgain as error:
            work.status, work.last_error, work.tries = "backing-off", error.message, work.tries + 1
            self._supersede()
            return False
        self._end(work, outcome)
        return False

    def pause(self, work: Work) -> None:
        work.status = "paused"
        self._supersede()

    def kill(self, work: Work) -> None:
        self._end(work, CANCELLED)

    def lose_store(self) -> None:
        works = [work for work in self.works.values() if not work.ended.done()]
        self.works.clear()
        self.queues.clear()
        self.fences.clear()
        self.submitted.clear()
        for work in works:
            work.ended.set_exception(InvocationLost("the model's engine lost its store"))
            work.ended.exception()

    def forget_ended(self) -> None:
        """Forget the outcomes, as Restate does a day later."""
        self.works = {key: work for key, work in self.works.items() if work.status != "completed"}

    def owner_of(self, tenant_id: str) -> str | None:
        """The uid whose request was accepted last."""
        return self.fences[tenant_id].uid if tenant_id in self.fences else None

    def unfinished(self) -> list[Work]:
        return [work for queue in self.queues.values() for work in queue]

    def _end(self, work: Work, outcome: Outcome) -> None:
        work.status = "completed"
        self.queues[work.request.tenant_id].remove(work)
        self.on_end(work.request, outcome)
        work.ended.set_result(outcome.model_copy(update={"invocation_id": work.id}))

    def _supersede(self) -> None:
        """Do what the tracker does about work ahead of newer work."""
        for queue in self.queues.values():
            for ours in list(queue):
                for ahead in queue[: queue.index(ours)] if ours in queue else ():
                    status: Status = ahead.status if ahead is queue[0] else "pending"
                    seen = ahead.seen().model_copy(update={"status": status})
                    if choose_verb(seen, ours.request):
                        self._end(ahead, CANCELLED)

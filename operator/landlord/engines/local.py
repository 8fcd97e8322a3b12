"""Runs workflows inside this process, without Restate or durability: what is under way ends with it."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from landlord import metrics
from landlord.api.outcome import Outcome
from landlord.api.request import Desired, Request
from landlord.api.survey import InspectionRequest, Seen, SurveyRequest
from landlord.backends.contract import Backend
from landlord.engines.contract import History, Listener, Progress, Registration
from landlord.engines.local_journal import GaveWay, LocalJournal
from landlord.errors import EngineError, EngineUnreachable
from landlord.workflow.attempt import failed
from landlord.workflow.fence import Fence
from landlord.workflow.run import provision
from landlord.workflow.survey import inspect, survey

DELETED_REMEMBERED = 10_000
"""Deleted tenants whose fences are kept to refuse stragglers; the oldest are forgotten."""

Key = tuple[str, str]


@dataclass
class Work:
    """One accepted request that is not finished."""

    request: Request
    task: asyncio.Task[Outcome]
    give_way: asyncio.Event
    """Set when something newer waits: it ends where it would back off."""


@dataclass
class Tenant:
    """What is remembered of one tenantID."""

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """First come, first served."""
    fence: Fence | None = None
    unfinished: dict[Key, Work] = field(default_factory=dict)
    finished: tuple[Key, Outcome] | None = None
    """Only the latest, for who asks again."""


class LocalEngine:
    """A WorkflowEngine for systems without Restate. Owns the given backends."""

    def __init__(self, backends: Mapping[str, Backend]) -> None:
        self._backends = backends
        self._tenants: dict[str, Tenant] = {}
        self._deleted: dict[str, None] = {}
        self._listener: Listener | None = None
        self._closed = False

    @property
    def registration(self) -> Registration:
        """Always registered."""
        return Registration(
            status="True",
            reason="Registered",
            message="the local engine runs workflows inside the operator; there is nothing to register",
            backends=frozenset(self._backends),
        )

    @property
    def history(self) -> History:
        """Nothing is ever lost."""
        return History(doing="runs workflows inside the operator: there is nothing to register")

    async def serve(self, listener: Listener) -> NoReturn:
        """Tell the listener of progress, until cancelled."""
        self._listener = listener
        metrics.engine_reachable.set(1)
        try:
            listener.registration_changed(self.registration)
            while True:
                await asyncio.Event().wait()
        finally:
            self._listener = None

    def kick(self) -> None:
        """Nothing to look at: what runs in this process can't lose its registration."""

    async def perform(self, request: Request) -> Outcome:
        """Run the request, or attach to the same one, under way or just finished."""
        if self._closed:
            raise EngineUnreachable("the local engine is closed; submit again after the operator's restart")
        tenant = self._tenants.setdefault(request.tenant_id, Tenant())
        key = (request.operation, request.idempotency_key)
        if tenant.finished is not None and tenant.finished[0] == key:
            return tenant.finished[1]
        work = tenant.unfinished.get(key)
        if work is None:
            for other in tenant.unfinished.values():
                if _gives_way(other.request, request):
                    other.give_way.set()
            give_way = asyncio.Event()
            task = asyncio.create_task(self._run(tenant, key, request, give_way))
            work = tenant.unfinished[key] = Work(request, task, give_way)
        try:
            return await asyncio.shield(work.task)
        except asyncio.CancelledError:
            if work.task.cancelled() and self._closed:
                raise EngineUnreachable("the local engine was closed while the workflow ran") from None
            raise

    async def survey(self, provider: str) -> Mapping[str, Seen]:
        """What the backend sees of all its tenants."""
        seen = await survey(self._backends, SurveyRequest(provider=provider))
        if seen.error is not None:
            raise EngineError(seen.error)
        return seen.tenants

    async def inspect(self, provider: str, desired: Desired) -> Sequence[str]:
        """What of one tenant is not as it should be."""
        seen = await inspect(self._backends, InspectionRequest(provider=provider, desired=desired))
        if seen.error is not None:
            raise EngineError(seen.error)
        return seen.lines

    async def close(self) -> None:
        """End what is under way, then let go of the backends."""
        self._closed = True
        tasks = [work.task for tenant in self._tenants.values() for work in tenant.unfinished.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for backend in self._backends.values():
            await backend.close()

    async def _run(self, tenant: Tenant, key: Key, request: Request, give_way: asyncio.Event) -> Outcome:
        def report(progress: Progress) -> None:
            if self._listener is not None:
                self._listener.progressed(request, progress)

        try:
            if tenant.turn.locked():
                report(Progress(sub_state="Pending"))
            async with tenant.turn:
                if any(_outdates(work.request, request) for work in tenant.unfinished.values()):
                    return failed("Cancelled", "a newer request came before its turn", retryable=True)
                journal = LocalJournal(tenant.fence, request.timeout_seconds, give_way, report)
                try:
                    outcome = await provision(request, self._backends, journal)
                except GaveWay as error:
                    outcome = failed("Cancelled", str(error), retryable=True, step=error.step)
                finally:
                    tenant.fence = journal.accepted
            tenant.finished = (key, outcome)
            if request.operation == "delete":
                self._remember_deleted(request.tenant_id)
            return outcome
        finally:
            del tenant.unfinished[key]

    def _remember_deleted(self, tenant_id: str) -> None:
        self._deleted.pop(tenant_id, None)
        self._deleted[tenant_id] = None
        if len(self._deleted) > DELETED_REMEMBERED:
            oldest = next(iter(self._deleted))
            del self._deleted[oldest]
            tenant = self._tenants.get(oldest)
            if tenant and not tenant.unfinished and tenant.fence and tenant.fence.deleted:
                del self._tenants[oldest]


def _gives_way(older: Request, newer: Request) -> bool:
    """A delete of another object never does, as nothing would finish it."""
    return _outdates(newer, older) if newer.uid == older.uid else older.operation != "delete"


def _outdates(newer: Request, older: Request) -> bool:
    same = newer.uid == older.uid
    return same and (newer.generation, newer.attempt) > (older.generation, older.attempt)

"""Runs workflows inside this process, without Restate and without durability: unfinished work ends with
it."""

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
from landlord.workflow.attempt import build_failure
from landlord.workflow.fence import Fence
from landlord.workflow.run import provision
from landlord.workflow.survey import inspect, survey

DELETED_REMEMBERED = 10_000
"""Number of deleted tenants whose fences are kept to reject late requests. The oldest are forgotten."""

RequestKey = tuple[str, str]


@dataclass
class RunningRequest:
    """An accepted, unfinished request."""

    request: Request
    task: asyncio.Task[Outcome]
    give_way: asyncio.Event
    """Set when a newer request waits. This one then ends instead of backing off."""


@dataclass
class LocalTenant:
    """The engine's state for one tenantID."""

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Runs one request at a time, in the order of arrival."""
    fence: Fence | None = None
    unfinished: dict[RequestKey, RunningRequest] = field(default_factory=dict)
    finished: tuple[RequestKey, Outcome] | None = None
    """Only the latest outcome, for a caller that submits the request again."""


class LocalEngine:
    """A WorkflowEngine for systems without Restate. Owns the backends."""

    def __init__(self, backends: Mapping[str, Backend]) -> None:
        self._backends = backends
        self._tenants: dict[str, LocalTenant] = {}
        self._deleted: dict[str, None] = {}
        self._listener: Listener | None = None
        self._closed = False

    @property
    def registration(self) -> Registration:
        """Always registered."""
        return Registration(
            status="True",
            reason="Registered",
            message="The local engine runs workflows inside the operator and registers nothing",
            backends=frozenset(self._backends),
        )

    @property
    def history(self) -> History:
        """A registration that is never lost."""
        return History(doing="nothing, because the local engine registers nothing")

    async def serve(self, listener: Listener) -> NoReturn:
        """Report progress to the listener until cancelled."""
        self._listener = listener
        metrics.engine_reachable.set(1)
        try:
            listener.registration_changed(self.registration)
            while True:
                await asyncio.Event().wait()
        finally:
            self._listener = None

    def kick(self) -> None:
        """Do nothing: the local engine has no registration to check."""

    async def perform(self, request: Request) -> Outcome:
        """Run the request, or attach to the same one if it is unfinished or was the last to finish."""
        if self._closed:
            raise EngineUnreachable(
                "the local engine is closed; landlord submits the request again after the operator's restart"
            )
        tenant = self._tenants.setdefault(request.tenant_id, LocalTenant())
        key = (request.operation, request.idempotency_key)
        if tenant.finished is not None and tenant.finished[0] == key:
            return tenant.finished[1]
        work = tenant.unfinished.get(key)
        if work is None:
            for other in tenant.unfinished.values():
                if _must_give_way(other.request, request):
                    other.give_way.set()
            give_way = asyncio.Event()
            task = asyncio.create_task(self._run(tenant, key, request, give_way))
            work = tenant.unfinished[key] = RunningRequest(request, task, give_way)
        try:
            return await asyncio.shield(work.task)
        except asyncio.CancelledError:
            if work.task.cancelled() and self._closed:
                raise EngineUnreachable("the local engine was closed while the workflow ran") from None
            raise

    async def survey(self, provider: str) -> Mapping[str, Seen]:
        """Survey all tenants of a backend."""
        result = await survey(self._backends, SurveyRequest(provider=provider))
        if result.error is not None:
            raise EngineError(result.error)
        return result.tenants

    async def inspect(self, provider: str, desired: Desired) -> Sequence[str]:
        """Return the differences of one tenant from its desired state."""
        result = await inspect(self._backends, InspectionRequest(provider=provider, desired=desired))
        if result.error is not None:
            raise EngineError(result.error)
        return result.lines

    async def close(self) -> None:
        """Cancel unfinished work, then close the backends."""
        self._closed = True
        tasks = [work.task for tenant in self._tenants.values() for work in tenant.unfinished.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for backend in self._backends.values():
            await backend.close()

    async def _run(
        self, tenant: LocalTenant, key: RequestKey, request: Request, give_way: asyncio.Event
    ) -> Outcome:
        def report(progress: Progress) -> None:
            if self._listener is not None:
                self._listener.progressed(request, progress)

        try:
            if tenant.turn.locked():
                report(Progress(sub_state="Pending"))
            async with tenant.turn:
                if any(_is_newer(work.request, request) for work in tenant.unfinished.values()):
                    return build_failure(
                        "Cancelled", "a newer request replaced this one before it started", retryable=True
                    )
                journal = LocalJournal(tenant.fence, request.timeout_seconds, give_way, report)
                try:
                    outcome = await provision(request, self._backends, journal)
                except GaveWay as error:
                    outcome = build_failure("Cancelled", str(error), retryable=True, step=error.step)
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


def _must_give_way(older: Request, newer: Request) -> bool:
    """Return whether the older request must yield. Another object's delete never does: nothing would finish
    it."""
    return _is_newer(newer, older) if newer.uid == older.uid else older.operation != "delete"


def _is_newer(newer: Request, older: Request) -> bool:
    same = newer.uid == older.uid
    return same and (newer.generation, newer.attempt) > (older.generation, older.attempt)

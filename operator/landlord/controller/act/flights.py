"""The requests that this process waits for, one a Tenant. Lost at a restart, and nothing with them:
the same request attaches to the same work."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

from landlord import metrics
from landlord.api.outcome import Outcome
from landlord.api.request import Request
from landlord.api.tenant import Key
from landlord.controller.decide.facts import Flight
from landlord.engines.contract import Progress, WorkflowEngine
from landlord.errors import EngineError

log = logging.getLogger(__name__)


@dataclass
class _Entry:
    flight: Flight
    task: asyncio.Task[None]
    watched: bool = True
    """Whether `start` waits for it still: its caller sees every news for itself."""


class Flights:
    """Hands requests to the engine and keeps what came of them.

    `on_change` hears by key of every news that comes after `start` has returned. To tell of an error before
    would have the key worked on again at once, and so take the backoff from it.
    """

    def __init__(self, engine: WorkflowEngine, on_change: Callable[[Key], None]) -> None:
        self._engine = engine
        self._on_change = on_change
        self._entries: dict[Key, _Entry] = {}
        self._by_request: dict[str, Key] = {}

    def get(self, key: Key) -> Flight | None:
        """What is known of the Tenant's request, if there is one."""
        entry = self._entries.get(key)
        return entry.flight if entry else None

    async def start(self, key: Key, request: Request, patience: float) -> None:
        """Hand a request over instead of an earlier one, and give it `patience` seconds to end.

        Short work is over by then, which saves the write that would say that it goes on.
        """
        self.forget(key)
        task = asyncio.create_task(self._perform(key, request), name=f"perform {request.idempotency_key}")
        self._entries[key] = entry = _Entry(Flight(request), task)
        self._by_request[request.idempotency_key] = key
        metrics.workflows_in_flight.inc()
        await asyncio.wait({task}, timeout=patience)
        entry.watched = False

    def progressed(self, request: Request, progress: Progress) -> None:
        """Take in news of a request."""
        key = self._by_request.get(request.idempotency_key)
        entry = self._entries.get(key) if key else None
        if key is None or entry is None or entry.flight.progress == progress:
            return
        entry.flight = replace(entry.flight, progress=progress)
        self._tell(key, entry)

    def forget(self, key: Key) -> None:
        """Stop waiting. The work itself goes on."""
        entry = self._entries.pop(key, None)
        if entry is None:
            return
        self._by_request.pop(entry.flight.request.idempotency_key, None)
        if not entry.task.done():
            metrics.workflows_in_flight.dec()
            entry.task.cancel()

    async def _perform(self, key: Key, request: Request) -> None:
        outcome: Outcome | None = None
        error: EngineError | None = None
        try:
            outcome = await self._engine.perform(request)
            metrics.workflow_total.labels(request.operation, outcome.result.lower()).inc()
        except EngineError as problem:
            error = problem
        except Exception as problem:
            # A defect in an engine must show on the Tenant and in the log, and not leave it waiting for ever.
            log.exception("the engine failed unexpectedly", extra={"tenant": request.tenant_id})
            error = EngineError(f"unexpected error: {problem!r}")
        metrics.workflows_in_flight.dec()
        entry = self._entries[key]
        entry.flight = replace(entry.flight, outcome=outcome, error=error)
        self._tell(key, entry)

    def _tell(self, key: Key, entry: _Entry) -> None:
        if not entry.watched:
            self._on_change(key)

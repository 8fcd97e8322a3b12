"""The requests that this process waits for, one for each Tenant.

A restart forgets them and loses nothing, because the same request attaches to the same work.
"""

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
class _FlightEntry:
    flight: Flight
    task: asyncio.Task[None]
    watched: bool = True
    """Whether `start` still waits for it: its caller then observes every change itself."""


class Flights:
    """Submits requests to the engine and keeps what came of them.

    `on_change` is called with the key for every change after `start` has returned. A call for an earlier
    error would have the key worked on again at once, without its backoff.
    """

    def __init__(self, engine: WorkflowEngine, on_change: Callable[[Key], None]) -> None:
        self._engine = engine
        self._on_change = on_change
        self._entries: dict[Key, _FlightEntry] = {}
        self._by_request: dict[str, Key] = {}

    def get(self, key: Key) -> Flight | None:
        """Return what is known of the Tenant's request, if it has one."""
        entry = self._entries.get(key)
        return entry.flight if entry else None

    async def start(self, key: Key, request: Request, patience: float) -> None:
        """Submit a request in place of an earlier one, and wait up to `patience` seconds for its outcome.

        Short work has ended by then, which saves the write that would report its progress.
        """
        self.forget(key)
        task = asyncio.create_task(self._perform(key, request), name=f"perform {request.idempotency_key}")
        self._entries[key] = entry = _FlightEntry(Flight(request), task)
        self._by_request[request.idempotency_key] = key
        metrics.workflows_in_flight.inc()
        await asyncio.wait({task}, timeout=patience)
        entry.watched = False

    def update_progress(self, request: Request, progress: Progress) -> None:
        """Store the progress of a request."""
        key = self._by_request.get(request.idempotency_key)
        entry = self._entries.get(key) if key else None
        if key is None or entry is None or entry.flight.progress == progress:
            return
        entry.flight = replace(entry.flight, progress=progress)
        self._notify(key, entry)

    def forget(self, key: Key) -> None:
        """Stop waiting. The work itself continues."""
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
            # A defect in an engine must show on the Tenant and in the log, and must not leave the Tenant
            # waiting.
            log.exception("the workflow engine failed unexpectedly", extra={"tenant": request.tenant_id})
            error = EngineError(f"unexpected error: {problem!r}")
        metrics.workflows_in_flight.dec()
        entry = self._entries[key]
        entry.flight = replace(entry.flight, outcome=outcome, error=error)
        self._notify(key, entry)

    def _notify(self, key: Key, entry: _FlightEntry) -> None:
        if not entry.watched:
            self._on_change(key)

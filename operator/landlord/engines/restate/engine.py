"""The Restate engine: implements the engine contract with keeper, tracker and ingress."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import TypeVar

from landlord.api.outcome import Outcome
from landlord.api.request import Desired, Request
from landlord.api.survey import InspectionRequest, Seen, SurveyRequest
from landlord.engines.contract import History, Listener, Progress, Registration
from landlord.engines.restate.admin import Admin
from landlord.engines.restate.clients import Clients
from landlord.engines.restate.ingress import Ingress
from landlord.engines.restate.keeper import Keeper
from landlord.engines.restate.tracker import Tracker
from landlord.engines.restate.verdict import Policy
from landlord.errors import EngineError, EngineUnreachable, NotRegistered

T = TypeVar("T")

MAX_HELD = 200
"""Requests that may wait in the ingress at once. Each takes a connection on both sides."""
FOLLOW_AFTER_SECONDS = 2.0
"""Longer work is also tracked: landlord reports its progress and supersedes what blocks it."""
LET_GO_AFTER_SECONDS = 3.0
"""Even longer work is only tracked, so that slow backends do not use up the slots."""
SETTLING_SECONDS = (0.025, 0.05, 0.1, 0.2)
"""The ingress learns of a registration some 30 ms after the admin API has it."""


class RestateEngine:
    """Runs workflows in Restate."""

    def __init__(self, clients: Clients, policy: Policy = "enforce") -> None:
        self._clients = clients
        admin = Admin(clients.admin)
        self._ingress = Ingress(clients.ingress)
        self._listener: Listener | None = None
        self._tracker = Tracker(admin, self._ingress, send=self._send, on_progress=self._forward_progress)
        self._keeper = Keeper(
            admin=admin,
            ingress=self._ingress,
            worker=clients.worker,
            policy=policy,
            on_change=self._forward_registration,
        )
        self._slots = asyncio.Semaphore(MAX_HELD)

    @property
    def registration(self) -> Registration:
        """The latest known registration. Never blocks."""
        return self._keeper.registration

    @property
    def history(self) -> History:
        """The history of the registration in this process. Never blocks."""
        return self._keeper.history

    def kick(self) -> None:
        """Check the registration now, because a pod of Restate may have changed."""
        self._keeper.kick("pods")

    async def serve(self, listener: Listener) -> None:
        """Keep the registration and the progress of unfinished work current, until cancelled."""
        self._listener = listener
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._keeper.run())
            tasks.create_task(self._tracker.run())

    async def perform(self, request: Request) -> Outcome:
        """Submit the request, or attach to it if it was submitted before, and wait for its outcome.

        The request itself answers short work within milliseconds of its end. The tracker, which `serve` runs,
        notices the end of longer work within a tick, and such work outlives outages of Restate.
        """
        self._require_registration()
        try:
            async with asyncio.timeout(LET_GO_AFTER_SECONDS):
                await self._slots.acquire()
        except TimeoutError:
            return await self._tracker.follow(request)
        held = asyncio.create_task(self._retry_unregistered(partial(self._ingress.call, request)))
        held.add_done_callback(lambda _: self._slots.release())
        try:
            await asyncio.wait({held}, timeout=FOLLOW_AFTER_SECONDS)
            if held.done():
                return held.result()
            return await self._wait_for_either(request, held)
        finally:
            held.cancel()

    async def survey(self, provider: str) -> Mapping[str, Seen]:
        """Survey all tenants of a backend."""
        self._require_registration()
        survey = await self._ingress.survey(SurveyRequest(provider=provider))
        if survey.error is not None:
            raise EngineError(survey.error)
        return survey.tenants

    async def inspect(self, provider: str, desired: Desired) -> Sequence[str]:
        """Return the differences of one tenant from its desired state."""
        self._require_registration()
        inspection = await self._ingress.inspect(InspectionRequest(provider=provider, desired=desired))
        if inspection.error is not None:
            raise EngineError(inspection.error)
        return inspection.lines

    async def _wait_for_either(self, request: Request, held: asyncio.Task[Outcome]) -> Outcome:
        followed = asyncio.create_task(self._tracker.follow(request))
        try:
            await asyncio.wait(
                {held, followed},
                timeout=LET_GO_AFTER_SECONDS - FOLLOW_AFTER_SECONDS,
                return_when=asyncio.FIRST_COMPLETED,
            )
            # A broken request says nothing about the work, which is still tracked.
            if held.done() and held.exception() is None:
                return held.result()
            held.cancel()
            return await followed
        finally:
            followed.cancel()

    async def close(self) -> None:
        """Close all connections."""
        await self._clients.close()

    def _require_registration(self) -> None:
        registration = self._keeper.registration
        if registration.status == "Unknown":
            raise EngineUnreachable(registration.message)
        if not registration.ready:
            raise NotRegistered(registration.message)

    async def _send(self, request: Request) -> str:
        return await self._retry_unregistered(partial(self._ingress.send, request))

    async def _retry_unregistered(self, call: Callable[[], Awaitable[T]]) -> T:
        """Make the call. If Restate lacks the workflow, trigger a repair and retry."""
        for pause in SETTLING_SECONDS:
            try:
                return await call()
            except NotRegistered:
                self._keeper.kick("ingress")
                await asyncio.sleep(pause)
            except EngineUnreachable:
                self._keeper.kick("ingress")
                raise
        return await call()

    def _forward_registration(self, registration: Registration) -> None:
        self._tracker.note_registration(registration.ready)
        if self._listener is not None:
            self._listener.registration_changed(registration)

    def _forward_progress(self, request: Request, progress: Progress) -> None:
        if self._listener is not None:
            self._listener.progressed(request, progress)

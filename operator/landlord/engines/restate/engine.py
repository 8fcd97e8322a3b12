"""The Restate engine: what `landlord.engines` asks for, put together from its parts."""

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
"""Requests that wait in the ingress at once; a connection each, on both sides."""
FOLLOW_AFTER_SECONDS = 2.0
"""Work that takes longer is followed as well: its progress is shown, and what blocks it is superseded."""
LET_GO_AFTER_SECONDS = 3.0
"""Work that takes longer is followed only, so that slow backends do not use up the slots."""
SETTLING_SECONDS = (0.025, 0.05, 0.1, 0.2)
"""The ingress learns of a registration some 30 ms after the admin API has it."""


class RestateEngine:
    """Runs workflows in Restate."""

    def __init__(self, clients: Clients, policy: Policy = "enforce") -> None:
        self._clients = clients
        admin = Admin(clients.admin)
        self._ingress = Ingress(clients.ingress)
        self._listener: Listener | None = None
        self._tracker = Tracker(admin, self._ingress, send=self._send, progressed=self._progressed)
        self._keeper = Keeper(admin, self._ingress, clients.worker, policy, changed=self._changed)
        self._slots = asyncio.Semaphore(MAX_HELD)

    @property
    def registration(self) -> Registration:
        """The latest known registration; never blocks."""
        return self._keeper.registration

    @property
    def history(self) -> History:
        """What this process has seen of the registration so far; never blocks."""
        return self._keeper.history

    def kick(self) -> None:
        """Look at the registration now, for instance because a pod of Restate has changed."""
        self._keeper.kick("pods")

    async def serve(self, listener: Listener) -> None:
        """Keep the registration and the progress of unfinished work current, until cancelled."""
        self._listener = listener
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._keeper.run())
            tasks.create_task(self._tracker.run())

    async def perform(self, request: Request) -> Outcome:
        """Submit the request, or attach to it if it was submitted before, and wait for its outcome.

        Short work is answered by the request itself, within milliseconds of its end. Longer work ends
        within a tick of the tracker, which `serve` runs, and outlives outages of Restate.
        """
        self._require_registration()
        try:
            async with asyncio.timeout(LET_GO_AFTER_SECONDS):
                await self._slots.acquire()
        except TimeoutError:
            return await self._tracker.follow(request)
        held = asyncio.create_task(self._settled(partial(self._ingress.call, request)))
        held.add_done_callback(lambda _: self._slots.release())
        try:
            await asyncio.wait({held}, timeout=FOLLOW_AFTER_SECONDS)
            if held.done():
                return held.result()
            return await self._followed(request, held)
        finally:
            held.cancel()

    async def survey(self, provider: str) -> Mapping[str, Seen]:
        """What is seen of all tenants of a backend."""
        self._require_registration()
        seen = await self._ingress.survey(SurveyRequest(provider=provider))
        if seen.error is not None:
            raise EngineError(seen.error)
        return seen.tenants

    async def inspect(self, provider: str, desired: Desired) -> Sequence[str]:
        """What of one tenant is not as it should be."""
        self._require_registration()
        seen = await self._ingress.inspect(InspectionRequest(provider=provider, desired=desired))
        if seen.error is not None:
            raise EngineError(seen.error)
        return seen.lines

    async def _followed(self, request: Request, held: asyncio.Task[Outcome]) -> Outcome:
        followed = asyncio.create_task(self._tracker.follow(request))
        try:
            await asyncio.wait(
                {held, followed},
                timeout=LET_GO_AFTER_SECONDS - FOLLOW_AFTER_SECONDS,
                return_when=asyncio.FIRST_COMPLETED,
            )
            # That the held request broke says nothing about the work, which is followed.
            if held.done() and held.exception() is None:
                return held.result()
            held.cancel()
            return await followed
        finally:
            followed.cancel()

    async def close(self) -> None:
        """Let go of connections."""
        await self._clients.close()

    def _require_registration(self) -> None:
        registration = self._keeper.registration
        if registration.status == "Unknown":
            raise EngineUnreachable(registration.message)
        if not registration.ready:
            raise NotRegistered(registration.message)

    async def _send(self, request: Request) -> str:
        return await self._settled(partial(self._ingress.send, request))

    async def _settled(self, call: Callable[[], Awaitable[T]]) -> T:
        """Make the call; if Restate does not know the workflow, have that repaired and try again."""
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

    def _changed(self, registration: Registration) -> None:
        if registration.ready:
            self._tracker.registered()
        if self._listener is not None:
            self._listener.registration_changed(registration)

    def _progressed(self, request: Request, progress: Progress) -> None:
        if self._listener is not None:
            self._listener.progressed(request, progress)

"""One run of kopf, in a thread with its own event loop: it lists and watches Tenants, and writes nothing.

The loop is its own because kopf, when it ends, waits for, cancels and re-raises every task of the loop that
it did not start itself. With these settings it took 7 s and 87 MB for 10,000 Tenants.
"""

import asyncio
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import aiohttp
import kopf

from landlord.api import names
from landlord.api.schema import JsonObject
from landlord.backoff import backoff
from landlord.controller.watch.last_seen import LastSeen
from landlord.controller.watch.session import build_session
from landlord.errors import LandlordError
from landlord.kubernetes_config import CurrentConfiguration

EventSink = Callable[[str | None, JsonObject], None]

LONGEST_BACKOFF = 10.0
"""The longest pause before something that was refused or has ended is tried again, so before a recovery is
seen."""
CLOSE_SECONDS = 0.25
"""Time for TLS connections to close, which aiohttp does not wait for (its docs, "Graceful Shutdown")."""
ANSWER_SECONDS = 30
"""How long one page of a list may take."""


class KopfThread:
    """Watches until it is stopped, or ends by an error. Calls the sink on the loop that it is made on."""

    def __init__(self, namespaces: Sequence[str], sink: EventSink, seen: LastSeen) -> None:
        self._namespaces = namespaces
        self._sink = sink
        self._seen = seen
        self._stop = threading.Event()
        self._loop = asyncio.get_running_loop()
        self.ended: asyncio.Future[None] = self._loop.create_future()
        """Done when the watch has ended, with its error if there was one."""

    def start(self) -> None:
        """Start the thread, which ends with the process at the latest."""
        threading.Thread(target=self._run, name="watch", daemon=True).start()

    async def end(self, patience: float) -> bool:
        """Ask the watch to end, and wait so many seconds. Returns whether it has. Passes no event on."""
        self._stop.set()
        await asyncio.wait({self.ended}, timeout=patience)
        if self.ended.done():
            self.ended.exception()  # or asyncio would report that nobody asked for it
        return self.ended.done()

    def _run(self) -> None:
        error: BaseException | None = None
        try:
            asyncio.run(self._watch())
        except BaseException as problem:
            error = problem
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._finish, error)

    def _finish(self, error: BaseException | None) -> None:
        if not self.ended.done():
            self.ended.set_exception(error) if error else self.ended.set_result(None)

    async def _watch(self) -> None:
        registry = kopf.OperatorRegistry()
        current = CurrentConfiguration()
        configuration = await current.get()
        sessions: list[aiohttp.ClientSession] = []
        pauses = iter(EndlessBackoffs())

        @kopf.on.login(registry=registry)
        async def login(**_: Any) -> kopf.AiohttpSession:
            # kopf asks again after each 401, and without a pause if it gets another session each time.
            if sessions:
                await asyncio.sleep(next(pauses))
            configuration = await current.get()
            sessions.append(session := build_session(configuration, current, self._seen))
            return kopf.AiohttpSession(server=configuration.host, aiohttp_session=session)

        @kopf.on.event(names.GROUP, names.VERSION, names.PLURAL, registry=registry)
        async def pass_on(event: Any, **_: Any) -> None:
            if not self._stop.is_set():
                self._loop.call_soon_threadsafe(self._sink, event["type"], event["object"])

        async with build_session(configuration, current, self._seen) as session:
            await _require_crd(configuration.host, session)
        try:
            await kopf.operator(
                registry=registry,
                settings=build_settings(),
                standalone=True,
                # Only peers would read it. kopf's default needs a user name, which a pod's user lacks.
                identity=names.FIELD_MANAGER,  # type: ignore[arg-type]  # a NewType that kopf does not export
                clusterwide=not self._namespaces,
                namespaces=self._namespaces,
                stop_flag=self._stop,
            )
        finally:
            self._stop.set()  # kopf waits for it in a thread, without which this loop can't end
            for each in sessions:
                await each.close()
            await asyncio.sleep(CLOSE_SECONDS)


async def _require_crd(server: str, session: aiohttp.ClientSession) -> None:
    """Raise LandlordError if Tenants are not served, of which kopf would not even find out later."""
    timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
    async with session.get(f"{server}/apis/{names.API_VERSION}", timeout=timeout) as answer:
        if answer.status != 200:
            raise LandlordError(
                f"{names.API_VERSION}: the API server answered {answer.status} {answer.reason}"
            )
        served = (await answer.json())["resources"]
    if not any(each["name"] == names.PLURAL for each in served):
        raise LandlordError(f"the API server does not serve {names.CRD_NAME}")


class NoDiffBase(kopf.DiffBaseStorage):
    """Spares kopf the work of finding out, for each event, what has changed: no handler needs it."""

    def build(
        self, *, body: kopf.Body, extra_fields: Iterable[kopf.FieldSpec] | None = None
    ) -> kopf.BodyEssence:
        """Nothing is compared."""
        return kopf.BodyEssence()

    def fetch(self, *, body: kopf.Body) -> kopf.BodyEssence | None:
        """Nothing was stored."""
        return None

    def store(self, *, body: kopf.Body, patch: kopf.Patch, essence: kopf.BodyEssence) -> None:
        """Nothing is stored."""


class EndlessBackoffs:
    """The waits between the tries of one request: kopf's own end after 54 s, and its watch with them."""

    def __iter__(self) -> Iterator[float]:
        failures = 0
        while True:
            failures += 1
            yield min(LONGEST_BACKOFF, backoff(failures))


def build_settings() -> kopf.OperatorSettings:
    """Configure kopf for low-level events only."""
    settings = kopf.OperatorSettings()
    settings.networking.error_backoffs = EndlessBackoffs()
    settings.networking.request_timeout = ANSWER_SECONDS
    settings.networking.connect_timeout = LONGEST_BACKOFF
    settings.watching.chunk_size = 500
    settings.queueing.worker_limit = 100
    settings.queueing.idle_timeout = 0.05  # because idle workers count towards worker_limit
    settings.posting.enabled = False
    settings.scanning.disabled = True
    settings.persistence.diffbase_storage = NoDiffBase()
    # kopf removes this finalizer from every object that it observes, so nobody must use it.
    settings.persistence.finalizer = f"{names.GROUP}/not-used-by-anybody"
    return settings

"""Keeps a watch on Tenants going, whatever becomes of it.

kopf ends on many errors, and may fall silent without one. Either way it is started again, which lists all
Tenants. That is better survived than died of, because the operator also works on what it has seen before.
"""

import asyncio
import logging
from collections.abc import Sequence

from landlord.backoff import BACKOFF_CAP, backoff
from landlord.controller.watch.kopf_thread import LONGEST_BACKOFF, EventSink, KopfThread
from landlord.controller.watch.last_seen import LastSeen
from landlord.errors import LandlordError

log = logging.getLogger(__name__)

SILENCE_SECONDS = 100.0
"""Silence after which the watch is started again: a bookmark and kopf's own attempt to reconnect after 70 s
are missing by then."""
CHECK_SECONDS = 5.0
STOP_SECONDS = 10.0
"""How long a watch may take to end when it is asked to."""
LEAVE_SECONDS = 1.0
"""The same when the operator ends, whose successor waits for it."""


class WatchHangs(LandlordError):
    """The watch neither hears anything nor ends, so this process must end."""


class TenantWatch:
    """Watches Tenants. Calls the sink with each event, on the event loop that `run` runs on."""

    def __init__(self, namespaces: Sequence[str], sink: EventSink) -> None:
        self._namespaces = namespaces
        self._sink = sink
        self.seen = LastSeen(namespaces)
        self._is_outdated = asyncio.Event()

    def restart(self) -> None:
        """Start the watch again, because it is known to have missed something."""
        self._is_outdated.set()

    async def run(self, missed: asyncio.Event) -> None:
        """Watch until cancelled, and start again whenever the watch ends. Raises WatchHangs.

        Each start lists all Tenants. It sets `missed`, because nothing reports those deleted in between.
        """
        failures, loop = 0, asyncio.get_running_loop()
        while True:
            begun = loop.time()
            problem = await self._watch()
            self.seen.note_problem(problem)
            failures = 1 if loop.time() - begun > BACKOFF_CAP else failures + 1
            log.warning("the watch on Tenants ended, and landlord starts it again: %s", problem)
            await asyncio.sleep(min(LONGEST_BACKOFF, backoff(failures)))
            missed.set()

    async def _watch(self) -> str:
        """Watch until the watch ends or must be ended. Returns why."""
        self._is_outdated.clear()
        self.seen.begin()
        thread = KopfThread(self._namespaces, self._sink, self.seen)
        thread.start()
        try:
            problem = await self._find_problem(thread)
        except asyncio.CancelledError:
            await thread.end(LEAVE_SECONDS)
            raise
        if not await thread.end(STOP_SECONDS):
            raise WatchHangs(f"the watch on Tenants did not end within {STOP_SECONDS:.0f} s")
        return problem

    async def _find_problem(self, thread: KopfThread) -> str:
        while not thread.ended.done():
            if self._is_outdated.is_set():
                return "it missed a change"
            if self.seen.silence > SILENCE_SECONDS:
                return f"the API server has sent nothing for {SILENCE_SECONDS:.0f} s"
            await asyncio.wait({thread.ended}, timeout=CHECK_SECONDS)
        error = thread.ended.exception()
        return (str(error) or repr(error)) if error else "it ended without an error"

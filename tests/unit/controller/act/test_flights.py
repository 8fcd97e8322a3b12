"""What a process knows of the work that it has handed over, and when it tells of it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

from tests.support.requests import request

from landlord.api.outcome import Outcome
from landlord.api.request import Request
from landlord.api.tenant import Key
from landlord.controller.act.flights import Flights
from landlord.controller.act.queue import WorkQueue
from landlord.engines.contract import Progress, WorkflowEngine
from landlord.errors import EngineUnreachable

ACME = Key("tenants", "acme")
SOON, LONG = 0.01, 5.0


@dataclass
class Engine:
    """Tells of progress at once, and of the end once it is told to end."""

    fails: bool = False
    progress: Callable[[], None] = lambda: None
    end: asyncio.Event = field(default_factory=asyncio.Event)

    async def perform(self, request: Request) -> Outcome:
        self.progress()
        await self.end.wait()
        if self.fails:
            raise EngineUnreachable("nobody is there")
        return Outcome(result="Succeeded")


def flights_of(engine: Engine, on_change: Callable[[Key], None]) -> Flights:
    flights = Flights(cast(WorkflowEngine, engine), on_change)
    engine.progress = lambda: flights.update_progress(request(), Progress("Running", step="image"))
    return flights


async def test_an_engine_that_fails_at_once_is_asked_again_only_after_the_backoff() -> None:
    engine, queue = Engine(fails=True), WorkQueue[Key]()
    engine.end.set()
    flights = flights_of(engine, queue.add)
    queue.add(ACME)
    key = await queue.get()
    await flights.start(key, request(), LONG)
    queue.retry(key)
    queue.finish(key)
    assert len(queue) == 0
    known = flights.get(ACME)
    assert known is not None
    assert isinstance(known.error, EngineUnreachable)


async def test_news_that_come_while_short_work_is_waited_for_are_not_told_but_kept() -> None:
    heard: list[Key] = []
    engine = Engine()
    flights = flights_of(engine, heard.append)
    engine.end.set()
    await flights.start(ACME, request(), LONG)
    known = flights.get(ACME)
    assert known is not None
    assert known.outcome is not None
    assert known.progress is not None
    assert heard == []


async def test_what_comes_of_longer_work_is_told() -> None:
    heard, engine = asyncio.Queue[Key](), Engine()
    flights = flights_of(engine, heard.put_nowait)
    await flights.start(ACME, request(), SOON)
    assert heard.empty()
    flights.update_progress(request(), Progress("Running", step="ready"))
    assert heard.get_nowait() == ACME
    engine.end.set()
    async with asyncio.timeout(LONG):
        assert await heard.get() == ACME

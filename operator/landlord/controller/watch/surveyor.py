"""Looks at all provisioned tenants every few seconds: one survey for each backend that runs some.

Only Tenants that say otherwise are worked on. What is remembered of them may be lost with the process: the
next survey finds it out again.
"""

import asyncio
import logging
import random
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime

from landlord import metrics
from landlord.api.conditions import shortened
from landlord.api.survey import Seen
from landlord.api.tenant import Key
from landlord.controller.decide import repairs
from landlord.controller.decide.comparison import (
    MAX_ITEM,
    MAX_ITEMS,
    Finding,
    Standing,
    compare,
    is_calm,
    is_news,
    later,
    unseen,
)
from landlord.controller.tell.pace import tell
from landlord.controller.watch.cache import Cache
from landlord.errors import EngineError

log = logging.getLogger(__name__)

MISSED = 3
"""So many surveys in a row must have failed before anything is said about the tenants."""
INSPECTED = 10
"""Tenants that are looked at in depth after one survey; the others' turn comes with the next."""

_LOOKED_AT_ONCE = 100
_JITTER = 0.1


@dataclass(frozen=True, slots=True)
class _Known:
    """What is remembered of a Tenant that a survey has found to be otherwise than it says."""

    finding: Finding | None = None
    unhealthy: bool = False
    """Whether the last survey found it so."""
    inspected: tuple[str, ...] = ()
    """The drift that was looked at in depth."""
    details: tuple[str, ...] = ()
    """What came of that."""
    repaired: tuple[datetime, ...] = ()


class Surveyor:
    """`look` asks for all tenants of a backend, `inspect` for one Tenant's; both raise EngineError.

    `at_work` knows for which Tenants work is under way; `add` hears of those with something new about them.
    """

    def __init__(
        self,
        cache: Cache,
        look: Callable[[str], Awaitable[Mapping[str, Seen]]],
        inspect: Callable[[Key], Awaitable[Sequence[str]]],
        at_work: Callable[[Key], bool],
        add: Callable[[Key], None],
        interval: float,
        clock: Callable[[], datetime],
    ) -> None:
        self._cache = cache
        self._look = look
        self._inspect = inspect
        self._at_work = at_work
        self._add = add
        self._interval = interval
        self._clock = clock
        self._known: dict[Key, _Known] = {}
        self._missed: defaultdict[str, int] = defaultdict(int)
        self._providers: set[str] = set()
        self._under_way: set[str] = set()
        self._calm: dict[Key, None] = {}
        self._calm_news = asyncio.Event()

    def finding(self, key: Key) -> Finding | None:
        """What the last survey has found out about a Tenant that said otherwise."""
        known = self._known.get(key)
        return known.finding if known else None

    def repaired(self, key: Key) -> None:
        """Remember that a Tenant is repaired now."""
        metrics.drift.labels("repair").inc()
        known, now = self._known.get(key, _Known()), self._clock()
        self._known[key] = replace(known, repaired=(*repairs.remembered(known.repaired, now), now))

    async def run(self) -> None:
        """Survey again and again, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._tell())
            while True:
                standings = self._cache.standings()
                self._note(standings.keys())
                for provider in standings.keys() - self._under_way:
                    self._under_way.add(provider)
                    group.create_task(self._survey(provider, standings[provider]))
                self._forget()
                jitter = random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311 - no secret
                await asyncio.sleep(self._interval * jitter)

    def _note(self, providers: Set[str]) -> None:
        """Tell of those that are surveyed from now on, and no more of those that run nothing any more."""
        for provider in providers - self._providers:
            metrics.last_survey.labels(provider).set_to_current_time()
        for provider in self._providers - providers:
            metrics.last_survey.remove(provider)
        self._providers = set(providers)

    async def _survey(self, provider: str, standings: Mapping[Key, Standing]) -> None:
        """Compare with what the Tenants said before it began; who says otherwise afterwards is left out."""
        at, started = self._clock(), time.monotonic()
        try:
            seen = await self._look(provider)
        except EngineError as error:
            metrics.surveys.labels(provider, "failed").inc()
            await self._miss(provider, standings, at, str(error))
        else:
            metrics.surveys.labels(provider, "ok").inc()
            metrics.survey_seconds.labels(provider).observe(time.monotonic() - started)
            if provider in self._providers:
                metrics.last_survey.labels(provider).set(at.timestamp())
            if self._missed.pop(provider, 0) >= MISSED:
                log.info("the tenants on %s can be seen again", provider)
            await self._compare(standings, seen, at)
        finally:
            self._under_way.discard(provider)

    async def _compare(
        self, standings: Mapping[Key, Standing], seen: Mapping[str, Seen], at: datetime
    ) -> None:
        reported: dict[Key, tuple[Standing, Finding]] = {}
        async for key, standing in self._unmoved(standings):
            known, one = self._known.get(key, _Known()), seen.get(standing.tenant_id)
            finding = compare(standing, one, at, seen_unhealthy=known.unhealthy)
            if finding.repair and (due := repairs.due(known.repaired, at)):
                finding = later(finding, due)
            if not finding.drift:  # the same drift may come again, and be another one in depth
                known = replace(known, inspected=(), details=())
            self._known[key] = replace(known, unhealthy=one is not None and not one.healthy)
            if standing.mode == "Report" and finding.drift:
                reported[key] = standing, finding
            else:
                self._take(key, standing, finding)
        await self._report(reported)

    async def _unmoved(self, standings: Mapping[Key, Standing]) -> AsyncIterator[tuple[Key, Standing]]:
        """Those that say the same as when the survey began, and that nothing is being done about."""
        for number, (key, standing) in enumerate(standings.items()):
            if number % _LOOKED_AT_ONCE == 0:
                await asyncio.sleep(0)
            if self._cache.standing(key) == standing and not self._at_work(key):
                yield key, standing

    async def _report(self, reported: Mapping[Key, tuple[Standing, Finding]]) -> None:
        """Look in depth at Tenants whose drift is only shown: once for each drift that a survey has found."""
        new = [key for key, (_, found) in reported.items() if not self._is_inspected(key, found.drift)]
        looks = [self._look_closer(key, reported[key][1].drift or ()) for key in new[:INSPECTED]]
        await asyncio.gather(*looks)
        for key, (standing, finding) in reported.items():
            if self._cache.standing(key) == standing:
                if self._is_inspected(key, finding.drift):
                    finding = replace(finding, drift=self._known[key].details)
                if not standing.drift:
                    metrics.drift.labels("report").inc()
                self._take(key, standing, finding)

    def _is_inspected(self, key: Key, drift: tuple[str, ...] | None) -> bool:
        known = self._known.get(key)
        return known is not None and drift is not None and known.inspected == drift

    async def _look_closer(self, key: Key, drift: tuple[str, ...]) -> None:
        try:
            lines = await self._inspect(key)
        except EngineError as error:
            log.info("the drift can't be looked at in depth: %s", error, extra={"tenant": str(key)})
            return
        details = tuple(shortened(line, MAX_ITEM) for line in lines[:MAX_ITEMS]) or drift
        self._known[key] = replace(self._known.get(key, _Known()), inspected=drift, details=details)

    async def _miss(self, provider: str, standings: Mapping[Key, Standing], at: datetime, why: str) -> None:
        self._missed[provider] += 1
        if self._missed[provider] < MISSED:
            return
        if self._missed[provider] == MISSED:
            log.warning("the tenants on %s can't be seen: %s", provider, why)
        async for key, standing in self._unmoved(standings):
            self._take(key, standing, unseen(standing, at, why))

    def _take(self, key: Key, standing: Standing, finding: Finding) -> None:
        news = is_news(standing, finding)
        known = replace(self._known.get(key, _Known()), finding=finding if news else None)
        if known != _Known():
            self._known[key] = known
        else:
            self._known.pop(key, None)
        if news and is_calm(standing, finding):
            self._calm[key] = None
            self._calm_news.set()
        elif news:
            self._add(key)

    async def _tell(self) -> None:
        """Have Tenants told what is nothing to act upon, but true of all of them at once."""
        while True:
            await self._calm_news.wait()
            self._calm_news.clear()
            calm, self._calm = self._calm, {}
            await tell(calm, self._is_outdated, self._add)

    def _is_outdated(self, key: Key) -> bool:
        standing, finding = self._cache.standing(key), self.finding(key)
        return standing is not None and finding is not None and is_news(standing, finding)

    def _forget(self) -> None:
        for key in [key for key in self._known if key not in self._cache]:
            del self._known[key]

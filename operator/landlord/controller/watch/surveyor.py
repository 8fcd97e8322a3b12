"""Surveys all provisioned tenants every few seconds, with one call for each backend that runs some.

landlord then works only on Tenants that report something else. It may lose what it remembers of them with the
process, because the next survey finds it out again.
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
from landlord.api.survey import Seen
from landlord.api.tenant import Key
from landlord.controller.decide import repairs
from landlord.controller.decide.comparison import (
    Finding,
    LastReported,
    compare,
    find_nothing,
    is_deferrable,
    is_news,
    needs_confirmation,
    shorten_lines,
    with_inspection,
    with_repair_at,
)
from landlord.controller.tell.pace import requeue_outdated
from landlord.controller.watch.cache import Cache
from landlord.errors import EngineError

log = logging.getLogger(__name__)

MISSED = 3
"""So many surveys in a row must fail before landlord reports that about the tenants, and so many inspections
of a tenant before landlord repairs it without one."""
INSPECTED = 10
"""Tenants that landlord inspects in depth at the same time. Of those whose drift it only reports, as many
after one survey; the others follow after the next ones."""

_BATCH = 100
_JITTER = 0.1


@dataclass(frozen=True, slots=True)
class _Remembered:
    """What landlord remembers of a Tenant that a survey has contradicted."""

    finding: Finding | None = None
    is_unhealthy: bool = False
    """Whether the last survey found the tenant unhealthy."""
    inspected: tuple[str, ...] = ()
    """The drift that landlord inspected in depth."""
    details: tuple[str, ...] = ()
    """What the inspection found."""
    repairs: tuple[datetime, ...] = ()
    failed_inspections: int = 0
    """In a row, before a repair."""


class Surveyor:
    """`survey` observes all tenants of a backend, `inspect` one Tenant's in depth; both raise EngineError.

    `is_at_work` says whether work is under way for a Tenant; `add` is called with each Tenant that has news.
    """

    def __init__(
        self,
        *,
        cache: Cache,
        survey: Callable[[str], Awaitable[Mapping[str, Seen]]],
        inspect: Callable[[Key], Awaitable[Sequence[str]]],
        is_at_work: Callable[[Key], bool],
        add: Callable[[Key], None],
        interval: float,
        clock: Callable[[], datetime],
    ) -> None:
        self._cache = cache
        self._survey_backend = survey
        self._inspect = inspect
        self._is_at_work = is_at_work
        self._add = add
        self._interval = interval
        self._clock = clock
        self._known: dict[Key, _Remembered] = {}
        self._missed: defaultdict[str, int] = defaultdict(int)
        self._providers: set[str] = set()
        self._under_way: set[str] = set()
        self._deferred: dict[Key, None] = {}
        self._has_deferred = asyncio.Event()

    def get_finding(self, key: Key) -> Finding | None:
        """Return how the last survey contradicted a Tenant, if it did."""
        known = self._known.get(key)
        return known.finding if known else None

    def remember_repair(self, key: Key) -> None:
        """Remember that landlord repairs a Tenant now."""
        metrics.drift.labels("repair").inc()
        known, now = self._known.get(key, _Remembered()), self._clock()
        self._known[key] = replace(known, repairs=(*repairs.select_recent(known.repairs, now), now))

    async def run(self) -> None:
        """Survey again and again, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._requeue_deferred())
            while True:
                all_reported = self._cache.group_last_reported()
                self._track_providers(all_reported.keys())
                for provider in all_reported.keys() - self._under_way:
                    self._under_way.add(provider)
                    group.create_task(self._survey(provider, all_reported[provider]))
                self._forget()
                jitter = random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311 - no secret
                await asyncio.sleep(self._interval * jitter)

    def _track_providers(self, providers: Set[str]) -> None:
        """Start the metrics of backends that have Tenants now, and end those of the others."""
        for provider in providers - self._providers:
            metrics.last_survey.labels(provider).set_to_current_time()
        for provider in self._providers - providers:
            metrics.last_survey.remove(provider)
        self._providers = set(providers)

    async def _survey(self, provider: str, all_reported: Mapping[Key, LastReported]) -> None:
        """Compare with what the Tenants reported before it began, without those that have changed since."""
        at, started = self._clock(), time.monotonic()
        try:
            seen = await self._survey_backend(provider)
        except EngineError as error:
            metrics.surveys.labels(provider, "failed").inc()
            await self._handle_miss(provider, all_reported, at, str(error))
        else:
            metrics.surveys.labels(provider, "ok").inc()
            metrics.survey_seconds.labels(provider).observe(time.monotonic() - started)
            if provider in self._providers:
                metrics.last_survey.labels(provider).set(at.timestamp())
            if self._missed.pop(provider, 0) >= MISSED:
                log.info("landlord can observe the tenants on %s again", provider)
            await self._compare(all_reported, seen, at)
        finally:
            self._under_way.discard(provider)

    async def _compare(
        self, all_reported: Mapping[Key, LastReported], seen: Mapping[str, Seen], at: datetime
    ) -> None:
        doubtful: dict[Key, tuple[LastReported, Finding]] = {}
        reported: dict[Key, tuple[LastReported, Finding]] = {}
        async for key, last_reported in self._iterate_unchanged(all_reported):
            known, one = self._known.get(key, _Remembered()), seen.get(last_reported.tenant_id)
            finding = compare(last_reported, one, at, was_unhealthy=known.is_unhealthy)
            if not finding.drift:  # because the same drift may come again, with other details
                known = replace(known, inspected=(), details=())
            is_doubtful = needs_confirmation(last_reported, one, finding)
            self._known[key] = replace(
                known,
                is_unhealthy=one is not None and not one.healthy,
                failed_inspections=known.failed_inspections if is_doubtful else 0,
            )
            if is_doubtful:
                doubtful[key] = last_reported, finding
            elif last_reported.mode == "Report" and finding.drift:
                reported[key] = last_reported, finding
            else:
                self._keep(key, last_reported, finding)
        await self._confirm(doubtful)
        await self._report(reported)

    async def _iterate_unchanged(
        self, all_reported: Mapping[Key, LastReported]
    ) -> AsyncIterator[tuple[Key, LastReported]]:
        """Iterate over Tenants that report the same as when the survey began, and have no work under way."""
        for number, (key, last_reported) in enumerate(all_reported.items()):
            if number % _BATCH == 0:
                await asyncio.sleep(0)
            if self._cache.get_last_reported(key) == last_reported and not self._is_at_work(key):
                yield key, last_reported

    async def _confirm(self, doubtful: Mapping[Key, tuple[LastReported, Finding]]) -> None:
        """Inspect Tenants before landlord repairs them, because there may be nothing to repair."""
        limit = asyncio.Semaphore(INSPECTED)

        async def confirm(key: Key, last_reported: LastReported, finding: Finding) -> None:
            async with limit:
                lines = await self._try_to_inspect(key)
            known = self._known.get(key, _Remembered())
            failed = known.failed_inspections + 1 if lines is None else 0
            self._known[key] = replace(known, failed_inspections=failed)
            if lines is not None:
                finding = with_inspection(finding, lines)
            elif failed < MISSED:  # from then on, the repair itself finds out
                return
            if self._cache.get_last_reported(key) == last_reported and not self._is_at_work(key):
                self._keep(key, last_reported, finding)

        await asyncio.gather(*(confirm(key, *found) for key, found in doubtful.items()))

    async def _report(self, reported: Mapping[Key, tuple[LastReported, Finding]]) -> None:
        """Inspect Tenants whose drift is only reported: once for each drift that a survey has found."""
        new = [key for key, (_, found) in reported.items() if not self._is_inspected(key, found.drift)]
        looks = [self._inspect_closely(key, reported[key][1].drift or ()) for key in new[:INSPECTED]]
        lines_by_key = dict(zip(new, await asyncio.gather(*looks), strict=False))
        for key, (last_reported, finding) in reported.items():
            if self._cache.get_last_reported(key) == last_reported:
                if self._is_inspected(key, finding.drift):
                    finding = replace(finding, drift=self._known[key].details)
                elif (lines := lines_by_key.get(key)) is not None:
                    finding = with_inspection(finding, lines)
                if finding.drift and not last_reported.drift:
                    metrics.drift.labels("report").inc()
                self._keep(key, last_reported, finding)

    def _is_inspected(self, key: Key, drift: tuple[str, ...] | None) -> bool:
        known = self._known.get(key)
        return known is not None and drift is not None and known.inspected == drift

    async def _inspect_closely(self, key: Key, drift: tuple[str, ...]) -> Sequence[str] | None:
        """Inspect a Tenant, and remember what differs; None if that is impossible now."""
        if lines := await self._try_to_inspect(key):
            known = self._known.get(key, _Remembered())
            self._known[key] = replace(known, inspected=drift, details=shorten_lines(lines))
        return lines

    async def _try_to_inspect(self, key: Key) -> Sequence[str] | None:
        """Inspect a Tenant; None if that is impossible now."""
        try:
            return await self._inspect(key)
        except EngineError as error:
            log.info("landlord can't inspect the drift: %s", error, extra={"tenant": str(key)})
            return None

    async def _handle_miss(
        self, provider: str, all_reported: Mapping[Key, LastReported], at: datetime, why: str
    ) -> None:
        self._missed[provider] += 1
        if self._missed[provider] < MISSED:
            return
        if self._missed[provider] == MISSED:
            log.warning("landlord can't observe the tenants on %s: %s", provider, why)
        async for key, last_reported in self._iterate_unchanged(all_reported):
            self._keep(key, last_reported, find_nothing(last_reported, at, why))

    def _keep(self, key: Key, last_reported: LastReported, finding: Finding) -> None:
        known = self._known.get(key, _Remembered())
        if finding.repair and (due := repairs.find_due_time(known.repairs, finding.at)):
            finding = with_repair_at(finding, due)
        news = is_news(last_reported, finding)
        known = replace(known, finding=finding if news else None)
        if known != _Remembered():
            self._known[key] = known
        else:
            self._known.pop(key, None)
        if news and is_deferrable(last_reported, finding):
            self._deferred[key] = None
            self._has_deferred.set()
        elif news:
            self._add(key)

    async def _requeue_deferred(self) -> None:
        """Have Tenants report news that needs no action, but may concern all of them at once."""
        while True:
            await self._has_deferred.wait()
            self._has_deferred.clear()
            deferred, self._deferred = self._deferred, {}
            await requeue_outdated(deferred, self._is_outdated, self._add)

    def _is_outdated(self, key: Key) -> bool:
        last_reported, finding = self._cache.get_last_reported(key), self.get_finding(key)
        return last_reported is not None and finding is not None and is_news(last_reported, finding)

    def _forget(self) -> None:
        for key in [key for key in self._known if key not in self._cache]:
            del self._known[key]

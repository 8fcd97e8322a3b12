"""A row of the table of what can happen to a registration, and how it is shown to be true."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
from prometheus_client import Counter, Histogram
from tests.integration.restate.parts import STEPS, RunningEngine, request
from tests.integration.restate.world import Happening, World
from tests.support.polling import eventually_async

from landlord import metrics
from landlord.api.outcome import Outcome
from landlord.api.request import Request
from landlord.engines.restate.verdict import Policy
from landlord.errors import EngineError

Counts = Mapping[str, int | range]

ARROW = " → "
LASTS_SECONDS = 0.5
"""Time for two further looks."""
LONGEST_REPAIRS = 60.0
FEW = range(1, 10)
"""As many attempts as the backoff allows within some seconds."""


@dataclass(frozen=True)
class Row:
    """One thing that happens, and what comes of it.

    Whatever it is, it ends with our worker registered at its revision, and work that a Tenant submitted
    meanwhile finishes then, each of its steps done once. RegistrationLost is heard, and a loss is counted,
    only where rows say so: never because Restate could not be asked.
    """

    reasons: str
    """Reasons of WorkflowRegistered in the order in which they are heard. The last one lasts."""
    happens: Happening | None = None
    """Once the worker is registered; if that is nothing, all is watched from the operator's start on."""
    given: Happening | None = None
    """What is so before the operator starts, besides an empty Restate and a worker that runs."""
    words: str = ""
    """A part of the message that lasts."""
    until: Happening | None = None
    """What ends it; if that is nothing, landlord has ended it itself."""
    then: str = ""
    """Reasons that are heard after that."""
    attempts: Counts = field(default_factory=dict)
    """How many registrations are sent to Restate, by what comes of them; without more, none."""
    lost: Counts = field(default_factory=dict)
    """How many losses are counted, by cause, each of which is repaired; without more, none."""
    repaired_by_person: bool = False
    """Whether they are not timed, as a person has repaired them."""
    work_goes_on: bool = False
    """Whether work is done even before it has ended."""
    behind_proxies: bool = False
    policy: Policy = "enforce"

    @property
    def told(self) -> str:
        """All reasons."""
        return ARROW.join(filter(None, [self.reasons, self.then]))


def table(rows: Mapping[str, Row]) -> pytest.MarkDecorator:
    """The rows as a parameter of a test."""
    return pytest.mark.parametrize("row", [pytest.param(row, id=what) for what, row in rows.items()])


async def hold(row: Row, world: World, tenant: str) -> None:
    """Have it happen, and assert that what comes of it is what the row says."""
    if row.given is not None:
        await row.given(world)
    before, counted = None, Counted()
    async with world.operated(row.policy, behind_proxies=row.behind_proxies) as engine:
        if row.happens is not None:
            await engine.until("Registered")
            engine.heard.registrations.clear()
            before, counted = engine.registration, Counted()
            await row.happens(world)

        if row.until is None:
            work = asyncio.create_task(_insist(engine, request(tenant)))
        else:
            await _hear(engine, row.reasons)
            work = asyncio.create_task(_insist(engine, request(tenant)))
            await asyncio.sleep(LASTS_SECONDS)
            assert heard(engine) == row.reasons, "it lasts"
            assert row.words in engine.registration.message
            assert work.done() == row.work_goes_on
            assert not (engine.registration.reason == "EngineUnreachable" and says_reachable())
            await row.until(world)
        await _hear(engine, row.told)

        assert (await asyncio.wait_for(work, 20)).result == "Succeeded"
        assert says_reachable()
        assert world.worker.ran(tenant) + world.other.ran(tenant) == STEPS
        registered = await world.registered()
        assert registered is not None
        assert registered.uri == f"{world.worker.url}/"
        assert registered.revision == engine.registration.revision
        if row.happens is not None and not row.attempts:
            assert engine.registration == before, "the very same registration"
    assert heard(engine) == row.told
    for said in engine.heard.registrations:
        assert said.status == {"Registered": "True", "EngineUnreachable": "Unknown"}.get(said.reason, "False")
    counted.assert_added(attempts=row.attempts, lost=row.lost, timed=not row.repaired_by_person)


class Counted:
    """The metrics of registration as they are at its construction."""

    def __init__(self) -> None:
        self.attempts = _samples(metrics.registration_attempts, "_total")
        self.lost = _samples(metrics.registration_lost, "_total")
        self.repairs = sum(_samples(metrics.registration_repair_seconds, "_count").values())
        self.repair_seconds = sum(_samples(metrics.registration_repair_seconds, "_sum").values())

    def assert_added(self, *, attempts: Counts, lost: Counts, timed: bool = True) -> None:
        """Assert that so much was added, and a repair for each loss if they were timed."""
        now = Counted()
        _assert_counts(_added(self.attempts, now.attempts), attempts)
        losses = _added(self.lost, now.lost)
        _assert_counts(losses, lost)
        assert now.repairs - self.repairs == (sum(losses.values()) if timed else 0)
        assert 0 <= now.repair_seconds - self.repair_seconds <= LONGEST_REPAIRS


def _assert_counts(found: Mapping[str, float], expected: Counts) -> None:
    assert found.keys() == expected.keys()
    for name, number in expected.items():
        assert found[name] in (number if isinstance(number, range) else [number]), found


def _samples(metric: Counter | Histogram, suffix: str) -> dict[str, float]:
    """The metric's values by the value of its only label."""
    return {
        "".join(sample.labels.values()): sample.value
        for family in metric.collect()
        for sample in family.samples
        if sample.name.endswith(suffix)
    }


def _added(before: Mapping[str, float], now: Mapping[str, float]) -> dict[str, float]:
    return {name: value - before.get(name, 0) for name, value in now.items() if value != before.get(name, 0)}


def says_reachable() -> bool:
    """Whether the metric says that Restate answers."""
    (family,) = metrics.engine_reachable.collect()
    return family.samples[0].value == 1


def heard(engine: RunningEngine) -> str:
    """The reasons in the order in which they were heard."""
    return ARROW.join(engine.heard.reasons)


async def _hear(engine: RunningEngine, reasons: str) -> None:
    """Return once these reasons and no others have been heard."""

    async def so() -> bool:
        assert heard(engine) == reasons, engine.registration
        return True

    await eventually_async(so)


async def _insist(engine: RunningEngine, work: Request) -> Outcome:
    """Submit it until it is done, as an operator does for a Tenant."""
    while True:
        try:
            return await engine.perform(work)
        except EngineError:
            await asyncio.sleep(0.05)

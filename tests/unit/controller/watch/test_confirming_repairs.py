"""Before landlord repairs a tenant, an inspection confirms that there is something to repair."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.support.clockwork import run
from tests.unit.controller.watch.test_surveyor import INTERVAL, SCALED, WELL, World

from landlord.api.survey import Seen
from landlord.api.tenant import Key
from landlord.errors import EngineUnreachable

TOUCHED = Seen(spec_hash="5eed", outdated="the Secret team/db has changed")
OTHER = Seen(spec_hash="07e4")
DIFFERS = ("Deployment tenant: spec.replicas is 3, should be 2",)
KEY = Key("tenants", "acme")


@dataclass
class Inspected(World):
    """Tenants in which an inspection finds these lines; None: it fails."""

    lines: Sequence[str] | None = ()
    looks: list[str] = field(default_factory=list)

    async def inspect(self, key: Key) -> Sequence[str]:
        self.looks.append(key.name)
        await asyncio.sleep(1)
        if self.lines is None:
            raise EngineUnreachable("connection refused")
        return self.lines


def live(world: World, seconds: float = INTERVAL / 2) -> None:
    run(lambda: world.live(seconds))


@pytest.mark.parametrize("seen", [SCALED, TOUCHED], ids=["drift", "a Secret"])
@pytest.mark.parametrize("drift", ["Repair", "Report", "Ignore"])
def test_what_differs_in_nothing_is_not_repaired_and_costs_no_write(seen: Seen, drift: str) -> None:
    world = Inspected()
    world.put("acme", seen=seen, management={"drift": drift})
    live(world, 200)
    assert world.added == []
    assert world.surveyor.get_finding(KEY) is None


@pytest.mark.parametrize(
    ("seen", "lines", "drift"),
    [(SCALED, DIFFERS, DIFFERS), (TOUCHED, DIFFERS, ())],
)
def test_what_differs_is_repaired(seen: Seen, lines: Sequence[str], drift: Sequence[str]) -> None:
    world = Inspected(lines=lines)
    world.put("acme", seen=seen)
    live(world)
    finding = world.surveyor.get_finding(KEY)
    assert finding is not None
    assert (finding.drift, finding.repair) == (drift, seen.drift or seen.outdated)
    assert finding.is_repair_due


@pytest.mark.parametrize(("inspections", "is_repaired"), [(2, False), (3, True)])
def test_what_cannot_be_inspected_three_times_is_repaired_without(
    inspections: int, is_repaired: bool
) -> None:
    world = Inspected(lines=None)
    world.put("acme", seen=SCALED)

    async def until_inspected() -> None:
        task = asyncio.create_task(world.live(10 * INTERVAL))
        await asyncio.sleep((inspections - 0.5) * INTERVAL)
        assert len(world.looks) == inspections
        finding = world.surveyor.get_finding(KEY)
        assert (finding is not None and finding.is_repair_due) == is_repaired
        await task

    run(until_inspected)


def test_inspections_that_failed_before_the_tenant_was_well_again_do_not_count() -> None:
    world = Inspected(lines=None)
    world.put("acme", seen=SCALED)

    async def both() -> None:
        task = asyncio.create_task(world.live(10 * INTERVAL))
        await asyncio.sleep(1.5 * INTERVAL)
        world.seen["acme"] = WELL
        await asyncio.sleep(INTERVAL)
        world.seen["acme"] = SCALED
        await asyncio.sleep(INTERVAL)
        assert len(world.looks) == 3
        assert world.surveyor.get_finding(KEY) is None
        await task

    run(both)


@pytest.mark.parametrize(
    "seen", [None, OTHER, Seen(state="Archived")], ids=["gone", "another spec", "another state"]
)
def test_what_certainly_differs_is_repaired_at_once(seen: Seen | None) -> None:
    world = Inspected()
    world.put("acme", seen=seen)
    live(world)
    assert (world.names(), world.looks) == (["acme"], [])


def test_work_that_begins_during_the_inspection_is_left_alone() -> None:
    world = Inspected(lines=DIFFERS)
    world.put("acme", seen=SCALED)

    async def both() -> None:
        task = asyncio.create_task(world.live(INTERVAL / 2))
        await asyncio.sleep(0.5)
        world.at_work.add(KEY)
        await task

    run(both)
    assert world.looks == ["acme"]
    assert world.added == []


def test_a_secret_that_is_rewritten_often_delays_no_real_change() -> None:
    """The time from the change of its value to its repair is that to the next survey."""
    world = Inspected()
    world.put("acme", seen=TOUCHED)

    async def both() -> None:
        task = asyncio.create_task(world.live(30 * INTERVAL))
        await asyncio.sleep(20 * INTERVAL)
        assert world.added == []
        world.lines = DIFFERS
        await asyncio.sleep(1.5 * INTERVAL)
        assert world.names()[:1] == ["acme"]
        await task

    run(both)


@pytest.mark.parametrize("seen", [SCALED, TOUCHED], ids=["drift", "a Secret"])
def test_a_repair_that_has_to_wait_says_when_it_comes(seen: Seen) -> None:
    world = Inspected(lines=DIFFERS)
    world.put("acme", seen=WELL)

    async def both() -> None:
        task = asyncio.create_task(world.live(2 * INTERVAL))
        world.surveyor.remember_repair(KEY)
        world.surveyor.remember_repair(KEY)
        world.seen["acme"] = seen
        await task

    run(both)
    said = message(world)
    assert "landlord repaired it moments ago, and does so again at 2026-01-01T12:00:40Z" in said
    assert (seen.drift or seen.outdated) in said


def message(world: World) -> str:
    tenant = world.cache.get(KEY)
    assert tenant is not None
    healthy: list[Any] = [each for each in tenant.status.conditions if each.type == "ComputeHealthy"]
    return str(healthy[0].message)

"""The loop that looks at all tenants: whom it has worked on, and when."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from tests.support.clockwork import run
from tests.support.plans import FACTS, a_ready_tenant, decide

from landlord.api.survey import Seen
from landlord.api.tenant import Key
from landlord.controller.tell.pace import PACE
from landlord.controller.watch.cache import Cache
from landlord.controller.watch.surveyor import INSPECTED, MISSED, Surveyor
from landlord.errors import EngineUnreachable

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
INTERVAL = 20.0
WELL = Seen(spec_hash="5eed")
SCALED = Seen(spec_hash="5eed", drift="scaled to 3")
CRASHED = Seen(spec_hash="5eed", healthy=False, reason="exit code 1")


@dataclass
class World:
    """Tenants that are Ready, what is seen of them, and who was worked on at which second: whoever is says
    at once what was found. What is to be repaired is not: that is the test's part."""

    cache: Cache = field(default_factory=Cache)
    seen: dict[str, Seen] = field(default_factory=dict)
    away: bool = False
    took: float = 0.0
    surveys: list[float] = field(default_factory=list)
    at_work: set[Key] = field(default_factory=set)
    inspected: list[str] = field(default_factory=list)
    added: list[tuple[float, str]] = field(default_factory=list)
    surveyor: Surveyor = field(init=False)

    def __post_init__(self) -> None:
        self.surveyor = Surveyor(
            cache=self.cache,
            survey=self.look,
            inspect=self.inspect,
            is_at_work=self.at_work.__contains__,
            add=self.add,
            interval=INTERVAL,
            clock=self.now,
        )

    def now(self) -> datetime:
        return START + timedelta(seconds=asyncio.get_running_loop().time())

    def put(
        self, name: str, *, seen: Seen | None = WELL, version: int = 1, attempt: int = 1, **spec: Any
    ) -> None:
        body = a_ready_tenant(**spec).model_dump(mode="json", by_alias=True, exclude_none=True)
        body["metadata"] |= {"name": name, "uid": name, "resourceVersion": str(version)}
        body["status"]["workflow"]["attempt"] = attempt
        self.cache.put(body)
        if seen is not None:
            self.seen[name] = seen

    async def look(self, provider: str) -> Mapping[str, Seen]:
        self.surveys.append(asyncio.get_running_loop().time())
        await asyncio.sleep(self.took)
        if self.away:
            raise EngineUnreachable("connection refused")
        return dict(self.seen)

    async def inspect(self, key: Key) -> Sequence[str]:
        self.inspected.append(key.name)
        return [f"{key.name}: replicas is 3, should be 2"]

    def add(self, key: Key) -> None:
        self.added.append((asyncio.get_running_loop().time(), key.name))
        tenant, finding = self.cache.get(key), self.surveyor.get_finding(key)
        assert tenant is not None
        decided = decide(tenant, replace(FACTS, finding=finding), self.now())
        if decided.status and not decided.is_repair:
            body = tenant.model_dump(mode="json", by_alias=True, exclude_none=True)
            self.cache.put(body | {"status": decided.status.model_dump(mode="json", exclude_none=True)})

    def names(self) -> list[str]:
        return [name for _, name in self.added]

    def reason(self, name: str) -> str | None:
        finding = self.surveyor.get_finding(Key("tenants", name))
        return finding.health.reason if finding and finding.health else None

    async def live(self, seconds: float) -> None:
        task = asyncio.create_task(self.surveyor.run())
        await asyncio.sleep(seconds)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def test_tenants_that_are_as_they_say_are_never_worked_on() -> None:
    world = World()
    for number in range(250):
        world.put(f"t-{number}")
    run(lambda: world.live(200))
    assert 9 <= len(world.surveys) <= 11
    assert world.added == []


def test_no_survey_is_made_while_nothing_is_provisioned() -> None:
    world = World()
    run(lambda: world.live(200))
    assert world.surveys == []


def test_what_is_gone_or_changed_is_worked_on_after_the_first_survey_that_sees_it() -> None:
    world = World()
    world.put("well")
    world.put("gone", seen=None)
    world.put("scaled", seen=SCALED)
    run(lambda: world.live(1))
    assert world.added == [(0.0, "gone"), (0.0, "scaled")]


def test_what_is_unhealthy_is_told_when_two_surveys_in_a_row_have_seen_it() -> None:
    world = World()
    world.put("crashed", seen=CRASHED)
    world.put("recovers", seen=CRASHED)

    async def live() -> None:
        task = asyncio.create_task(world.live(30))
        await asyncio.sleep(1)
        assert world.added == []
        world.seen["recovers"] = WELL
        await task

    run(live)
    assert world.names() == ["crashed"]


def test_what_moves_on_while_a_survey_is_made_is_left_to_the_next() -> None:
    world = World(took=5)
    world.put("repaired", seen=None)

    async def live() -> None:
        task = asyncio.create_task(world.live(10))
        await asyncio.sleep(2)
        world.put("repaired", seen=None, version=2, attempt=2)
        await task

    run(live)
    assert world.added == []


def test_what_is_being_repaired_is_left_alone_and_what_was_found_is_kept_until_that_is_done() -> None:
    world = World()
    world.put("repaired", seen=SCALED)
    key = Key("tenants", "repaired")

    async def live() -> None:
        task = asyncio.create_task(world.live(100))
        await asyncio.sleep(1)
        world.at_work.add(key)
        world.seen["repaired"] = WELL
        await asyncio.sleep(50)
        finding = world.surveyor.get_finding(key)
        assert finding is not None
        assert finding.repair == "scaled to 3"
        world.at_work.clear()
        await task

    run(live)
    assert world.surveyor.get_finding(key) is None
    assert world.names() == ["repaired"]


def test_one_missed_survey_says_nothing_and_three_in_a_row_say_not_surveyed_of_all_at_their_pace() -> None:
    world = World(away=True)
    for number in range(200):
        world.put(f"t-{number}")

    async def live() -> None:
        task = asyncio.create_task(world.live(MISSED * INTERVAL + 60))
        await asyncio.sleep((MISSED - 1) * INTERVAL * 0.85)
        assert world.added == []
        await task

    run(live)
    times = [at for at, _ in world.added]
    assert set(world.names()) == {f"t-{number}" for number in range(200)}
    assert len(world.added) == 200
    said = [world.cache.get_last_reported(Key("tenants", name)) for name in world.names()]
    assert {each.health[:2] for each in said if each and each.health} == {("Unknown", "NotSurveyed")}
    assert times[199] - times[0] >= 199 / PACE


def test_a_backend_that_answers_slowly_is_not_asked_by_several_at_once() -> None:
    world = World(took=45)
    world.put("well")
    run(lambda: world.live(100))
    assert 2 <= len(world.surveys) <= 3


def test_a_tenant_that_is_repaired_again_and_again_is_repaired_more_and_more_rarely() -> None:
    world = World()
    world.put("fought", seen=SCALED)
    key = Key("tenants", "fought")
    repaired = []

    async def live() -> None:
        task = asyncio.create_task(world.live(3600))
        loop = asyncio.get_running_loop()
        attempt = 1
        while loop.time() < 3500:
            await asyncio.sleep(1)
            finding = world.surveyor.get_finding(key)
            if (
                finding
                and finding.work == ("fought", 1, attempt)
                and finding.repair
                and finding.repair_at is None
            ):
                world.surveyor.remember_repair(key)
                repaired.append(loop.time())
                attempt += 1
                world.put("fought", seen=SCALED, version=attempt, attempt=attempt)
        task.cancel()

    run(live)
    gaps = [later - earlier for earlier, later in pairwise(repaired)]
    assert len(repaired) <= 12
    assert gaps[0] >= 20
    assert gaps[-1] >= 600


def test_drift_that_is_only_reported_is_looked_at_in_depth_once() -> None:
    world = World()
    world.put("scaled", seen=SCALED, management={"drift": "Report"})
    run(lambda: world.live(200))
    assert world.inspected == ["scaled"]
    assert world.names() == ["scaled"]
    said = world.cache.get_last_reported(Key("tenants", "scaled"))
    assert said is not None
    assert said.drift == ("scaled: replicas is 3, should be 2",)


def test_drift_that_comes_again_after_it_was_undone_is_looked_at_again() -> None:
    world = World()
    world.put("scaled", seen=SCALED, management={"drift": "Report"})

    async def live() -> None:
        task = asyncio.create_task(world.live(3.5 * INTERVAL))
        for seen in (SCALED, WELL, SCALED):
            world.seen["scaled"] = seen
            await asyncio.sleep(1.2 * INTERVAL)
        await task

    run(live)
    assert world.inspected == ["scaled", "scaled"]
    assert world.names() == ["scaled"] * 3


def test_when_many_drift_at_once_they_are_told_at_once_and_looked_at_in_turn() -> None:
    world = World()
    for number in range(3 * INSPECTED):
        world.put(f"t-{number}", seen=SCALED, management={"drift": "Report"})
    run(lambda: world.live(1))
    assert len(world.inspected) == INSPECTED
    assert len(world.added) == 3 * INSPECTED


def test_a_tenant_that_is_gone_from_the_cluster_is_forgotten() -> None:
    world = World()
    world.put("gone", seen=None)

    async def live() -> None:
        task = asyncio.create_task(world.live(100))
        await asyncio.sleep(1)
        assert world.reason("gone") == "Missing"
        world.cache.drop(Key("tenants", "gone"), "gone")
        await task

    run(live)
    assert world.reason("gone") is None

"""Settled Tenants hear of the registration late, slowly, and only if they say otherwise; whatever happens."""

import asyncio
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.support.clockwork import run

from landlord.api.tenant import Key
from landlord.controller.tell.pace import PACE
from landlord.controller.tell.sweep import BAD_NEWS_SECONDS, GOOD_NEWS_SECONDS, Sweep
from landlord.engines.contract import Registration

REGISTERED = Registration("True", "Registered", "registered")
AWAY = Registration("Unknown", "EngineUnreachable", "connection refused")
AWAY_IN_OTHER_WORDS = Registration("Unknown", "EngineUnreachable", "no route to host")
LOST = Registration("False", "RegistrationLost", "the store was lost")

Happening = tuple[float, Registration]
"""Seconds to wait, and what the registration is then."""


@dataclass
class World:
    """Settled Tenants, and an operator that writes what it is told at once."""

    says: dict[Key, Registration]
    steady: Registration | None = None
    writes: list[tuple[float, Key]] = field(default_factory=list)
    settled: list[tuple[float, Registration]] = field(default_factory=list)

    def outdated(self, key: Key, registration: Registration) -> bool:
        return self.says[key] != registration

    def settle(self, registration: Registration) -> None:
        self.steady = registration
        self.settled.append((asyncio.get_running_loop().time(), registration))

    def reconcile(self, key: Key) -> None:
        assert self.steady is not None
        assert self.says[key] != self.steady, "nothing to tell this one"
        self.says[key] = self.steady
        self.writes.append((asyncio.get_running_loop().time(), key))

    def most_within_a_second(self) -> int:
        times = [at for at, _ in self.writes]
        return max((bisect_right(times, at + 1) - bisect_left(times, at) for at in times), default=0)


class StallingWorld(World):
    """One in which the API server takes nothing for 3 of every 5 seconds, and then all at once."""

    def reconcile(self, key: Key) -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(max(0.0, 3 - loop.time() % 5), super().reconcile, key)


def lived(says: Sequence[Registration], happenings: Sequence[Happening], afterwards: float) -> World:
    """What came of it, so many seconds after the last happening."""
    world = World({Key("tenants", f"t-{number}"): each for number, each in enumerate(says)})
    live_in(world, happenings, afterwards)
    return world


def live_in(world: World, happenings: Sequence[Happening], afterwards: float) -> None:
    async def live() -> None:
        sweep = Sweep(lambda: list(world.says), world.outdated, world.settle, world.reconcile)
        task = asyncio.create_task(sweep.run())
        for seconds, registration in happenings:
            await asyncio.sleep(seconds)
            sweep.follow(registration)
        await asyncio.sleep(afterwards)
        task.cancel()

    run(live)


def long_enough(tenants: int) -> float:
    """For bad news, or other words for it, to reach all."""
    return 2 * (BAD_NEWS_SECONDS + tenants / PACE) + 1


registrations = st.sampled_from([REGISTERED, AWAY, AWAY_IN_OTHER_WORDS, LOST])


@given(
    says=st.lists(registrations, max_size=100),
    happenings=st.lists(st.tuples(st.floats(0, 90), registrations), min_size=1, max_size=12),
)
@example(  # a sweep of bad news is cut short by good news, and those come back before they were told
    says=[REGISTERED] * 400, happenings=[(0, REGISTERED), (20, AWAY), (33, REGISTERED), (5, AWAY)]
)
@settings(max_examples=40, deadline=None)
def test_in_the_end_all_say_how_it_is_and_at_no_time_does_it_cost_a_storm(
    says: list[Registration], happenings: list[Happening]
) -> None:
    world = lived(says, happenings, long_enough(len(says)))
    assert set(world.says.values()) <= {happenings[-1][1]}
    assert world.most_within_a_second() <= PACE + 1


@given(happenings=st.lists(st.tuples(st.floats(0, 90), registrations), min_size=1, max_size=12))
@settings(max_examples=40, deadline=None)
def test_nothing_is_told_before_it_has_stood_long_enough(happenings: list[Happening]) -> None:
    world = lived([REGISTERED] * 5, happenings, 60)
    at, stretches = 0.0, list[tuple[float, tuple[str, str]]]()
    for seconds, registration in happenings:
        at += seconds
        verdict = (registration.status, registration.reason)
        if not stretches or stretches[-1][1] != verdict:
            stretches.append((at, verdict))
    for when, told in world.settled:
        since, stood = [each for each in stretches if each[0] < when][-1]
        assert stood == (told.status, told.reason)
        assert when - since >= (GOOD_NEWS_SECONDS if told.ready else BAD_NEWS_SECONDS) - 1e-6


def test_a_minute_s_outage_ends_with_2000_tenants_right_within_a_minute() -> None:
    happenings = [(0.0, REGISTERED), (60.0, AWAY), (60.0, REGISTERED)]
    world = lived([REGISTERED] * 2000, happenings, 60)
    assert set(world.says.values()) == {REGISTERED}
    back = 120.0
    told_of_the_outage = {key for at, key in world.writes if at < back}
    assert 0 < len(told_of_the_outage) <= (60 - BAD_NEWS_SECONDS) * PACE + 1
    assert {key for at, key in world.writes if at >= back} == told_of_the_outage
    assert len(world.writes) == 2 * len(told_of_the_outage)


def test_after_an_outage_of_any_length_2000_tenants_are_right_within_a_minute() -> None:
    world = lived([AWAY] * 2000, [(0, AWAY), (600, REGISTERED)], 60)
    assert set(world.says.values()) == {REGISTERED}


@pytest.mark.parametrize("outage", [1.0, BAD_NEWS_SECONDS - 1])
def test_a_short_outage_costs_nothing(outage: float) -> None:
    happenings = [(0.0, REGISTERED), (60.0, AWAY), (outage, REGISTERED)]
    assert lived([REGISTERED] * 100, happenings, 100).writes == []


def test_those_who_say_so_already_do_not_hold_up_the_others() -> None:
    world = lived([*[REGISTERED] * 20_000, AWAY], [(0.0, REGISTERED)], GOOD_NEWS_SECONDS + 0.1)
    assert len(world.writes) == 1


def test_an_api_server_that_stalls_is_not_sent_in_a_burst_what_it_missed() -> None:
    world = StallingWorld({Key("tenants", f"t-{number}"): AWAY for number in range(500)})
    live_in(world, [(0.0, REGISTERED)], 60)
    assert set(world.says.values()) == {REGISTERED}
    assert world.most_within_a_second() <= PACE + 15


def test_words_that_change_all_the_time_neither_delay_the_news_nor_repeat_it() -> None:
    flapping = [(1.0, each) for _ in range(300) for each in (AWAY, AWAY_IN_OTHER_WORDS)]
    world = lived([REGISTERED] * 100, [(0.0, REGISTERED), (60.0, AWAY), *flapping], 0)
    assert len(world.writes) == 100


def test_who_settled_in_a_short_outage_and_tells_of_it_is_put_right() -> None:
    world = World({Key("tenants", f"t-{number}"): REGISTERED for number in range(5)})

    async def live() -> None:
        sweep = Sweep(lambda: list(world.says), world.outdated, world.settle, world.reconcile)
        task = asyncio.create_task(sweep.run())
        sweep.follow(REGISTERED)
        await asyncio.sleep(60)
        sweep.follow(AWAY)
        world.says[Key("tenants", "t-3")] = AWAY
        await asyncio.sleep(5)
        sweep.follow(REGISTERED)
        await asyncio.sleep(GOOD_NEWS_SECONDS + 1)
        task.cancel()

    run(live)
    assert set(world.says.values()) == {REGISTERED}
    assert [key.name for _, key in world.writes] == ["t-3"]

"""How long a repair waits that was made before."""

from datetime import UTC, datetime, timedelta

import pytest

from landlord.controller.decide.repairs import LONGEST_WAIT, MEMORY, find_due_time, select_recent

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def test_the_first_repair_is_made_at_once() -> None:
    assert find_due_time((), NOW) is None


def test_each_further_repair_waits_twice_as_long_as_the_one_before_up_to_ten_minutes() -> None:
    repaired: tuple[datetime, ...] = (NOW,)
    waits = []
    for _ in range(7):
        at = find_due_time(repaired, repaired[-1])
        assert at is not None
        waits.append((at - repaired[-1]).total_seconds())
        repaired = (*repaired, at)
    assert waits == [20, 40, 80, 160, 320, 600, 600]


@pytest.mark.parametrize(
    ("ago", "waits"), [(timedelta(seconds=19), True), (timedelta(seconds=20), False), (MEMORY, False)]
)
def test_a_repair_that_has_waited_long_enough_is_made(ago: timedelta, waits: bool) -> None:
    assert (find_due_time((NOW - ago,), NOW) is not None) == waits


def test_what_is_long_ago_does_not_count() -> None:
    long_ago, lately = NOW - MEMORY, NOW - LONGEST_WAIT
    assert select_recent((long_ago, lately), NOW) == (lately,)

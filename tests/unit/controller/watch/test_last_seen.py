"""What tells a quiet watch from a blind one."""

import pytest

from landlord import metrics
from landlord.controller.kube import build_tenants_path
from landlord.controller.watch import last_seen
from landlord.controller.watch.last_seen import LastSeen

ALL = build_tenants_path(None)
A, B = build_tenants_path("a"), build_tenants_path("b")


class Clock:
    """Time that passes as a test says."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return 5000.0 + self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(last_seen, "time", clock)
    return clock


def gauge() -> float:
    """The metric now."""
    (family,) = metrics.watch_last_seen.collect()
    return float(family.samples[0].value)


def sees(seen: LastSeen) -> bool:
    return seen.report()[0]


def test_nothing_is_seen_before_every_watch_has_been_opened(clock: Clock) -> None:
    seen = LastSeen(["a", "b"])
    assert not sees(seen)
    seen.note_answer(A, watch=False)
    seen.note_answer(A, watch=True)
    assert seen.report() == (False, "the watch on Tenants has not started yet")
    seen.note_answer(B, watch=True)
    assert sees(seen)


def test_a_bookmark_a_minute_keeps_the_gate_open(clock: Clock) -> None:
    seen = LastSeen([])
    seen.note_answer(ALL, watch=True)
    for _ in range(10):
        clock.now += 61
        assert sees(seen)
        seen.note_event(ALL)
        assert gauge() == clock.time()


def test_the_first_bookmark_may_come_after_the_watch_was_opened_again(clock: Clock) -> None:
    seen = LastSeen([])
    seen.note_answer(ALL, watch=True)
    clock.now += 70
    seen.note_answer(ALL, watch=True)
    clock.now += 60
    assert sees(seen)
    seen.note_event(ALL)
    clock.now += 70
    seen.note_answer(ALL, watch=True)
    clock.now += 119
    assert sees(seen)


def test_a_watch_that_is_opened_again_and_again_and_brings_nothing_is_blind(clock: Clock) -> None:
    seen = LastSeen([])
    seen.note_answer(ALL, watch=True)
    for _ in range(3):
        clock.now += 70
        seen.note_answer(ALL, watch=True)
    clock.now += 1
    assert seen.report() == (False, "landlord has not seen any change of Tenants for 141 s")
    assert gauge() == clock.time() - 141


def test_the_most_silent_of_several_watches_decides(clock: Clock) -> None:
    seen = LastSeen(["a", "b"])
    seen.note_answer(A, watch=True)
    seen.note_answer(B, watch=True)
    for _ in range(3):
        clock.now += 50
        seen.note_event(A)
    assert not sees(seen)
    assert seen.silence == 150
    assert gauge() == clock.time() - 150
    seen.note_event(B)
    assert sees(seen)


def test_lists_tell_that_kopf_works_but_not_that_the_watch_does(clock: Clock) -> None:
    seen = LastSeen([])
    seen.note_answer(ALL, watch=True)
    clock.now += 121
    seen.note_answer(ALL, watch=False)
    assert seen.silence == 0
    assert not sees(seen)


def test_a_closed_gate_says_what_the_api_server_answered_last(clock: Clock) -> None:
    seen = LastSeen([])
    seen.note_answer(ALL, watch=True)
    clock.now += 130
    seen.note_problem("the API server answered 403 Forbidden")
    assert seen.report()[1].endswith("for 130 s: the API server answered 403 Forbidden")
    seen.note_event(ALL)
    clock.now += 121
    assert seen.report()[1] == "landlord has not seen any change of Tenants for 121 s"


def test_other_requests_are_no_sign(clock: Clock) -> None:
    seen = LastSeen(["a"])
    seen.note_answer(ALL, watch=True)
    seen.note_event(B)
    assert not sees(seen)

"""How many deletions are taken to be meant, and what holds the others."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.plans import FACTS, NOW, a_ready_tenant, a_tenant, decide, says, unchanged

from landlord.api.conditions import find
from landlord.api.tenant import Key, Tenant
from landlord.controller.decide.breaker import BURST_SECONDS, Deletions, Limits
from landlord.controller.decide.situation import PossibleBurst
from landlord.controller.watch.deletion_ledger import CrdState, DeletionLedger, read_crd_state, read_limits
from landlord.settings import OperatorSettings

WINDOW = timedelta(minutes=10)
DEFAULTS = read_limits(OperatorSettings())
FEW = Deletions(allowed=30, window=WINDOW, tenants=2000, times=(NOW,) * 30)
MANY = replace(FEW, times=(NOW,) * 31)
HELD_BEFORE = replace(FEW, times=(NOW,), is_any_held=True)
CRD_GOES = replace(FEW, times=(NOW,), is_crd_terminating=True)
SETTLED = NOW + timedelta(seconds=BURST_SECONDS)
NO_WORD = CrdState(is_terminating=False, released=None)


@pytest.mark.parametrize(
    ("tenants", "allowed"), [(0, 10), (5, 10), (100, 10), (200, 20), (300, 30), (2000, 30), (10_000, 30)]
)
def test_the_defaults_leave_a_small_platform_alone_and_protect_a_large_one(
    tenants: int, allowed: int
) -> None:
    assert DEFAULTS.count_allowed(tenants) == allowed


@given(st.integers(1, 1000), st.floats(0, 100), st.integers(0, 100_000))
def test_no_limit_allows_more_than_the_set_number(count: int, share: float, tenants: int) -> None:
    assert Limits(count, share, WINDOW).count_allowed(tenants) <= count


def deleted(deletion: dict[str, Any] | None = None) -> Tenant:
    return a_tenant(2, deleting=True, status=a_ready_tenant().status, deletion=deletion or {})


@pytest.mark.parametrize(
    ("known", "words"),
    [
        (MANY, "more than 30 Tenants were deleted within 10 minutes"),
        (HELD_BEFORE, "more than 30 Tenants were deleted within 10 minutes"),
        (CRD_GOES, "the CRD tenants.landlord.dev was deleted, and all Tenants with it"),
    ],
    ids=["many", "held before", "CRD"],
)
def test_a_mass_deletion_is_held_until_a_person_releases_it(known: Deletions, words: str) -> None:
    decided = decide(deleted(), replace(FACTS, deletions=known), SETTLED)
    assert (decided.submit, decided.departure, decided.is_settled) == (None, None, True)
    assert says(decided, "DeletionHeld") == ("True", "MassDeletionHold")
    assert says(decided, "Ready") == ("True", "Provisioned")
    held = find(decided.status.conditions, "DeletionHeld")
    assert held is not None
    assert words in held.message
    assert "kubectl annotate crd tenants.landlord.dev" in held.message

    for released, goes_on in ((NOW - timedelta(seconds=1), False), (NOW, True)):
        facts = replace(FACTS, deletions=replace(known, released=released))
        assert (decide(deleted(), facts, NOW).submit is not None) == goes_on


def test_a_deletion_waits_until_those_that_came_with_it_have_been_seen() -> None:
    facts = replace(FACTS, deletions=FEW)
    tenant = deleted()
    early = decide(tenant, facts, NOW + timedelta(seconds=1))
    assert early == unchanged(tenant, PossibleBurst(SETTLED), requeue_after=BURST_SECONDS - 1)
    assert decide(deleted(), facts, SETTLED).submit is not None


def test_where_the_breaker_could_never_open_nothing_waits() -> None:
    facts = replace(FACTS, deletions=replace(FEW, tenants=30))
    assert decide(deleted(), facts, NOW).submit is not None


@pytest.mark.parametrize(
    ("deletion", "reason"),
    [({"protected": True}, "Protected"), ({"gracePeriod": "72h"}, "MassDeletionHold")],
)
def test_a_grace_period_is_no_reason_to_wait_with_the_alarm(deletion: dict[str, Any], reason: str) -> None:
    decided = decide(deleted(deletion), replace(FACTS, deletions=MANY), SETTLED)
    assert says(decided, "DeletionHeld") == ("True", reason)


def test_who_leaves_everything_behind_is_not_held() -> None:
    decided = decide(deleted({"policy": "Retain"}), replace(FACTS, deletions=MANY), NOW)
    assert decided.departure == "Retained"


def body(name: str, seconds: float | None = 0.0, *, held: bool = False, policy: str = "") -> dict[str, Any]:
    """A Tenant, deleted so many seconds after NOW."""
    metadata: dict[str, Any] = {"namespace": "tenants", "name": name, "uid": f"uid-{name}"}
    if seconds is not None:
        metadata["deletionTimestamp"] = (NOW + timedelta(seconds=seconds)).isoformat()
    said = [{"type": "DeletionHeld", "reason": "MassDeletionHold"}] if held else []
    spec = {"deletion": {"policy": policy}} if policy else {}
    return {"metadata": metadata, "spec": spec, "status": {"conditions": said}}


def ledger(*bodies: dict[str, Any], gone: int = 0) -> DeletionLedger:
    """What is known after these were seen, and then the first of them went."""
    made = DeletionLedger(WINDOW)
    for number, each in enumerate((*bodies, *bodies[:gone])):
        kind = "DELETED" if number >= len(bodies) else None
        made.update(kind, Key("tenants", each["metadata"]["name"]), each)
    return made


def known(
    made: DeletionLedger, *, there: int = 100, crd: CrdState = NO_WORD, after: float = 0.0
) -> Deletions:
    return made.summarize(DEFAULTS, there, crd, NOW + timedelta(seconds=after))


def too_many(made: DeletionLedger, at: float, *, after: float = 0.0) -> bool:
    """Whether one that was deleted so many seconds after NOW is held, if two are allowed."""
    deletions = replace(known(made, after=after), allowed=2)
    return deletions.explain_hold(NOW + timedelta(seconds=at)) is not None


def test_deletions_count_gone_or_not_until_they_are_older_than_the_window() -> None:
    made = ledger(body("a"), body("b", 60), body("c", 120), body("d", None), gone=2)
    assert (len(known(made).times), known(made).tenants) == (3, 102)
    assert too_many(made, 120)
    assert len(known(made, after=630).times) == 2
    assert known(made, after=1000).tenants == 100


def test_a_burst_is_one_however_long_the_operator_was_away_since() -> None:
    made = ledger(body("a"), body("b", 60), body("c", 120))
    for away in (130.0, 3600.0, 86400.0):
        assert all(too_many(made, at, after=away) for at in (0, 60, 120))


def test_deletions_that_came_one_by_one_are_no_burst_however_many_are_found() -> None:
    made = ledger(*(body(str(number), 301.0 * number) for number in range(9)))
    assert not any(too_many(made, 301.0 * number, after=86400) for number in range(9))


def test_a_namesake_s_own_deletion_counts_beside_that_of_the_one_before() -> None:
    made = ledger(body("a"))
    namesake = body("a", 5)
    namesake["metadata"]["uid"] = "another"
    made.update(None, Key("tenants", "a"), namesake)
    made.update("DELETED", Key("tenants", "a"), body("a"))
    assert len(known(made).times) == 2


def test_who_leaves_everything_behind_does_not_count() -> None:
    assert len(known(ledger(body("a", policy="Retain"), body("b", policy="Delete"))).times) == 1


def test_what_is_held_is_known_from_the_objects_alone_however_long_it_was() -> None:
    made = ledger(body("a", held=True))
    assert known(made, after=86400).is_any_held
    assert made.list_held() == [Key("tenants", "a")]


def test_what_was_released_counts_no_more() -> None:
    made = ledger(body("a", held=True), body("b"), body("c", 60))
    after = known(made, crd=CrdState(is_terminating=False, released=NOW + timedelta(seconds=30)))
    assert (len(after.times), after.is_any_held) == (1, False)


@given(st.lists(st.tuples(st.integers(0, 20), st.booleans()), max_size=40))
def test_the_count_is_that_of_the_objects_however_they_come_and_go(steps: list[tuple[int, bool]]) -> None:
    made, there, gone = DeletionLedger(WINDOW), set[int](), 0
    for number, goes in steps:
        key = Key("tenants", str(number))
        made.update("DELETED" if goes else "MODIFIED", key, body(str(number)))
        if goes:
            gone += number in there
            there.discard(number)
        else:
            there.add(number)
    assert len(known(made).times) == len(there) + gone


RELEASED = "landlord.dev/deletions-released-until"


@pytest.mark.parametrize(
    ("metadata", "terminating", "released"),
    [
        ({}, False, None),
        ({"deletionTimestamp": "2026-01-01T12:00:00Z"}, True, None),
        ({"annotations": {RELEASED: "2026-01-01T12:00:00Z"}}, False, NOW),
        ({"annotations": {RELEASED: "2026-01-01T12:00:00"}}, False, NOW),
        ({"annotations": {RELEASED: "2026-01-01T14:00:00+02:00"}}, False, NOW),
        ({"annotations": {RELEASED: "yes"}}, False, None),
    ],
)
def test_the_crd_says_whether_it_goes_and_what_is_released(
    metadata: dict[str, Any], terminating: bool, released: object
) -> None:
    state = read_crd_state(metadata)
    assert (state.is_terminating, state.released) == (terminating, released)

"""What a survey finds out about a Tenant, and whether that is news."""

from dataclasses import replace
from typing import Any

import pytest
from tests.support.plans import GIVEN_UP, NOW, a_failed_tenant, a_ready_tenant, a_tenant, decide, with_flight

from landlord.api.outcome import Outcome
from landlord.api.survey import Seen
from landlord.api.tenant import Tenant
from landlord.controller.decide.comparison import (
    Finding,
    LastReported,
    compare,
    find_nothing,
    is_deferrable,
    is_news,
    read_last_reported,
)

HASH = "5eed"
HEALTHY = ("True", "Healthy", "The tenant is healthy")
RUNS = LastReported(
    provider="memory",
    tenant_id="acme",
    work=("u1", 1, 1),
    has_succeeded=True,
    state="Active",
    spec_hash=HASH,
    has_objects=True,
    mode="Repair",
    health=HEALTHY,
    drift=(),
)
REPORTS, IGNORES = replace(RUNS, mode="Report"), replace(RUNS, mode="Ignore")
SUSPENDED = replace(
    RUNS, state="Suspended", health=("True", "Healthy", "Nothing of the tenant runs, as requested")
)
ARCHIVED = replace(SUSPENDED, state="Archived")
EMPTY = replace(ARCHIVED, has_objects=False)
FAILED = replace(RUNS, has_succeeded=False)
SICK = replace(RUNS, health=("False", "Unhealthy", "exit code 1"))

WELL = Seen(spec_hash=HASH)
CRASHED = Seen(spec_hash=HASH, healthy=False, reason="exit code 1")
SCALED = Seen(spec_hash=HASH, drift="scaled to 3")
STOPPED = Seen(spec_hash=HASH, drift="was stopped", healthy=False, reason="it is exited")
OTHER = Seen(spec_hash="07e4")
OUTDATED = Seen(spec_hash=HASH, outdated="Secret db has changed")
AT_REST = Seen(spec_hash=HASH, state="Suspended")
FOR_LONGER = Seen(spec_hash=HASH, healthy=False, reason="exit code 137")
STOPPED_SINCE = Seen(spec_hash=HASH, healthy=False, reason="it is exited")
STARTED = Seen(spec_hash=HASH, state="Suspended", healthy=False, reason="it runs", drift="was started")
KEPT = Seen(state="Archived")

GONE = "None of the tenant's objects exist on backend memory"
FROM_ANOTHER = "the tenant runs another spec (hash 07e4, must be 5eed)"
AS_ARCHIVED = "The tenant is Archived on backend memory, and must be Active"
AS_ACTIVE = "The tenant is Active on backend memory, and must be Suspended"


def found(finding: Finding) -> tuple[str | None, tuple[str, ...] | None, str]:
    """The reason of ComputeHealthy, what drift is shown, and what the work is done again for."""
    return finding.health.reason if finding.health else None, finding.drift, finding.repair


@pytest.mark.parametrize(
    ("says", "seen", "expected"),
    [
        (RUNS, WELL, ("Healthy", (), "")),
        (RUNS, Seen(), ("Healthy", (), "")),
        (RUNS, CRASHED, (None, (), "")),
        (SICK, CRASHED, ("Unhealthy", (), "")),
        (SICK, WELL, ("Healthy", (), "")),
        (RUNS, None, ("Missing", (GONE,), GONE)),
        (REPORTS, None, ("Missing", (GONE,), "")),
        (IGNORES, None, ("Missing", (), "")),
        (RUNS, SCALED, ("Healthy", ("scaled to 3",), "scaled to 3")),
        (REPORTS, SCALED, ("Healthy", ("scaled to 3",), "")),
        (IGNORES, SCALED, ("Healthy", (), "")),
        (REPORTS, STOPPED, ("Unhealthy", ("was stopped",), "")),
        (IGNORES, STOPPED, ("Unhealthy", (), "")),
        (RUNS, OTHER, ("Healthy", (FROM_ANOTHER,), FROM_ANOTHER)),
        (replace(RUNS, spec_hash=None), OTHER, ("Healthy", (), "")),
        (RUNS, OUTDATED, ("Healthy", (), "Secret db has changed")),
        (REPORTS, OUTDATED, ("Healthy", (), "Secret db has changed")),
        (IGNORES, OUTDATED, ("Healthy", (), "Secret db has changed")),
        (RUNS, KEPT, ("Missing", (AS_ARCHIVED,), AS_ARCHIVED)),
        (SUSPENDED, AT_REST, ("Healthy", (), "")),
        (SUSPENDED, STARTED, ("Unhealthy", ("was started",), "was started")),
        (SUSPENDED, WELL, ("Unhealthy", (AS_ACTIVE,), AS_ACTIVE)),
        (SUSPENDED, None, ("Missing", (GONE,), "")),
        (ARCHIVED, KEPT, ("Healthy", (), "")),
        (ARCHIVED, None, ("Missing", (GONE,), "")),
        (EMPTY, None, ("Healthy", (), "")),
        (replace(EMPTY, state="Suspended"), None, ("Healthy", (), "")),
        (FAILED, SCALED, ("Healthy", None, "")),
        (FAILED, None, ("Missing", None, "")),
    ],
)
def test_what_was_seen_is_compared_with_what_the_tenant_says(
    says: LastReported, seen: Seen | None, expected: tuple[str | None, tuple[str, ...] | None, str]
) -> None:
    assert found(compare(says, seen, NOW)) == expected


def test_what_nobody_has_changed_is_unhealthy_once_two_surveys_in_a_row_have_seen_it_so() -> None:
    assert compare(RUNS, CRASHED, NOW).health is None
    second = compare(RUNS, CRASHED, NOW, was_unhealthy=True)
    assert second.health is not None
    assert (second.health.status, second.health.message) == ("False", "exit code 1")


NEVER_SEEN, UNKNOWN = replace(RUNS, health=None), replace(RUNS, health=("Unknown", "NotSurveyed", "away"))
SHOWN = replace(RUNS, drift=("scaled to 3",))


@pytest.mark.parametrize(
    ("says", "finding", "news"),
    [
        (RUNS, compare(RUNS, WELL, NOW), False),
        (NEVER_SEEN, compare(NEVER_SEEN, WELL, NOW), True),
        (NEVER_SEEN, compare(NEVER_SEEN, CRASHED, NOW), False),
        (RUNS, compare(RUNS, None, NOW), True),
        (SICK, compare(SICK, CRASHED, NOW), False),
        (SICK, compare(SICK, FOR_LONGER, NOW), False),
        (SICK, compare(SICK, STOPPED_SINCE, NOW), True),
        (SHOWN, compare(SHOWN, SCALED, NOW), True),
        (SHOWN, replace(compare(SHOWN, SCALED, NOW), repair_at=NOW), False),
        (SHOWN, compare(replace(SHOWN, mode="Report"), SCALED, NOW), False),
        (SHOWN, compare(SHOWN, WELL, NOW), True),
        (RUNS, compare(RUNS, OUTDATED, NOW), True),
        (RUNS, find_nothing(RUNS, NOW, "away"), True),
        (UNKNOWN, find_nothing(UNKNOWN, NOW, "still away"), False),
        (replace(RUNS, work=("u1", 1, 2)), compare(RUNS, None, NOW), False),
    ],
)
def test_only_what_the_tenant_does_not_say_yet_is_news(
    says: LastReported, finding: Finding, news: bool
) -> None:
    assert is_news(says, finding) == news


@pytest.mark.parametrize(
    ("says", "finding", "calm"),
    [
        (NEVER_SEEN, compare(NEVER_SEEN, WELL, NOW), True),
        (UNKNOWN, compare(UNKNOWN, WELL, NOW), True),
        (RUNS, find_nothing(RUNS, NOW, "away"), True),
        (SICK, compare(SICK, WELL, NOW), False),
        (RUNS, compare(RUNS, None, NOW), False),
        (REPORTS, compare(REPORTS, SCALED, NOW), False),
        (RUNS, compare(RUNS, OUTDATED, NOW), False),
    ],
)
def test_what_is_true_of_all_at_once_and_calls_for_nothing_has_time(
    says: LastReported, finding: Finding, calm: bool
) -> None:
    assert is_deferrable(says, finding) == calm


def body(tenant: Tenant) -> dict[str, Any]:
    """The object as the API server has it."""
    dumped = tenant.model_dump(mode="json", by_alias=True, exclude_none=True)
    return {part: dumped.get(part) for part in ("metadata", "spec", "status")}


def test_a_tenant_that_has_become_ready_can_be_compared() -> None:
    assert read_last_reported(body(a_ready_tenant())) == RUNS


def test_of_a_tenant_that_was_suspended_before_anything_was_made_nothing_is_missed() -> None:
    tenant = a_tenant(desiredState="Suspended")
    ended = with_flight(tenant, operation="suspend", outcome=Outcome(result="Succeeded"))
    says = read_last_reported(
        body(a_tenant(status=decide(tenant, ended, NOW).status, desiredState="Suspended"))
    )
    assert says is not None
    assert (says.state, says.has_objects) == ("Suspended", False)


@pytest.mark.parametrize(
    "tenant",
    [
        a_tenant(),
        a_ready_tenant(2),
        a_ready_tenant(deleting=True),
        a_ready_tenant(management={"mode": "Paused"}),
        a_failed_tenant(GIVEN_UP),
    ],
    ids=["new", "changed", "deleted", "paused", "failed before anything was made"],
)
def test_a_tenant_that_is_worked_on_or_left_alone_is_compared_with_nothing(tenant: Tenant) -> None:
    assert read_last_reported(body(tenant)) is None


def test_what_is_left_to_others_is_told_of_a_healthy_tenant() -> None:
    left = Seen(spec_hash=HASH, left="an autoscaler sets spec.replicas")
    told = "an autoscaler sets spec.replicas, and landlord leaves that unchanged"
    health = compare(RUNS, left, NOW).health
    assert health is not None
    assert (health.status, health.message) == ("True", f"The tenant is healthy; {told}")
    assert is_news(RUNS, compare(RUNS, left, NOW))
    told_already = replace(RUNS, health=("True", "Healthy", health.message))
    assert not is_news(told_already, compare(told_already, left, NOW))

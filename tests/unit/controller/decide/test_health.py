"""What is decided about a Tenant that a survey has found to be otherwise than it says."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.support.plans import (
    AWAY,
    DONE,
    FACTS,
    GIVEN_UP,
    LOST,
    NOW,
    Decided,
    a_ready_tenant,
    a_tenant,
    decide,
    says,
    unchanged,
    with_flight,
)

from landlord.api.conditions import COMPUTE_HEALTHY, Verdict, find
from landlord.api.status import TenantStatus
from landlord.api.tenant import Tenant
from landlord.controller.decide.comparison import MAX_ITEM, Finding
from landlord.controller.decide.facts import Facts
from landlord.controller.decide.news import find_tenant_news
from landlord.controller.decide.situation import Unclaimed
from landlord.engines.contract import Progress, Registration
from landlord.errors import EngineUnreachable, RequestRejected

WORK = ("u1", 1, 1)
HEALTHY = Verdict(COMPUTE_HEALTHY, "True", "Healthy", "The tenant is healthy")
MISSING = Verdict(COMPUTE_HEALTHY, "False", "Missing", "it is gone")
UNHEALTHY = Verdict(COMPUTE_HEALTHY, "False", "Unhealthy", "exit code 1")
UNSEEN = Verdict(COMPUTE_HEALTHY, "Unknown", "NotSurveyed", "away")
GONE = Finding(WORK, NOW, MISSING, ("it is gone",), repair="it is gone")
GONE_REPORTED = replace(GONE, repair="")
SCALED = Finding(WORK, NOW, HEALTHY, ("scaled to 3",), repair="scaled to 3")
SCALED_REPORTED = replace(SCALED, repair="")
SICK = Finding(WORK, NOW, UNHEALTHY, ())
WELL = Finding(WORK, NOW, HEALTHY, ())
OUT_OF_SIGHT = Finding(WORK, NOW, UNSEEN, None)


def knowing(finding: Finding, **facts: Any) -> Facts:
    return replace(FACTS, finding=finding, **facts)


def after(tenant: Tenant, finding: Finding, **facts: Any) -> Tenant:
    """The Tenant once it says what was found."""
    decided = decide(tenant, knowing(finding, **facts), NOW)
    return a_ready_tenant_with(decided.status)


def a_ready_tenant_with(status: TenantStatus) -> Tenant:
    return a_tenant(status=status)


def shown(decided: Decided) -> tuple[str, ...]:
    return decided.status.drift.items if decided.status.drift else ()


def test_a_tenant_that_became_ready_is_healthy_without_another_write() -> None:
    tenant = a_ready_tenant()
    healthy = find(tenant.status.conditions, COMPUTE_HEALTHY)
    assert healthy is not None
    assert (healthy.status, healthy.reason, healthy.message) == ("True", "Healthy", "The tenant is healthy")
    decided = decide(tenant, knowing(WELL), NOW)
    assert decided.status == tenant.status


@pytest.mark.parametrize(
    ("finding", "ready", "health", "drift", "phase"),
    [
        (SICK, ("False", "Unhealthy"), ("False", "Unhealthy"), (), "Degraded"),
        (GONE_REPORTED, ("False", "Missing"), ("False", "Missing"), ("it is gone",), "Degraded"),
        (SCALED_REPORTED, ("True", "Provisioned"), ("True", "Healthy"), ("scaled to 3",), "Ready"),
        (OUT_OF_SIGHT, ("True", "Provisioned"), ("Unknown", "NotSurveyed"), (), "Ready"),
    ],
)
def test_what_was_found_is_told_and_nothing_is_done(
    finding: Finding, ready: tuple[str, str], health: tuple[str, str], drift: tuple[str, ...], phase: str
) -> None:
    decided = decide(a_ready_tenant(), knowing(finding), NOW)
    assert decided.submit is None
    assert decided.is_settled
    assert (says(decided, "Ready"), says(decided, COMPUTE_HEALTHY)) == (ready, health)
    assert says(decided, "Provisioned") == ("True", "Succeeded")
    assert shown(decided) == drift
    assert decided.status.phase == phase


@pytest.mark.parametrize("finding", [SICK, GONE_REPORTED, SCALED_REPORTED, OUT_OF_SIGHT])
def test_a_tenant_that_is_well_again_says_what_it_said_before(finding: Finding) -> None:
    tenant = a_ready_tenant()
    assert after(after(tenant, finding), WELL).status == tenant.status


def test_an_unhealthy_tenant_that_is_out_of_sight_stays_unready() -> None:
    tenant = after(a_ready_tenant(), SICK)
    decided = decide(tenant, knowing(OUT_OF_SIGHT), NOW)
    assert says(decided, "Ready") == ("False", "Unhealthy")
    assert says(decided, COMPUTE_HEALTHY) == ("Unknown", "NotSurveyed")


def test_drift_is_said_to_have_been_there_since_it_was_first_seen() -> None:
    later = replace(SCALED_REPORTED, at=NOW + timedelta(minutes=5), drift=("scaled to 4",))
    drift = after(after(a_ready_tenant(), SCALED_REPORTED), later).status.drift
    assert drift is not None
    assert (drift.first_detected_at, drift.items) == (NOW, ("scaled to 4",))


@pytest.mark.parametrize("finding", [GONE, SCALED])
def test_what_is_to_be_repaired_is_submitted_again_as_a_further_attempt(finding: Finding) -> None:
    decided = decide(a_ready_tenant(), knowing(finding), NOW)
    assert decided.submit is not None
    assert decided.is_repair
    assert (decided.submit.operation, decided.submit.generation, decided.submit.attempt) == ("apply", 1, 2)
    assert says(decided, "Ready") == ("False", "Repairing"), (
        "so that a restart goes on with this very attempt"
    )
    assert decided.status.workflow is not None
    assert (decided.status.workflow.sub_state, decided.status.workflow.attempt) == ("Running", 2)


def test_a_tenant_that_lost_its_finalizer_gets_it_back_before_it_is_repaired() -> None:
    tenant = a_ready_tenant(has_finalizer=False)
    assert decide(tenant, knowing(GONE), NOW) == unchanged(tenant, Unclaimed(), add_finalizer=True)


@pytest.mark.parametrize("registration", [AWAY, LOST])
def test_what_is_to_be_repaired_while_the_engine_is_away_is_only_told(registration: Registration) -> None:
    decided = decide(a_ready_tenant(), knowing(SCALED, registration=registration), NOW)
    assert decided.submit is None
    assert decided.is_settled
    assert says(decided, "Ready") == ("True", "Provisioned")
    assert shown(decided) == ("scaled to 3",)


def test_what_is_to_be_repaired_later_is_only_told() -> None:
    decided = decide(a_ready_tenant(), knowing(replace(SCALED, repair_at=NOW + timedelta(seconds=9))), NOW)
    assert decided.submit is None
    assert shown(decided) == ("scaled to 3",)


@pytest.mark.parametrize(
    ("tenant", "finding"),
    [
        (a_ready_tenant(management={"mode": "Paused"}), GONE),
        (a_ready_tenant(2), replace(GONE, work=("u1", 2, 1))),
        (a_ready_tenant(), replace(GONE, work=("u1", 1, 2))),
        (a_ready_tenant(), replace(GONE, work=("an earlier namesake's", 1, 1))),
    ],
    ids=["paused", "at another generation", "seen before the last workflow ended", "of a namesake"],
)
def test_no_tenant_is_repaired_that_is_left_alone_or_of_which_the_finding_is_old(
    tenant: Tenant, finding: Finding
) -> None:
    assert not decide(tenant, knowing(finding), NOW).is_repair


def repairing(tenant: Tenant, finding: Finding = SCALED, **known: Any) -> Decided:
    told = tenant.model_copy(update={"status": decide(tenant, knowing(finding), NOW).status})
    return decide(told, replace(with_flight(told, knowing(finding), **known), finding=finding), NOW)


def test_a_repair_that_takes_a_while_says_what_was_found() -> None:
    decided = repairing(
        a_ready_tenant(), progress=Progress("Running", step="ready", step_number=2, total_steps=2)
    )
    assert says(decided, "Ready") == ("False", "Repairing")
    ready = find(decided.status.conditions, "Ready")
    assert ready is not None
    assert ready.message == "The workflow is running step 2 of 2 (ready)\nFound: scaled to 3"
    assert decided.status.workflow is not None
    assert (decided.status.workflow.operation, decided.status.workflow.attempt) == ("Repair", 2)
    assert shown(decided) == ("scaled to 3",)


def test_a_repair_that_succeeded_leaves_no_drift_and_says_what_it_was() -> None:
    decided = repairing(a_ready_tenant(), GONE, outcome=DONE)
    assert says(decided, "Ready") == ("True", "Provisioned")
    assert says(decided, COMPUTE_HEALTHY) == ("True", "Healthy")
    assert shown(decided) == ()
    provisioned = find(decided.status.conditions, "Provisioned")
    assert provisioned is not None
    assert provisioned.message == "Repaired: it is gone"
    assert decided.is_settled


def test_a_repair_that_failed_is_tried_again_as_any_work() -> None:
    decided = repairing(a_ready_tenant(), outcome=GIVEN_UP)
    assert says(decided, "Ready") == ("False", "ProvisioningFailed")
    assert shown(decided) == ("scaled to 3",)
    assert decided.requeue_after


def test_of_many_changed_secrets_as_many_are_named_as_there_is_room_for() -> None:
    """The Tenant may refer to hundreds, and an operator for secrets may renew all of them at once."""
    changed = "; ".join(f"Secret database-{number} has changed" for number in range(40))
    decided = decide(a_ready_tenant(), knowing(Finding(WORK, NOW, HEALTHY, (), repair=changed)), NOW)
    assert decided.is_repair
    assert shown(decided)[0].startswith("Secret database-0 has changed")
    assert len(shown(decided)[0]) <= MAX_ITEM


def test_a_repair_that_the_engine_refuses_has_failed() -> None:
    decided = repairing(a_ready_tenant(), error=RequestRejected("no"))
    assert says(decided, "Stalled") == ("True", "ProvisioningFailed")


def test_a_repair_that_could_not_be_submitted_is_tried_again_as_any_work() -> None:
    decided = repairing(a_ready_tenant(), error=EngineUnreachable("away"))
    assert (decided.submit, decided.retry, decided.is_settled) == (None, True, False)
    assert says(decided, "Ready") == ("False", "RegistrationPending")
    assert shown(decided) == ("scaled to 3",)


def test_of_a_tenant_whose_update_failed_is_told_whether_it_still_runs() -> None:
    tenant = a_ready_tenant(2)
    status = decide(tenant, with_flight(tenant, outcome=GIVEN_UP), NOW).status
    failed = a_tenant(2, status=status)
    decided = decide(failed, knowing(Finding(("u1", 2, 1), NOW, MISSING, None)), NOW)
    assert says(decided, "Ready") == ("False", "ProvisioningFailed")
    assert says(decided, COMPUTE_HEALTHY) == ("False", "Missing")


@pytest.mark.parametrize(
    ("before", "finding", "expected"),
    [
        (None, SICK, "Warning Unhealthy: exit code 1"),
        (None, GONE_REPORTED, "Warning Missing: it is gone"),
        (None, SCALED_REPORTED, "Warning Drifted: scaled to 3"),
        (None, replace(SCALED_REPORTED, health=UNHEALTHY), "Warning Drifted: scaled to 3"),
        (SCALED_REPORTED, replace(SCALED_REPORTED, drift=("scaled to 4",)), "Warning Drifted: scaled to 4"),
        (SCALED_REPORTED, WELL, None),
        (SICK, WELL, "Normal Healthy: The tenant is provisioned"),
        (GONE_REPORTED, WELL, "Normal Healthy: The tenant is provisioned"),
        (None, OUT_OF_SIGHT, None),
        (OUT_OF_SIGHT, WELL, None),
    ],
)
def test_what_was_found_is_an_event_when_it_is_news(
    before: Finding | None, finding: Finding, expected: str | None
) -> None:
    tenant = a_ready_tenant()
    if before:
        tenant = after(tenant, before)
    news = find_tenant_news(tenant.status, after(tenant, finding).status)
    assert (f"{news.type} {news.reason}: {news.note}" if news else None) == expected


def test_of_a_repair_is_told_what_was_found_and_then_that_it_is_done() -> None:
    tenant = a_ready_tenant()
    begun, done = decide(tenant, knowing(SCALED), NOW).status, repairing(tenant, outcome=DONE).status
    told = [find_tenant_news(*change) for change in ((tenant.status, begun), (begun, done))]
    assert [f"{news.type} {news.reason}: {news.note}" for news in told if news] == [
        "Warning Drifted: scaled to 3",
        "Normal Repaired: Repaired: scaled to 3",
    ]

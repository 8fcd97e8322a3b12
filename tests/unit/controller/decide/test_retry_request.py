"""A person's request to try again now: what it leads to in each situation; each value counts once."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.support.plans import (
    AWAY,
    DONE,
    FACTS,
    GIVEN_UP,
    HOPELESS,
    NOW,
    REGISTERED,
    Decided,
    a_failed_tenant,
    a_ready_tenant,
    a_tenant,
    decide,
    says,
    with_flight,
)

from landlord.api.conditions import COMPUTE_HEALTHY, RETRY_REJECTED, Verdict, find
from landlord.api.names import ANNOTATION_RETRY
from landlord.api.outcome import Outcome
from landlord.api.request import Operation
from landlord.api.status import TenantStatus
from landlord.api.tenant import Tenant
from landlord.controller.decide.comparison import Finding
from landlord.controller.decide.facts import Facts
from landlord.controller.decide.news import find_tenant_news
from landlord.controller.decide.situation import Retrying, Settled, WorkFailed
from landlord.engines.contract import Progress
from landlord.errors import EngineUnreachable

FIRST, SECOND = "2026-01-01T12:00:00Z", "2026-01-01T12:00:01.5+01:00"


def requested(tenant: Tenant, value: str = FIRST, status: TenantStatus | None = None) -> Tenant:
    """The same Tenant with the annotation, and perhaps another status."""
    metadata = tenant.metadata.model_copy(update={"annotations": {ANNOTATION_RETRY: value}})
    return tenant.model_copy(update={"metadata": metadata, "status": status or tenant.status})


def handled(decided: Decided) -> str | None:
    return decided.status.last_handled_retry_at


def attempts(decided: Decided) -> tuple[int | None, int | None]:
    """The attempt that is submitted, and the one that the status reports."""
    submit, workflow = decided.submit, decided.status.workflow
    return submit.attempt if submit else None, workflow.attempt if workflow else None


@pytest.mark.parametrize("outcome", [HOPELESS, GIVEN_UP], ids=["permanent", "waits for 5 minutes"])
def test_work_that_failed_is_started_again_once_for_each_value(outcome: Outcome) -> None:
    tenant = a_failed_tenant(outcome)
    assert decide(tenant).submit is None
    decided = decide(requested(tenant))
    assert isinstance(decided.situation, Retrying)
    assert attempts(decided) == (2, 2), "the status has the attempt before the engine has it"
    assert handled(decided) == FIRST
    assert says(decided, "Reconciling") == ("True", "Provisioning")
    assert says(decided, "Stalled") is None

    # It fails once more, and the same value counts no longer.
    tenant = requested(tenant, status=decided.status)
    decided = decide(tenant, with_flight(tenant, outcome=outcome))
    tenant = requested(tenant, status=decided.status)
    assert isinstance(decided.situation, WorkFailed)
    assert (attempts(decided), handled(decided)) == ((None, 2), FIRST)
    assert decide(tenant).submit is None

    decided = decide(requested(tenant, SECOND))
    assert (attempts(decided), handled(decided)) == ((3, 3), SECOND)


def test_an_operator_that_dies_before_or_after_the_submission_continues_with_the_same_attempt() -> None:
    tenant = requested(a_failed_tenant(HOPELESS))
    decided = decide(tenant)
    restarted = decide(requested(tenant, status=decided.status))
    assert restarted.submit == decided.submit
    # What is requested by now waits, because the attempt may be running.
    asked_again = decide(requested(tenant, SECOND, status=decided.status))
    assert asked_again.submit == decided.submit
    assert handled(asked_again) == FIRST


@pytest.mark.parametrize(
    ("progress", "retries"),
    [
        (None, False),
        (Progress("Pending"), False),
        (Progress("Running", step="image"), False),
        (Progress("Running", step="image", attempt=3), False),
        (Progress("Running", step="image", attempt=3, last_error="503"), True),
        (Progress("BackingOff", step="image", last_error="503"), True),
        (Progress("Paused"), True),
    ],
)
@pytest.mark.parametrize("operation", ["apply", "suspend", "delete"])
def test_stuck_work_is_superseded_and_work_that_makes_progress_is_left(
    progress: Progress | None, retries: bool, operation: Operation
) -> None:
    spec: dict[str, Any] = {"desiredState": "Suspended"} if operation == "suspend" else {}
    tenant = a_tenant(deleting=operation == "delete", **spec)
    facts = with_flight(tenant, operation=operation, progress=progress)
    tenant = tenant.model_copy(update={"status": decide(tenant, facts).status})
    decided = decide(requested(tenant), facts)
    assert attempts(decided) == ((2, 2) if retries else (None, 1))
    assert handled(decided) == (FIRST if retries else None)
    if decided.submit:
        assert (decided.submit.operation, decided.submit.generation) == (operation, 1)


def test_a_request_during_work_that_succeeds_leads_to_nothing() -> None:
    tenant = a_tenant()
    decided = decide(requested(tenant), with_flight(tenant, outcome=DONE))
    assert (attempts(decided), handled(decided)) == ((None, 1), FIRST)
    assert decided.is_settled


def test_a_request_during_work_that_fails_is_followed_at_once() -> None:
    tenant = a_tenant()
    decided = decide(requested(tenant), with_flight(tenant, outcome=HOPELESS))
    assert says(decided, "Ready") == ("False", "ProvisioningFailed")
    assert (decided.requeue_after, handled(decided), decided.is_settled) == (0.0, None, False)
    again = decide(requested(tenant, status=decided.status))
    assert (attempts(again), handled(again)) == ((2, 2), FIRST)


def test_a_new_tenant_and_a_new_spec_are_begun_as_usual_and_count_as_the_retry() -> None:
    for tenant in (a_tenant(), a_tenant(2, status=a_failed_tenant(HOPELESS).status)):
        decided = decide(requested(tenant))
        assert (attempts(decided), handled(decided)) == ((1, 1), FIRST)


UNHEALTHY = Finding(("u1", 1, 1), NOW, Verdict(COMPUTE_HEALTHY, "False", "Unhealthy", "it crashes"), None)
POSTPONED = Finding(
    ("u1", 1, 1), NOW, None, ("scaled",), repair="scaled", repair_at=NOW + timedelta(minutes=5)
)
RECOVERED = Finding(("u1", 1, 1), NOW, Verdict(COMPUTE_HEALTHY, "True", "Healthy", "healthy"), None)


@pytest.mark.parametrize("finding", [UNHEALTHY, POSTPONED], ids=["unhealthy", "repair postponed"])
def test_what_a_survey_found_is_repaired_now(finding: Finding) -> None:
    decided = decide(requested(a_ready_tenant()), replace(FACTS, finding=finding))
    assert (attempts(decided), handled(decided)) == ((2, 2), FIRST)
    assert says(decided, "Ready") == ("False", "Repairing")


def test_what_a_survey_found_is_repaired_after_a_restart_too() -> None:
    tenant = a_ready_tenant()
    reported = decide(tenant, replace(FACTS, finding=UNHEALTHY)).status
    decided = decide(requested(tenant, status=reported))
    assert (attempts(decided), handled(decided)) == ((2, 2), FIRST)


@pytest.mark.parametrize("finding", [None, RECOVERED], ids=["nothing", "healthy"])
def test_a_healthy_tenant_is_left_as_it_is(finding: Finding | None) -> None:
    decided = decide(requested(a_ready_tenant()), replace(FACTS, finding=finding))
    assert decided.submit is None
    assert says(decided, "Ready") == ("True", "Provisioned")
    assert handled(decided) == FIRST


def test_a_failed_repair_that_is_retried_is_still_a_repair() -> None:
    tenant = a_ready_tenant()
    repairing = decide(tenant, replace(FACTS, finding=replace(POSTPONED, repair_at=None)))
    facts = with_flight(tenant.model_copy(update={"status": repairing.status}), outcome=GIVEN_UP)
    tenant = tenant.model_copy(update={"status": repairing.status})
    tenant = tenant.model_copy(update={"status": decide(tenant, facts).status})
    decided = decide(requested(tenant))
    assert decided.status.workflow is not None
    assert (decided.status.workflow.operation, attempts(decided)) == ("Repair", (3, 3))


@pytest.mark.parametrize(
    ("tenant", "facts"),
    [
        (a_failed_tenant(HOPELESS), replace(FACTS, registration=AWAY)),
        (a_failed_tenant(HOPELESS), replace(FACTS, owner="other/acme")),
        (a_ready_tenant(2, management={"mode": "Paused"}), FACTS),
        (a_ready_tenant(2, deleting=True, deletion={"protected": True}), FACTS),
        (a_ready_tenant(2, deleting=True, deletion={"gracePeriod": "1h"}), FACTS),
    ],
    ids=["engine away", "identity conflict", "paused", "protected", "grace period"],
)
def test_what_must_wait_waits_and_is_done_afterwards(tenant: Tenant, facts: Facts) -> None:
    decided = decide(requested(tenant), facts)
    assert decided.submit is None
    assert handled(decided) is None
    later = decide(a_tenant(3, status=decided.status, retry=FIRST), replace(FACTS, registration=REGISTERED))
    assert later.submit is not None
    assert handled(later) == FIRST


def test_unhealthy_tenants_wait_for_the_engine() -> None:
    away = replace(FACTS, finding=UNHEALTHY, registration=AWAY)
    decided = decide(requested(a_ready_tenant()), away)
    assert (decided.submit, handled(decided), decided.is_settled) == (None, None, False)


def test_stuck_work_is_reported_as_it_is_while_the_engine_can_t_take_another() -> None:
    tenant = a_tenant()
    facts = with_flight(tenant, progress=Progress("Paused"))
    tenant = tenant.model_copy(update={"status": decide(tenant, facts).status})
    decided = decide(requested(tenant), replace(facts, registration=AWAY))
    assert (attempts(decided), says(decided, "Provisioned")) == ((None, 1), ("False", "Paused"))


def test_an_engine_error_is_no_reason_for_another_attempt() -> None:
    tenant = requested(a_failed_tenant(HOPELESS))
    tenant = requested(tenant, status=decide(tenant).status)
    decided = decide(tenant, with_flight(tenant, error=EngineUnreachable("gone")))
    assert (decided.retry, attempts(decided), handled(decided)) == (True, (None, 2), FIRST)


@pytest.mark.parametrize(
    "value",
    [
        *("now", "true", "1767268800", "2026-01-01", "2026-01-01 12:00:00Z", "2026-01-01T12:00:00"),
        *("2026-02-31T12:00:00Z", "2026-01-01T25:00:00Z", "2026-W01-1T12:00:00Z", "x" * 5000),
    ],
)
def test_a_value_that_is_no_time_is_reported_as_long_as_it_is_there_and_leads_to_nothing(value: str) -> None:
    tenant = requested(a_failed_tenant(HOPELESS), value)
    decided = decide(tenant)
    assert (decided.submit, handled(decided)) == (None, None)
    rejected = find(decided.status.conditions, RETRY_REJECTED)
    assert rejected is not None
    assert f"The annotation {ANNOTATION_RETRY} is '{value[:60]}" in rejected.message
    assert "Fix: run `landlord retry acme -n tenants`" in rejected.message
    assert says(decided, "Ready") == ("False", "ProvisioningFailed")
    news = find_tenant_news(tenant.status, decided.status)
    assert news is not None
    assert (news.type, news.reason) == ("Warning", "RetryRejected")

    tenant = tenant.model_copy(update={"status": decided.status})
    assert decide(tenant).status == decided.status, "written and told once"
    corrected = decide(requested(tenant))
    assert (attempts(corrected), says(corrected, RETRY_REJECTED)) == ((2, 2), None)


@pytest.mark.parametrize("value", ["2026-01-01T12:00:00.123456789Z", "2026-01-01t12:00:00z", SECOND])
def test_every_rfc_3339_time_is_read(value: str) -> None:
    assert handled(decide(requested(a_failed_tenant(HOPELESS), value))) == value


def test_a_settled_tenant_that_was_told_is_settled() -> None:
    tenant = requested(a_ready_tenant())
    tenant = tenant.model_copy(update={"status": decide(tenant).status})
    decided = decide(tenant)
    assert (decided.situation, decided.status) == (Settled(), tenant.status)

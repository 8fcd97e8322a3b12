"""Why an attempt failed, and what to do about it, stays in the status while the next one runs."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.support.plans import DONE, FACTS, NOW, a_tenant, decide, with_flight

from landlord.api.conditions import find
from landlord.api.outcome import Failure, Outcome
from landlord.api.tenant import Tenant
from landlord.controller.decide.facts import Case, Flight
from landlord.controller.decide.request import build_request
from landlord.engines.contract import Progress

STUCK = Failure(
    code="ImageAccessDenied", message="no login", fix="add a pull secret", retryable=True, step="ready"
)
RUNNING = Progress("Running", step="limits", step_number=2, total_steps=6)
RETRYING = Progress("BackingOff", step="limits", step_number=2, attempt=2, last_error="QuotaPending: late")
LATER = NOW + timedelta(hours=1)


def failed() -> Tenant:
    """A Tenant whose first attempt failed."""
    tenant = a_tenant()
    facts = with_flight(tenant, outcome=Outcome(result="Failed", failure=STUCK))
    return a_tenant(status=decide(tenant, facts, NOW).status)


def observed(tenant: Tenant, **known: Any) -> Tenant:
    """The Tenant with the status that follows from what is known of its present attempt."""
    request = build_request(Case(tenant, FACTS, LATER), "apply")
    facts = replace(FACTS, flight=Flight(request, **known))
    status = decide(tenant, facts, LATER).status
    return a_tenant(tenant.metadata.generation, status=status)


def message(tenant: Tenant) -> str:
    ready = find(tenant.status.conditions, "Ready")
    assert ready is not None
    return ready.message


def attempt(tenant: Tenant, *progress: Progress) -> Tenant:
    """The Tenant after its present attempt went on like this."""
    for each in progress:
        tenant = observed(tenant, progress=each)
    return tenant


@pytest.mark.parametrize("progress", [(RUNNING,), (RUNNING, RUNNING), (Progress("Pending"), RUNNING)])
def test_an_attempt_says_why_the_previous_one_failed_until_it_ends(progress: tuple[Progress, ...]) -> None:
    tenant = attempt(failed(), *progress)
    assert message(tenant) == (
        "The workflow is running step 2 of 6 (limits)\n"
        "The previous attempt failed: ImageAccessDenied at step ready: no login.\nFix: add a pull secret"
    )
    assert tenant.status.workflow is not None
    assert tenant.status.workflow.last_failure == STUCK


def test_a_failure_of_the_same_attempt_is_news_and_over_when_the_step_has_succeeded() -> None:
    tenant = attempt(failed(), RUNNING, RETRYING)
    assert "QuotaPending" in message(tenant)
    assert "ImageAccessDenied" not in message(tenant)
    assert message(attempt(tenant, RUNNING)) == "The workflow is running step 2 of 6 (limits)"


def test_nothing_is_left_of_it_once_the_tenant_is_ready() -> None:
    tenant = observed(attempt(failed(), RUNNING), outcome=DONE)
    assert tenant.status.workflow is not None
    assert tenant.status.workflow.last_failure is None
    assert "ImageAccessDenied" not in message(tenant)


def test_it_is_not_told_of_another_generation() -> None:
    changed = a_tenant(2, status=failed().status)
    assert message(attempt(changed, RUNNING)) == "The workflow is running step 2 of 6 (limits)"


def test_a_pause_names_the_step_at_which_landlord_ceased_to_follow_the_work() -> None:
    running = attempt(failed(), RUNNING)
    paused = decide(a_tenant(2, status=running.status, management={"mode": "Paused"}), FACTS, LATER)
    provisioned = find(paused.status.conditions, "Provisioned")
    assert provisioned is not None
    assert provisioned.message == (
        "Generation 1 did not finish and is not being tracked; its last known step is limits"
    )

"""A paused Tenant: nothing is done to it, and it goes on telling what is true."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.support.plans import (
    AWAY,
    DONE,
    FACTS,
    HOPELESS,
    NOW,
    REGISTERED,
    a_failed_tenant,
    a_ready_tenant,
    a_tenant,
    decide,
    says,
    with_flight,
)

from landlord.api.conditions import find
from landlord.api.outcome import Failure, Outcome
from landlord.api.status import TenantStatus
from landlord.controller.decide.facts import Facts
from landlord.engines.contract import Progress

PAUSED = {"mode": "Paused"}


def pause(before: TenantStatus, generation: int = 2, facts: Facts = FACTS) -> TenantStatus:
    decided = decide(a_tenant(generation, status=before, management=PAUSED), facts, NOW)
    assert (decided.add_finalizer, decided.submit, decided.is_settled) == (False, None, True)
    assert says(decided, "Paused") == ("True", "Paused")
    return decided.status


def told(status: TenantStatus, kind: str) -> tuple[str, str, int]:
    condition = find(status.conditions, kind)
    assert condition is not None
    return condition.status, condition.reason, condition.observed_generation


def test_what_is_ready_stays_ready_at_the_generation_that_it_was() -> None:
    before = a_ready_tenant().status
    status = pause(before)
    assert told(status, "Ready") == ("True", "Provisioned", 1)
    assert told(status, "Provisioned") == ("True", "Succeeded", 1)
    assert (status.phase, status.observed_generation) == ("Paused", 2)
    assert (status.endpoints, status.resources) == (before.endpoints, before.resources)


@pytest.mark.parametrize("held", [True, False])
def test_a_tenant_that_never_ran_is_not_begun(held: bool) -> None:
    decided = decide(a_tenant(has_finalizer=held, management=PAUSED), FACTS, NOW)
    assert (decided.add_finalizer, decided.submit) == (False, None)
    assert says(decided, "Ready") == ("False", "Paused")
    assert says(decided, "WorkflowRegistered") == ("True", "Registered")


@pytest.mark.parametrize("state", ["Running", "BackingOff", "Paused"])
def test_work_that_was_under_way_is_neither_followed_nor_called_done(state: str) -> None:
    tenant = a_tenant()
    progress = Progress(state, last_error="503")  # type: ignore[arg-type]
    busy = decide(tenant, with_flight(tenant, progress=progress), NOW).status
    assert busy is not None
    late = with_flight(tenant, outcome=DONE)
    for facts in (FACTS, late):
        status = pause(busy, facts=facts)
        assert told(status, "Ready") == ("False", "Paused", 2)
        assert told(status, "Provisioned") == ("False", "Unfinished", 2)
        assert find(status.conditions, "Reconciling") is None


def test_a_failure_stays_a_failure_without_a_promise_to_try_again() -> None:
    status = pause(a_failed_tenant(HOPELESS).status)
    assert told(status, "Ready") == ("False", "ProvisioningFailed", 1)
    ready = find(status.conditions, "Ready")
    assert ready is not None
    assert ready.message == "ImageInvalid at step image: no such tag."
    assert find(status.conditions, "Stalled") is None


def test_a_failure_keeps_its_advice() -> None:
    failure = Failure(code="ImageInvalid", message="no such tag", fix="use another tag", retryable=False)
    status = pause(a_failed_tenant(Outcome(result="Failed", failure=failure)).status)
    ready = find(status.conditions, "Ready")
    assert ready is not None
    assert ready.message == "ImageInvalid: no such tag.\nFix: use another tag"


def test_it_is_not_written_again_while_nothing_changes() -> None:
    status = pause(a_ready_tenant().status)
    for facts in (FACTS, replace(FACTS, registration=AWAY), replace(FACTS, steady=REGISTERED)):
        again = decide(a_tenant(2, status=status, management=PAUSED), facts, NOW + timedelta(days=1))
        assert again.status == status


def test_it_hears_of_a_registration_that_is_steadily_another() -> None:
    status = pause(a_ready_tenant().status, facts=replace(FACTS, registration=AWAY, steady=AWAY))
    assert told(status, "WorkflowRegistered")[:2] == ("Unknown", "EngineUnreachable")
    assert told(status, "Ready")[:2] == ("True", "Provisioned")


def test_managed_again_it_catches_up_with_the_newest_generation() -> None:
    status = pause(pause(a_ready_tenant().status, 2), 3)
    tenant = a_tenant(4, status=status)
    decided = decide(tenant, FACTS, NOW)
    assert decided.submit is not None
    assert decided.submit.generation == 4
    done = decide(tenant, with_flight(tenant, outcome=DONE), NOW)
    assert says(done, "Ready") == ("True", "Provisioned")
    assert says(done, "Paused") is None


def test_a_deletion_is_carried_out() -> None:
    status = pause(a_ready_tenant().status)
    decided = decide(a_tenant(3, deleting=True, status=status, management=PAUSED), FACTS, NOW)
    assert decided.submit is not None
    assert decided.submit.operation == "delete"

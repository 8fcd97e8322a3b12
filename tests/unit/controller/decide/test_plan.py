"""What is decided about a Tenant, situation by situation."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.support.plans import (
    AWAY,
    DONE,
    FACTS,
    GIVEN_UP,
    HOPELESS,
    LOST,
    MADE,
    NOW,
    REGISTERED,
    REJECTED,
    a_failed_tenant,
    a_ready_tenant,
    a_tenant,
    decide,
    says,
    unchanged,
    with_flight,
)

from landlord.api.conditions import find
from landlord.api.outcome import Failure, Outcome
from landlord.controller.decide.facts import Case
from landlord.controller.decide.request import build_request
from landlord.controller.decide.retry import RETRY_FAILED_AFTER, find_retry_wait
from landlord.controller.decide.situation import Released, Releasing, Settled, Unclaimed
from landlord.engines.contract import JOURNAL_MISMATCH, Progress, Registration
from landlord.errors import EngineUnreachable, InvocationLost, NotRegistered, RequestRejected


def test_a_new_tenant_gets_the_finalizer_before_anything_is_made() -> None:
    tenant = a_tenant(has_finalizer=False)
    assert decide(tenant, FACTS, NOW) == unchanged(tenant, Unclaimed(), add_finalizer=True)


def test_a_held_tenant_is_submitted_without_a_write() -> None:
    tenant = a_tenant()
    decided = decide(tenant, FACTS, NOW)
    assert decided.submit is not None
    assert decided.submit.idempotency_key == "u1-1-1"
    assert decided.status == tenant.status


def test_success_is_ready_and_settled() -> None:
    tenant = a_tenant()
    decided = decide(tenant, with_flight(tenant, outcome=DONE), NOW)
    assert says(decided, "Ready") == ("True", "Provisioned")
    assert says(decided, "Reconciling") is None
    assert decided.is_settled
    assert decided.status.endpoints == MADE.endpoints
    assert decided.status.provider == "memory"
    assert decided.status.observed_generation == 1


def test_the_invocation_that_did_it_can_be_looked_up() -> None:
    tenant = a_tenant()
    known = DONE.model_copy(update={"invocation_id": "inv_1"})
    status = decide(tenant, with_flight(tenant, outcome=known), NOW).status
    assert status.workflow is not None
    assert status.workflow.invocation_id == "inv_1"


def test_a_settled_tenant_is_left_alone() -> None:
    tenant = a_ready_tenant()
    assert decide(tenant, FACTS, NOW) == unchanged(tenant, Settled(), is_settled=True)


def test_a_settled_tenant_stays_ready_while_the_engine_is_away() -> None:
    tenant = a_ready_tenant()
    decided = decide(tenant, replace(FACTS, registration=AWAY), NOW)
    assert decided == unchanged(tenant, Settled(), is_settled=True)


def test_a_settled_tenant_hears_of_a_registration_that_is_steadily_another() -> None:
    decided = decide(a_ready_tenant(), replace(FACTS, registration=AWAY, steady=AWAY), NOW)
    assert says(decided, "Ready") == ("True", "Provisioned")
    assert says(decided, "WorkflowRegistered") == ("Unknown", "EngineUnreachable")


def test_what_settles_just_after_an_outage_does_not_tell_of_it_again() -> None:
    tenant = a_ready_tenant()
    decided = decide(tenant, replace(FACTS, registration=REGISTERED, steady=AWAY), NOW)
    assert decided == unchanged(tenant, Settled(), is_settled=True)


def test_a_settled_tenant_is_not_written_again_for_the_same_registration() -> None:
    tenant = a_ready_tenant()
    assert decide(tenant, replace(FACTS, steady=REGISTERED), NOW).status == tenant.status


@pytest.mark.parametrize(
    ("registration", "ready"),
    [
        (LOST, ("False", "RegistrationPending")),
        (AWAY, ("Unknown", "EngineUnreachable")),
        (REJECTED, ("False", "RegistrationPending")),
    ],
    ids=lambda value: getattr(value, "reason", ""),
)
def test_nothing_is_submitted_while_the_workflow_is_not_registered(
    registration: Registration, ready: tuple[str, str]
) -> None:
    decided = decide(a_tenant(), replace(FACTS, registration=registration), NOW)
    assert decided.submit is None
    assert says(decided, "Ready") == ready
    assert says(decided, "WorkflowRegistered") == (registration.status, registration.reason)


def test_a_rejected_registration_stalls_what_waits_for_it() -> None:
    decided = decide(a_tenant(), replace(FACTS, registration=REJECTED), NOW)
    assert says(decided, "Stalled") == ("True", "RegistrationRejected")
    assert says(decided, "Reconciling") is None


def test_an_engine_that_goes_away_after_the_first_success_does_not_make_ready_unknown() -> None:
    decided = decide(a_ready_tenant(generation=2), replace(FACTS, registration=AWAY), NOW)
    assert says(decided, "Ready") == ("False", "RegistrationPending")


@pytest.mark.parametrize(
    ("progress", "provisioned", "words"),
    [
        (None, "InProgress", "The workflow is running"),
        (Progress("Running", step="image", step_number=1, total_steps=3), "InProgress", "step 1 of 3"),
        (
            Progress("BackingOff", step="image", step_number=1, total_steps=3, attempt=4, last_error="503"),
            "BackingOff",
            "The workflow is retrying step 1 of 3 (image): 503",
        ),
        (
            Progress("Running", step="image", step_number=1, total_steps=3, attempt=4, last_error="503"),
            "BackingOff",
            "The workflow is retrying",
        ),
        (Progress("Paused", last_error="RT0016"), "Paused", "paused the workflow: RT0016"),
        (Progress("Pending"), "InProgress", "is waiting for an earlier one"),
    ],
)
def test_work_under_way_is_shown(progress: Progress | None, provisioned: str, words: str) -> None:
    tenant = a_tenant()
    decided = decide(tenant, with_flight(tenant, progress=progress), NOW)
    assert says(decided, "Provisioned") == ("False", provisioned)
    assert says(decided, "Ready") == ("False", "Provisioning")
    ready = find(decided.status.conditions, "Ready")
    assert ready is not None
    assert words in ready.message


def test_work_under_way_is_not_said_to_run_while_the_engine_continues_nothing() -> None:
    tenant = a_tenant()
    stuck = Registration("Unknown", "EngineStuck", "Restate records nothing")
    facts = replace(with_flight(tenant, progress=Progress("Running")), registration=stuck)
    decided = decide(tenant, facts, NOW)
    ready = find(decided.status.conditions, "Ready")
    assert ready is not None
    assert ready.message == "The workflow can't continue: Restate records nothing"


def test_paused_work_is_stalled_with_advice_because_nothing_continues_it() -> None:
    tenant = a_tenant()
    progress = Progress("Paused", "inv_1", step="image", step_number=1, total_steps=3)
    decided = decide(tenant, with_flight(tenant, progress=progress), NOW)
    stalled = find(decided.status.conditions, "Stalled")
    assert stalled is not None
    assert (stalled.status, stalled.reason) == ("True", "Paused")
    assert stalled.message == (
        "The workflow engine paused the workflow at step 1 of 3 (image)\n"
        "Fix: remove the cause, and run `landlord retry`."
    )
    assert find(decided.status.conditions, "Reconciling") is None


def test_a_step_that_is_tried_again_shows_the_backend_s_own_code_and_reason() -> None:
    tenant = a_tenant()
    error = "RegistryUnreachable: can't pull app:1: no such host"
    progress = Progress("BackingOff", step="image", step_number=1, total_steps=3, attempt=2, last_error=error)
    status = decide(tenant, with_flight(tenant, progress=progress), NOW).status
    assert status.workflow is not None
    failure = Failure(
        code="RegistryUnreachable", message="can't pull app:1: no such host", retryable=True, step="image"
    )
    assert status.workflow.last_failure == failure


def test_a_tenant_that_runs_keeps_its_endpoints_while_it_is_updated() -> None:
    tenant = a_ready_tenant(generation=2)
    decided = decide(tenant, with_flight(tenant), NOW)
    assert says(decided, "Ready") == ("False", "Updating")
    assert decided.status.endpoints == MADE.endpoints


def test_work_for_an_older_generation_does_not_count() -> None:
    tenant = a_tenant()
    facts = with_flight(tenant, outcome=DONE)
    decided = decide(a_tenant(generation=2), facts, NOW)
    assert decided.submit is not None
    assert decided.submit.idempotency_key == "u1-2-1"


def test_a_hopeless_failure_stalls_until_the_spec_changes() -> None:
    tenant = a_failed_tenant(HOPELESS)
    assert find(tenant.status.conditions, "Stalled") is not None
    assert tenant.status.phase == "Failed"
    a_year_on = NOW + timedelta(days=365)
    assert decide(tenant, FACTS, a_year_on).submit is None
    changed = a_tenant(generation=2, status=tenant.status)
    assert decide(changed, FACTS, NOW).submit is not None


def test_a_failure_that_may_pass_is_started_again_as_another_attempt() -> None:
    tenant = a_failed_tenant(GIVEN_UP)
    waits = decide(tenant, FACTS, NOW)
    assert waits.submit is None
    assert waits.requeue_after == RETRY_FAILED_AFTER
    again = decide(tenant, FACTS, NOW + timedelta(seconds=RETRY_FAILED_AFTER))
    assert again.submit is not None
    assert again.submit.idempotency_key == "u1-1-2"


def test_work_that_an_upgrade_of_the_worker_has_broken_is_begun_anew_at_once() -> None:
    failure = Failure(code=JOURNAL_MISMATCH, message="Found a mismatch", retryable=True)
    tenant = a_failed_tenant(Outcome(result="Failed", failure=failure))
    ready = find(tenant.status.conditions, "Ready")
    assert ready is not None
    assert "landlord retries it in 2 seconds" in ready.message
    again = decide(tenant, FACTS, NOW + timedelta(seconds=2)).submit
    assert again is not None
    assert again.idempotency_key == "u1-1-2"


def test_work_that_breaks_again_and_again_is_begun_more_and_more_rarely() -> None:
    failure = Failure(code=JOURNAL_MISMATCH, message="Found a mismatch", retryable=True)
    failed = Outcome(result="Failed", failure=failure)
    request = build_request(Case(a_tenant(), FACTS, NOW), "apply")
    attempts = [request.model_copy(update={"attempt": number}) for number in (1, 2, 3, 10_000)]
    waits = [find_retry_wait(attempt, failed) for attempt in attempts]
    assert waits == [2, 4, 8, RETRY_FAILED_AFTER]


@pytest.mark.parametrize("error", [EngineUnreachable("gone"), NotRegistered("404"), InvocationLost("wiped")])
def test_an_engine_error_is_waited_out_with_the_same_request(error: Exception) -> None:
    tenant = a_tenant()
    decided = decide(tenant, with_flight(tenant, error=error), NOW)
    assert decided.retry
    later = decide(a_tenant(status=decided.status), FACTS, NOW)
    assert later.submit is not None
    assert later.submit.idempotency_key == "u1-1-1"


@pytest.mark.parametrize(
    ("error", "ready"),
    [
        (EngineUnreachable("the ingress is away"), ("Unknown", "EngineUnreachable")),
        (NotRegistered("404"), ("False", "RegistrationPending")),
        (InvocationLost("wiped"), ("False", "RegistrationPending")),
    ],
)
def test_an_engine_that_does_not_take_the_request_says_whether_it_could_be_asked(
    error: Exception, ready: tuple[str, str]
) -> None:
    new, changed = a_tenant(), a_ready_tenant(generation=2)
    assert says(decide(new, with_flight(new, error=error), NOW), "Ready") == ready
    decided = decide(changed, with_flight(changed, error=error), NOW)
    assert says(decided, "Ready") == ("False", "RegistrationPending")


def test_a_request_that_the_engine_refuses_is_a_hopeless_failure() -> None:
    tenant = a_tenant()
    decided = decide(tenant, with_flight(tenant, error=RequestRejected("400 bad request")), NOW)
    assert says(decided, "Provisioned") == ("False", "Failed")
    assert decided.is_settled


REFUSALS = {
    "UnknownBackend": (a_tenant(compute={"provider": "vm"}), FACTS, "it has memory"),
    "IdentityConflict": (a_tenant(), replace(FACTS, owner="other/acme"), "belongs to the older Tenant"),
    "InvalidSpec": (a_tenant(workload={"containers": []}), FACTS, "workload.containers"),
}


@pytest.mark.parametrize("reason", REFUSALS, ids=str)
def test_what_can_not_be_accepted_says_why_and_is_not_submitted(reason: str) -> None:
    tenant, facts, words = REFUSALS[reason]
    decided = decide(tenant, facts, NOW)
    assert decided.submit is None
    assert [says(decided, kind) for kind in ("Accepted", "Ready", "Stalled")] == [
        ("False", reason),
        ("False", reason),
        ("True", reason),
    ]
    assert words in decided.status.conditions[0].message


def test_deletion_is_submitted_and_then_lets_go() -> None:
    tenant = a_ready_tenant(generation=2, deleting=True)
    first = decide(tenant, FACTS, NOW)
    assert first.submit is not None
    assert (first.submit.operation, first.submit.idempotency_key) == ("delete", "u1-2-1")
    assert first.submit.desired is None
    then = decide(tenant, with_flight(tenant, operation="delete", outcome=Outcome(result="Succeeded")), NOW)
    released = Releasing("Deprovisioned")
    assert then == unchanged(tenant, released, remove_finalizer=True, is_settled=True)


def test_deletion_goes_on_waiting_when_it_fails() -> None:
    tenant = a_ready_tenant(generation=2, deleting=True)
    decided = decide(tenant, with_flight(tenant, operation="delete", outcome=HOPELESS), NOW)
    assert decided.departure is None
    assert decided.requeue_after == RETRY_FAILED_AFTER
    assert says(decided, "Ready") == ("False", "Deleting")


def test_a_deleted_tenant_that_never_owned_its_tenant_id_touches_nothing() -> None:
    tenant = a_tenant(generation=2, deleting=True)
    decided = decide(tenant, replace(FACTS, owner="other/acme"), NOW)
    released = Releasing("NothingMade")
    assert decided == unchanged(tenant, released, remove_finalizer=True, is_settled=True)


def test_a_deleted_tenant_that_did_run_is_deprovisioned_whoever_claims_its_tenant_id() -> None:
    tenant = a_ready_tenant(generation=2, deleting=True)
    assert decide(tenant, replace(FACTS, owner="other/acme"), NOW).submit is not None


def test_a_deleted_tenant_of_a_backend_that_there_never_was_is_let_go() -> None:
    before = a_tenant(compute={"provider": "vm"})
    waiting = decide(before, replace(FACTS, registration=AWAY), NOW).status
    tenant = a_tenant(deleting=True, compute={"provider": "vm"}, status=waiting)
    released = Releasing("NothingMade")
    assert decide(tenant, FACTS, NOW) == unchanged(tenant, released, remove_finalizer=True, is_settled=True)


def test_a_deleted_tenant_of_a_backend_that_there_is_no_more_waits_for_it() -> None:
    tenant = a_ready_tenant(deleting=True)
    elsewhere = replace(FACTS, registration=replace(REGISTERED, backends=frozenset({"docker"})))
    decided = decide(tenant, elsewhere, NOW)
    assert decided.departure is None
    assert decided.submit is not None


def test_a_backend_is_chosen_with_the_first_request_and_not_before() -> None:
    waiting = decide(a_tenant(), replace(FACTS, registration=AWAY, default_provider="vm"), NOW).status
    assert waiting.provider is None
    decided = decide(a_tenant(status=waiting), FACTS, NOW)
    assert decided.submit is not None
    assert decided.submit.provider == "memory"


def test_a_deleted_tenant_with_an_unreadable_spec_is_still_deprovisioned() -> None:
    tenant = a_ready_tenant(generation=2, deleting=True, workload={"containers": []})
    decided = decide(tenant, FACTS, NOW)
    assert decided.submit is not None
    assert decided.submit.provider == "memory"


def test_a_tenant_that_somebody_else_holds_is_left_alone_while_it_goes() -> None:
    tenant = a_tenant(has_finalizer=False, deleting=True)
    assert decide(tenant, FACTS, NOW) == unchanged(tenant, Released(), is_settled=True)


def test_the_backend_of_the_first_day_stays() -> None:
    tenant = a_ready_tenant(generation=2)
    decided = decide(tenant, replace(FACTS, default_provider="docker"), NOW)
    assert decided.submit is not None
    assert decided.submit.provider == "memory"


def test_a_failure_says_how_to_fix_it_on_a_line_of_its_own() -> None:
    failure = Failure(code="ImageInvalid", message="no such tag", fix="use another tag", retryable=False)
    tenant = a_failed_tenant(Outcome(result="Failed", failure=failure))
    ready = find(tenant.status.conditions, "Ready")
    assert ready is not None
    assert ready.message.splitlines() == [
        "ImageInvalid: no such tag.",
        "Fix: use another tag",
        "landlord retries it when the spec changes. To retry it now, run `landlord retry acme -n tenants`.",
    ]


def test_the_advice_of_a_failed_step_shows_while_it_is_retried() -> None:
    failing = Progress("BackingOff", step="image", last_error="NoEngine: none answers", last_fix="start it")
    tenant = a_tenant()
    decided = decide(tenant, with_flight(tenant, progress=failing))
    assert decided.status is not None
    ready = find(decided.status.conditions, "Ready")
    assert ready is not None
    assert ready.message.splitlines()[-1] == "Fix: start it"
    assert decided.status.workflow is not None
    assert decided.status.workflow.last_failure is not None
    assert decided.status.workflow.last_failure.fix == "start it"

"""Decides which situation a Tenant is in, and what to do about it.

| the Tenant …                          | work known here | → do             | situation     |
|---------------------------------------|-----------------|------------------|---------------|
| is paused                             | any             |                  | Paused        |
| expires into its deletion             | any             | delete           | Expired       |
| matches its spec                      | none            |                  | Settled       |
| matches it, but a survey disagrees    | none            |                  | Found         |
| … and landlord is to repair that now  | none            | submit           | Repairing     |
| … but the Tenant lacks the finalizer  | none            | add finalizer    | Unclaimed     |
| … and a person requested a retry      | none            | submit           | Retrying      |
| can't be accepted                     | any             |                  | NotAccepted   |
| needs work, lacks the finalizer       | none            | add finalizer    | Unclaimed     |
| needs work                            | none            | submit           | WorkDue       |
| needs work, a person requested a retry| none            | submit           | Retrying      |
| … and the work is stuck               | under way       | submit           | Retrying      |
| needs work, but it just failed        | none            | requeue          | WorkStopped   |
| needs work, but it failed permanently | none            |                  | WorkStopped   |
| needs work, engine not ready          | none            |                  | WorkWaiting   |
| needs work                            | engine error    | retry            | WorkWaiting   |
| needs work                            | under way       |                  | WorkUnderWay  |
| needs work                            | succeeded       |                  | WorkSucceeded |
| needs work                            | failed          | requeue          | WorkFailed    |
| needs work                            | failed for good |                  | WorkFailed    |
| is being deleted, lacks the finalizer | any             |                  | Released      |
| is being deleted, owns nothing        | none            | remove finalizer | Releasing     |
| is being deleted, keeps everything    | none            | remove finalizer | Releasing     |
| is being deleted, is protected        | none            |                  | OnHold        |
| is being deleted, in its grace period | none            | requeue          | OnHold        |
| is being deleted, failed, is forced   | none            | remove finalizer | Releasing     |
| is being deleted, maybe with others   | none            | requeue          | PossibleBurst |
| is being deleted                      | none            | submit           | WorkDue       |
| is being deleted                      | under way       |                  | WorkUnderWay  |
| is being deleted                      | succeeded       | remove finalizer | Releasing     |
| is being deleted                      | failed          | requeue          | WorkFailed    |

A request to retry that arrives while the work makes progress waits for its end; see retry_request.py.
"Work" is an apply, or a suspend or archive if the Tenant is to be in that state now. A Tenant with a lifetime
is also requeued for the moment at which it expires.
"""

from dataclasses import dataclass, replace

from landlord.api.conditions import PROVISIONED, find
from landlord.api.outcome import Failure, Outcome
from landlord.api.request import Operation, Request
from landlord.controller.decide import acceptance, hold, lifecycle, retry
from landlord.controller.decide.facts import Case
from landlord.controller.decide.last_work import has_run, is_same_work
from landlord.controller.decide.request import build_request
from landlord.controller.decide.retry_request import find_retry, is_continued, is_in_order
from landlord.controller.decide.situation import (
    Expired,
    Found,
    OnHold,
    Paused,
    PossibleBurst,
    Released,
    Releasing,
    Repairing,
    Retrying,
    Settled,
    Situation,
    Unclaimed,
    WorkDue,
    WorkFailed,
    WorkStopped,
    WorkSucceeded,
    WorkUnderWay,
    WorkWaiting,
)
from landlord.errors import RequestRejected


@dataclass(frozen=True)
class Plan:
    """The situation, and what to do about it in this order: finalizer, submit, status, delete or release."""

    situation: Situation
    add_finalizer: bool = False
    submit: Request | None = None
    delete: bool = False
    """Delete the Tenant object."""
    remove_finalizer: bool = False
    requeue_after: float | None = None
    """Seconds until the Tenant must be reconciled again without any event."""
    retry: bool = False
    """Requeue with backoff, because the engine could not be asked."""
    is_settled: bool = False
    """Whether nothing is left to do, or to wait for but a time."""


def plan(case: Case) -> Plan:
    """Decide what to do next. deletionTimestamp comes first: setting it also bumps the generation."""
    if case.tenant.deleting:
        return _plan_deletion(case)
    if case.tenant.paused:
        return Plan(Paused(), is_settled=True)
    if lifecycle.is_due_for_deletion(case.tenant, case.now):
        return Plan(Expired(), delete=True, is_settled=True)
    return _with_expiry(case, _plan_upkeep(case))


def _with_expiry(case: Case, decided: Plan) -> Plan:
    """Requeue the Tenant for the moment at which it expires, whatever else is to be done."""
    expiry = lifecycle.find_expiry(case.tenant)
    if expiry is None or expiry <= case.now:
        return decided
    waits = [(expiry - case.now).total_seconds(), decided.requeue_after]
    return replace(decided, requeue_after=min(wait for wait in waits if wait is not None))


def _plan_upkeep(case: Case) -> Plan:
    if _is_settled(case):
        return _plan_repair(case)
    if refusal := acceptance.find_refusal(case):
        return Plan(refusal)
    if not case.tenant.has_finalizer:
        return Plan(Unclaimed(), add_finalizer=True)
    return _plan_work(case, _choose_operation(case))


def _plan_repair(case: Case) -> Plan:
    """landlord has brought the Tenant where it is to be; somebody may have changed that since."""
    finding, facts = case.finding, case.facts
    requested_at = None if is_in_order(case) else find_retry(case.tenant)
    due = finding if finding is not None and finding.is_repair_due else None
    may_submit = case.tenant.spec is not None and facts.flight is None and facts.registration.ready
    if may_submit and (due is not None or requested_at is not None):
        if not case.tenant.has_finalizer:
            return Plan(Unclaimed(), add_finalizer=True)
        request = build_request(case, _choose_operation(case))
        if due is not None:
            return Plan(Repairing(due, request), submit=request)
        if requested_at is not None:
            return Plan(Retrying(request, requested_at), submit=request)
    return Plan(Found(finding) if finding else Settled(), is_settled=requested_at is None)


def _plan_deletion(case: Case) -> Plan:
    tenant, facts = case.tenant, case.facts
    if not tenant.has_finalizer:
        return Plan(Released(), is_settled=True)
    # What runs under this tenantID was created for another Tenant.
    owns_nothing = facts.owner is not None and not has_run(tenant)
    # No backend was ever asked for anything, and there is none to ask now.
    has_no_backend = tenant.status.provider is None and acceptance.is_backend_missing(case)
    if owns_nothing or has_no_backend:
        return _release(Releasing("NothingMade"))
    if not hold.is_deprovisioning(tenant, facts.flight):
        if hold.is_retained(tenant):
            return _release(Releasing("Retained"))
        if held_by := hold.find_hold(tenant, facts.deletions, case.now):
            wait = (held_by.until - case.now).total_seconds() if held_by.until else None
            return Plan(OnHold(held_by), requeue_after=wait, is_settled=True)
        if hold.is_given_up(tenant):
            return _release(Releasing("LeftBehind"))
        deleted_at = tenant.metadata.deletion_timestamp
        if (
            facts.deletions
            and deleted_at
            and (until := facts.deletions.find_burst_end(deleted_at)) > case.now
        ):
            return Plan(PossibleBurst(until), requeue_after=(until - case.now).total_seconds())
    return _plan_work(case, "delete")


def _release(situation: Releasing) -> Plan:
    return Plan(situation, remove_finalizer=True, is_settled=True)


def _plan_work(case: Case, operation: Operation) -> Plan:
    request, flight = build_request(case, operation), case.facts.flight
    if flight is None or not flight.is_for(request):
        return _plan_submission(case, request)
    if flight.outcome is not None:
        return _plan_outcome(case, request, flight.outcome)
    if isinstance(flight.error, RequestRejected):
        error = flight.error
        failure = Failure(code="RequestRejected", message=error.message, fix=error.fix, retryable=False)
        return _plan_outcome(case, request, Outcome(result="Failed", failure=failure))
    if flight.error is not None:
        return Plan(WorkWaiting(request, flight.error), retry=True)
    return Plan(WorkUnderWay(request, flight.progress))


def _plan_submission(case: Case, request: Request) -> Plan:
    if stopped := _find_stop(case, request.operation):
        wait = (stopped.until - case.now).total_seconds() if stopped.until else None
        return Plan(stopped, requeue_after=wait, is_settled=wait is None)
    if not case.facts.registration.ready:
        return Plan(WorkWaiting(request, None))
    requested_at = find_retry(case.tenant)
    if requested_at is not None and not is_continued(case.tenant, request):
        return Plan(Retrying(request, requested_at), submit=request)
    return Plan(WorkDue(), submit=request)


def _find_stop(case: Case, operation: Operation) -> WorkStopped | None:
    """Find out whether, and until when, a workflow that failed for this very work may not start again."""
    workflow = case.tenant.status.workflow
    if workflow is None or workflow.sub_state != "Failed" or not is_same_work(case.tenant, operation):
        return None
    if find_retry(case.tenant) is not None:
        return None
    until = workflow.next_retry_time
    return None if until is not None and until <= case.now else WorkStopped(until, case.finding)


def _plan_outcome(case: Case, request: Request, outcome: Outcome) -> Plan:
    if outcome.result != "Succeeded":
        wait = retry.find_retry_wait(request, outcome)
        # Requested while it was running: the failure is reported, and then followed by another attempt.
        again = 0.0 if find_retry(case.tenant) is not None else wait
        return Plan(WorkFailed(request, outcome, wait), requeue_after=again, is_settled=again is None)
    if request.operation != "delete":
        return Plan(WorkSucceeded(request, outcome), is_settled=True)
    if request.keeps_data:
        return _release(Releasing("Archived", outcome.made.resources))
    return _release(Releasing("Deprovisioned"))


def _choose_operation(case: Case) -> Operation:
    return lifecycle.OPERATIONS[lifecycle.choose_state(case.tenant, case.now)]


def _is_settled(case: Case) -> bool:
    condition = find(case.tenant.status.conditions, PROVISIONED)
    return (
        condition is not None
        and condition.status == "True"
        and condition.observed_generation == case.tenant.metadata.generation
        and lifecycle.find_reached_state(case.tenant) == lifecycle.choose_state(case.tenant, case.now)
    )

"""Composes the whole status that a Tenant must have: one function for each situation."""

from datetime import timedelta
from typing import assert_never

from landlord.api import conditions
from landlord.api.conditions import (
    ACCEPTED,
    PROVISIONED,
    READY,
    RECONCILING,
    RETRY_REJECTED,
    STALLED,
    WORKFLOW_REGISTERED,
    Verdict,
)
from landlord.api.outcome import Failure
from landlord.api.request import Request
from landlord.api.status import TenantStatus
from landlord.api.tenant import Key
from landlord.controller.decide import health, lifecycle
from landlord.controller.decide.comparison import Finding, judge_healthy
from landlord.controller.decide.composing import ACTIVITIES, build_status, judge_registration
from landlord.controller.decide.facts import Case
from landlord.controller.decide.last_work import has_run, may_be_running
from landlord.controller.decide.paused import compose_on_hold, compose_paused
from landlord.controller.decide.retry import REFUSED_BY_WORKER, read_failure
from landlord.controller.decide.retry_request import find_rejection, find_retry, is_in_order
from landlord.controller.decide.situation import (
    Expired,
    Found,
    NotAccepted,
    OnHold,
    Paused,
    PossibleBurst,
    Released,
    Releasing,
    Repairing,
    Retrying,
    Settled,
    Situation,
    SituationWithNews,
    Unclaimed,
    WorkDue,
    WorkFailed,
    WorkStopped,
    WorkSucceeded,
    WorkUnderWay,
    WorkWaiting,
)
from landlord.controller.decide.workflow_status import (
    build_ended_workflow,
    build_unobserved_workflow,
    build_workflow,
    describe_failure,
    describe_progress,
    with_steady_state,
)
from landlord.engines.contract import ENGINE_STUCK, ConditionStatus, Progress
from landlord.errors import EngineUnreachable


def compose(case: Case, situation: Situation) -> TenantStatus:
    """Compose the whole status that the Tenant must have."""
    if isinstance(situation, Unclaimed | WorkDue):
        return case.tenant.status  # which changes once the engine has answered
    if isinstance(situation, Expired | PossibleBurst | Releasing | Released):
        return case.tenant.status  # because the Tenant is about to change, or to go
    return _with_retry(case, situation, _compose_news(case, situation))


def _compose_news(case: Case, situation: SituationWithNews) -> TenantStatus:
    match situation:
        case Paused():
            return compose_paused(case)
        case OnHold(hold):
            return compose_on_hold(case, hold)
        case Settled():
            return _compose_settled(case)
        case Found(finding) | WorkStopped(finding=finding):
            return _compose_found(case, finding)
        case Repairing():
            return _compose_repairing(case, situation)
        case Retrying(request):
            return _compose_under_way(case, WorkUnderWay(request, None))
        case NotAccepted():
            return _compose_not_accepted(case, situation)
        case WorkWaiting():
            return _compose_waiting(case, situation)
        case WorkUnderWay():
            return _compose_under_way(case, situation)
        case WorkSucceeded():
            return _compose_succeeded(case, situation)
        case WorkFailed():
            return _compose_failed(case, situation)
        case _:
            assert_never(situation)


def _with_retry(case: Case, situation: Situation, status: TenantStatus) -> TenantStatus:
    """Add which request to try again has been handled, and whether one can't be read."""
    requested_at, rejection = find_retry(case.tenant), find_rejection(case.tenant)
    is_handled = isinstance(situation, Retrying | WorkSucceeded) or (
        isinstance(situation, Settled | Found) and is_in_order(case)
    )
    if requested_at is not None and is_handled:
        status = status.model_copy(update={"last_handled_retry_at": requested_at})
    others = [condition for condition in status.conditions if condition.type != RETRY_REJECTED]
    verdicts = [rejection] if rejection else []
    rejected = conditions.merge(
        case.tenant.status.conditions, verdicts, case.tenant.metadata.generation, case.now
    )
    listed = sorted((*others, *rejected), key=lambda condition: conditions.ORDER.index(condition.type))
    return status.model_copy(update={"conditions": tuple(listed)})


def _compose_settled(case: Case) -> TenantStatus:
    """Nothing is new but the registration, and that only once it is steady."""
    status, registration = case.tenant.status, case.facts.settled_registration
    if registration is None:
        return status
    verdicts = [
        Verdict(c.type, c.status, c.reason, c.message)
        for c in status.conditions
        if c.type != WORKFLOW_REGISTERED
    ]
    verdicts.append(judge_registration(registration))
    merged = conditions.merge(status.conditions, verdicts, case.tenant.metadata.generation, case.now)
    return status.model_copy(update={"conditions": merged})


def _compose_found(case: Case, finding: Finding | None) -> TenantStatus:
    """landlord does nothing now: only the registration, and what a survey found, may be new."""
    status = _compose_settled(case)
    return health.with_finding(case, status, finding) if finding else status


def _compose_repairing(case: Case, situation: Repairing) -> TenantStatus:
    """The status has to say that the repair was submitted: nothing else of the object does."""
    tenant = health.with_drift(case.tenant, situation.finding)
    case_with_drift = Case(tenant, case.facts, case.now)
    return _compose_under_way(case_with_drift, WorkUnderWay(situation.request, None))


def _compose_not_accepted(case: Case, situation: NotAccepted) -> TenantStatus:
    reason, message = situation.reason, situation.message
    return build_status(
        case,
        phase="Failed",
        verdicts=[
            Verdict(READY, "False", reason, message),
            Verdict(ACCEPTED, "False", reason, message),
            Verdict(STALLED, "True", reason, message),
        ],
        provider=case.tenant.status.provider,
    )


def _compose_waiting(case: Case, situation: WorkWaiting) -> TenantStatus:
    request, facts = situation.request, case.facts
    flight = facts.flight if facts.flight and facts.flight.is_for(request) else None
    maybe_accepted = flight is not None and flight.may_be_running
    workflow = build_unobserved_workflow(case.tenant, request, maybe_accepted=maybe_accepted)
    status, reason = _judge_waiting(case, situation)
    message = f"landlord is waiting for the workflow engine: {situation.error or facts.registration.message}"
    observed = (
        "The workflow was started, but landlord can't observe its progress now"
        if may_be_running(workflow)
        else "The workflow has not started yet"
    )
    verdicts = [
        Verdict(READY, status, reason, message),
        Verdict(PROVISIONED, "False", "InProgress", observed),
    ]
    if facts.registration.hopeless:
        verdicts.append(Verdict(STALLED, "True", facts.registration.reason, message))
    else:
        verdicts.append(Verdict(RECONCILING, "True", reason, message))
    return build_status(
        case,
        phase="Deleting" if request.operation == "delete" else "Pending",
        verdicts=verdicts,
        # Chosen for the Tenant's life only with the first request: the worker may not have this one.
        provider=request.provider if facts.flight else case.tenant.status.provider,
        workflow=workflow,
    )


def _judge_waiting(case: Case, situation: WorkWaiting) -> tuple[ConditionStatus, str]:
    """Judge Ready of a Tenant that waits for the engine."""
    # The admin API may answer, and so show the registration, while the ingress does not.
    unreachable = isinstance(situation.error, EngineUnreachable)
    is_unknown = case.facts.registration.status == "Unknown" or unreachable
    if situation.request.operation == "delete":
        return "False", "Deleting"
    if is_unknown and not has_run(case.tenant):
        return "Unknown", "EngineUnreachable"
    return "False", "RegistrationPending"


def _compose_under_way(case: Case, situation: WorkUnderWay) -> TenantStatus:
    progress = with_steady_state(situation.progress) if situation.progress else Progress("Running")
    workflow = build_workflow(case.tenant, situation.request, progress)
    activity = ACTIVITIES[workflow.operation]
    registration = case.facts.registration
    is_stuck = registration.reason == ENGINE_STUCK  # so the progress is what it was before
    message = (
        f"The workflow can't continue: {registration.message}" if is_stuck else describe_progress(progress)
    )
    if workflow.last_failure and not progress.last_error:
        message = f"{message}\nThe previous attempt failed: {describe_failure(workflow.last_failure)}"
    drift = case.tenant.status.drift
    if workflow.operation == "Repair" and drift:
        message = f"{message}\nFound: {health.describe_drift(drift)}"
    reason = progress.sub_state if progress.sub_state in ("BackingOff", "Paused") else "InProgress"
    is_paused = progress.sub_state == "Paused"  # until a person does something about it
    return build_status(
        case,
        phase=activity,
        verdicts=[
            Verdict(READY, "False", activity, message),
            Verdict(PROVISIONED, "False", reason, message),
            Verdict(STALLED, "True", "Paused", message)
            if is_paused
            else Verdict(RECONCILING, "True", activity, message),
        ],
        provider=situation.request.provider,
        workflow=workflow,
    )


def _compose_succeeded(case: Case, situation: WorkSucceeded) -> TenantStatus:
    """This is the only way to Ready, but for a tenant that recovers by itself."""
    request, outcome = situation.request, situation.outcome
    state = next(s for s, operation in lifecycle.OPERATIONS.items() if operation == request.operation)
    workflow = build_ended_workflow(case.tenant, request, outcome)
    message = lifecycle.describe_state(case.tenant, state, case.now)
    found = health.describe_drift(case.tenant.status.drift)
    repaired = f"Repaired: {found}" if found and workflow.operation == "Repair" else message
    status = build_status(
        case,
        phase="Ready" if state == "Active" else state,
        verdicts=[
            Verdict(READY, "True", "Provisioned" if state == "Active" else state, message),
            Verdict(PROVISIONED, "True", "Succeeded", repaired),
            judge_healthy(state),
        ],
        provider=request.provider,
        workflow=workflow.model_copy(update={"sub_state": "Succeeded"}),
    )
    made: dict[str, object] = {"state": state, "endpoints": outcome.made.endpoints, "drift": None}
    if state != "Suspended":  # which keeps all that existed
        made["resources"] = outcome.made.resources
    if state == "Active":
        made["spec_hash"] = outcome.spec_hash
    return status.model_copy(update=made)


def _compose_failed(case: Case, situation: WorkFailed) -> TenantStatus:
    request, outcome, wait = situation.request, situation.outcome, situation.wait
    failure = read_failure(outcome)
    message = _describe_failure(case.tenant.key, request, failure, wait)
    workflow = build_ended_workflow(case.tenant, request, outcome).model_copy(
        update={
            "sub_state": "Failed",
            "last_failure": failure,
            "next_retry_time": case.now + timedelta(seconds=wait) if wait else None,
            "step": failure.step,
        }
    )
    is_refused = failure.code in REFUSED_BY_WORKER
    reason = failure.code if is_refused else "ProvisioningFailed"
    if request.operation == "delete":
        reason = "Deleting"
    verdicts = [
        Verdict(READY, "False", reason, message),
        Verdict(PROVISIONED, "False", "Failed", message),
        Verdict(STALLED, "True", reason, message),
    ]
    if is_refused:
        verdicts.append(Verdict(ACCEPTED, "False", failure.code, message))
    return build_status(
        case,
        phase="Deleting" if request.operation == "delete" else "Failed",
        verdicts=verdicts,
        provider=request.provider,
        workflow=workflow,
    )


def _describe_failure(key: Key, request: Request, failure: Failure, wait: float | None) -> str:
    by_itself = f"in {_describe_wait(wait)}, or as soon as" if wait else "when"
    then = (
        f"landlord retries it {by_itself} the spec changes. "
        f"To retry it now, run `landlord retry {key.name} -n {key.namespace}`."
    )
    if request.operation == "delete":
        then += " If the backend no longer exists, set spec.deletion.force to true."
    return f"{describe_failure(failure)}\n{then}"


def _describe_wait(seconds: float) -> str:
    return f"{seconds / 60:g} minutes" if seconds >= 60 else f"{seconds:g} seconds"

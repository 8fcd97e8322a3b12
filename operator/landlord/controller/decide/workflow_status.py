"""Composes `status.workflow`, and puts the progress of a workflow into words."""

import re
from dataclasses import replace

from landlord.api.conditions import shortened
from landlord.api.outcome import Failure, Outcome
from landlord.api.request import Request
from landlord.api.status import WorkflowOperation, WorkflowStatus
from landlord.api.tenant import Tenant
from landlord.controller.decide import lifecycle
from landlord.controller.decide.composing import FIX
from landlord.controller.decide.last_work import find_operation, has_run, may_be_running
from landlord.engines.contract import Progress

CODED_ERROR = re.compile(r"(?P<code>[A-Z][A-Za-z]{1,62}): (?P<reason>.+)")
"""How the error of a step that is retried reads; see workflow/attempt.py."""


def choose_purpose(tenant: Tenant, request: Request) -> WorkflowOperation:
    """Choose what the status calls a request that is new to the Tenant: by its purpose."""
    match request.operation:
        case "suspend":
            return "Suspend"
        case "archive":
            return "Archive"
        case "delete":
            return "Delete"
    match lifecycle.find_reached_state(tenant):
        case "Suspended":
            return "Resume"
        case "Archived":
            return "Restore"
    before = tenant.status.workflow
    if before is None or not has_run(tenant):
        return "Create"
    is_again = before.sub_state == "Succeeded" or before.operation == "Repair"
    return "Repair" if is_again and before.generation == request.generation else "Update"


def with_steady_state(progress: Progress) -> Progress:
    """Count a step that is being retried right now as backing off, so that the status does not flap."""
    failing = progress.sub_state == "Running" and progress.attempt > 1 and progress.last_error
    return replace(progress, sub_state="BackingOff", next_retry=None) if failing else progress


def describe_progress(progress: Progress) -> str:
    """Describe the progress, for a condition's message."""
    where = (
        f" step {progress.step_number} of {progress.total_steps} ({progress.step})" if progress.step else ""
    )
    error = progress.last_error or "the error is unknown"
    match progress.sub_state:
        case "Pending":
            return "The workflow is waiting for an earlier one on the same tenant to end"
        case "Running":
            return f"The workflow is running{where}"
        case "BackingOff":
            advice = f"\n{FIX}{progress.last_fix}" if progress.last_fix else ""
            return f"The workflow is retrying{where}: {error}{advice}"
        case "Paused":
            at = f" at{where}" if where else ""
            why = f": {progress.last_error}" if progress.last_error else ""
            return (
                f"The workflow engine paused the workflow{at}{why}\n"
                f"{FIX}remove the cause, and run `landlord retry`."
            )


def describe_failure(failure: Failure) -> str:
    """Describe a failure: its step and reason in one line, and the advice in another, if there is one."""
    where = f" at step {failure.step}" if failure.step else ""
    advice = f"\n{FIX}{failure.fix}" if failure.fix else ""
    return f"{failure.code}{where}: {failure.message.rstrip('.')}.{advice}"


def build_workflow(tenant: Tenant, request: Request, progress: Progress | None) -> WorkflowStatus:
    """Build the status of a request; without progress it counts as running."""
    before = tenant.status.workflow
    is_same = (
        before is not None and before.generation == request.generation and before.attempt == request.attempt
    )
    known_id = before.invocation_id if before is not None and is_same else None
    is_continued = before is not None and is_same and find_operation(before.operation) == request.operation
    operation = before.operation if before is not None and is_continued else choose_purpose(tenant, request)
    if progress is None:
        return WorkflowStatus(
            operation=operation,
            generation=request.generation,
            attempt=request.attempt,
            sub_state="Running",
            invocation_id=known_id,
        )
    failure = _find_previous_failure(before, request)
    if progress.last_error:
        coded = CODED_ERROR.fullmatch(progress.last_error)
        failure = Failure(
            code=coded["code"] if coded else "Unexpected",
            message=shortened(coded["reason"] if coded else progress.last_error),
            fix=progress.last_fix,
            retryable=True,
            step=progress.step,
        )
    return WorkflowStatus(
        operation=operation,
        generation=request.generation,
        attempt=request.attempt,
        sub_state=progress.sub_state,
        invocation_id=progress.invocation_id or known_id,
        step=progress.step,
        step_number=progress.step_number,
        total_steps=progress.total_steps,
        step_attempt=progress.attempt if progress.step else None,
        next_retry_time=progress.next_retry.replace(microsecond=0) if progress.next_retry else None,
        last_failure=failure,
    )


def _find_previous_failure(before: WorkflowStatus | None, request: Request) -> Failure | None:
    """Find why the previous attempt at the same work failed, which is news until this one ends otherwise.

    A failure of this very attempt is over as soon as its workflow no longer backs off.
    """
    if before is None or before.sub_state not in ("Failed", "Pending", "Running"):
        return None
    work = (before.generation, find_operation(before.operation))
    return before.last_failure if work == (request.generation, request.operation) else None


def build_unobserved_workflow(tenant: Tenant, request: Request, *, maybe_accepted: bool) -> WorkflowStatus:
    """Build the status of a request while the engine, which may just have accepted it, can't be asked.

    What the engine has accepted never becomes pending again, because landlord could then hold a deletion that
    is under way.
    """
    before = tenant.status.workflow
    known = build_workflow(tenant, request, None)
    if before is not None and may_be_running(before):
        work = (before.operation, before.generation, before.attempt)
        if work == (known.operation, known.generation, known.attempt):
            return before
        if before.operation == known.operation == "Delete":
            return known
    return known if maybe_accepted else known.model_copy(update={"sub_state": "Pending"})


def build_ended_workflow(tenant: Tenant, request: Request, outcome: Outcome) -> WorkflowStatus:
    """Build the status of a request that has ended; the caller adds how."""
    workflow = build_workflow(tenant, request, None)
    return workflow.model_copy(update={"invocation_id": outcome.invocation_id or workflow.invocation_id})

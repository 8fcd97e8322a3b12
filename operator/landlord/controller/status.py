"""Composes the status that a Tenant should have in each situation. Pure.

Every function returns the whole status; what a situation says nothing about is carried over from before, so
that a tenant that still runs keeps its endpoints while an update is under way.
"""

import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Literal

from landlord.api import conditions
from landlord.api.conditions import (
    ACCEPTED,
    PROVISIONED,
    READY,
    RECONCILING,
    STALLED,
    WORKFLOW_REGISTERED,
    Verdict,
)
from landlord.api.outcome import Failure, Outcome
from landlord.api.status import Phase, RegistrationStatus, TenantStatus, WorkflowStatus
from landlord.api.tenant import Tenant
from landlord.controller.facts import Facts
from landlord.engines import Progress, Registration
from landlord.workflow.request import Request

RETRY_FAILED_AFTER = 300.0
"""Seconds until a workflow that failed, but may succeed, is started again: its own retries took
`spec.workflow.timeout` already, so this only has to be rarer than those."""

CODED_ERROR = re.compile(r"(?P<code>[A-Z][A-Za-z]{1,62}): (?P<reason>.+)")
"""How a step that is tried again tells its error; see workflow/attempt.py."""

REFUSED_BY_WORKER = ("UnknownBackend", "IdentityConflict")
"""Failure codes that mean that the Tenant can't be accepted as it is."""


def provider(tenant: Tenant, facts: Facts) -> str:
    """The backend that runs the tenant: what was chosen once stays for its life."""
    asked = tenant.spec.compute.provider if tenant.spec else None
    return tenant.status.provider or asked or facts.default_provider


def lacks_backend(tenant: Tenant, facts: Facts) -> bool:
    """Whether the worker is known to have no such backend as the Tenant needs."""
    known = facts.registration.backends
    return known is not None and provider(tenant, facts) not in known


def refusal(tenant: Tenant, facts: Facts) -> tuple[str, str] | None:
    """Why the Tenant can't be accepted, as (reason, message)."""
    if tenant.spec is None:
        return "InvalidSpec", f"Correct the spec: {tenant.spec_error}"
    if facts.owner is not None:
        return "IdentityConflict", (
            f"tenantID {tenant.tenant_id} belongs to the older Tenant {facts.owner}: "
            "delete one of them, or create this one again with another tenantID"
        )
    if lacks_backend(tenant, facts):
        return "UnknownBackend", (
            f"The worker has no backend {provider(tenant, facts)}, "
            f"only {', '.join(sorted(facts.registration.backends or ())) or 'none'}: "
            "set spec.compute.provider in a new Tenant, or enable the backend with LANDLORD_BACKENDS"
        )
    return None


def refused(tenant: Tenant, facts: Facts, now: datetime, reason: str, message: str) -> TenantStatus:
    """The Tenant is not acted upon until it, or what stands in its way, changes."""
    return _compose(
        tenant,
        facts,
        now,
        phase="Failed",
        verdicts=[
            Verdict(READY, "False", reason, message),
            Verdict(ACCEPTED, "False", reason, message),
            Verdict(STALLED, "True", reason, message),
        ],
        provider_name=tenant.status.provider,
    )


def settled(tenant: Tenant, facts: Facts, now: datetime) -> TenantStatus | None:
    """Nothing new but the registration, and that only once it is steady."""
    if facts.steady is None:
        return None
    others = [
        Verdict(c.type, c.status, c.reason, c.message)
        for c in tenant.status.conditions
        if c.type != WORKFLOW_REGISTERED
    ]
    return tenant.status.model_copy(
        update={
            "conditions": conditions.merge(
                tenant.status.conditions,
                _ordered([*others, _registered(facts.steady)]),
                tenant.metadata.generation,
                now,
            )
        }
    )


def waiting(tenant: Tenant, facts: Facts, now: datetime, request: Request) -> TenantStatus:
    """Work is needed, and the engine can't take it at present."""
    error = facts.flight.error if facts.flight else None
    why = str(error) if error else facts.registration.message
    message = f"Waiting for the workflow engine: {why}"
    unknown = facts.registration.status == "Unknown"
    status: Literal["False", "Unknown"] = "False"
    reason = "RegistrationPending"
    if request.operation == "delete":
        reason = "Deleting"
    elif unknown and not ran_before(tenant):
        status, reason = "Unknown", "EngineUnreachable"
    verdicts = [
        Verdict(READY, status, reason, message),
        Verdict(PROVISIONED, "False", "InProgress", "The workflow has not been started yet"),
    ]
    if facts.registration.reason == "RegistrationRejected":
        verdicts.append(Verdict(STALLED, "True", "RegistrationRejected", message))
    else:
        verdicts.append(Verdict(RECONCILING, "True", reason, message))
    return _compose(
        tenant,
        facts,
        now,
        phase="Deleting" if request.operation == "delete" else "Pending",
        verdicts=verdicts,
        # Chosen for the Tenant's life only with the first request: the worker may not have this one.
        provider_name=request.provider if facts.flight else tenant.status.provider,
        workflow=_workflow(tenant, request, Progress("Pending")),
    )


def under_way(
    tenant: Tenant, facts: Facts, now: datetime, request: Request, progress: Progress | None
) -> TenantStatus:
    """The workflow runs, or tries again."""
    seen = _failing(progress) if progress else Progress("Running")
    phase, reason = _activity(tenant, request)
    message = _told(seen)
    state = {"BackingOff": "BackingOff", "Paused": "Paused"}.get(seen.sub_state, "InProgress")
    return _compose(
        tenant,
        facts,
        now,
        phase=phase,
        verdicts=[
            Verdict(READY, "False", reason, message),
            Verdict(PROVISIONED, "False", state, message),
            Verdict(RECONCILING, "True", reason, message),
        ],
        provider_name=request.provider,
        workflow=_workflow(tenant, request, seen),
    )


def provisioned(
    tenant: Tenant, facts: Facts, now: datetime, request: Request, outcome: Outcome
) -> TenantStatus:
    """The workflow succeeded: the only way to Ready."""
    message = "The tenant is provisioned"
    workflow = _ended(tenant, request, outcome).model_copy(update={"sub_state": "Succeeded"})
    status = _compose(
        tenant,
        facts,
        now,
        phase="Ready",
        verdicts=[
            Verdict(READY, "True", "Provisioned", message),
            Verdict(PROVISIONED, "True", "Succeeded", message),
        ],
        provider_name=request.provider,
        workflow=workflow,
    )
    return status.model_copy(
        update={"endpoints": outcome.made.endpoints, "resources": outcome.made.resources}
    )


def failed(tenant: Tenant, facts: Facts, now: datetime, request: Request, outcome: Outcome) -> TenantStatus:
    """The workflow ended without success."""
    failure = _failure(outcome)
    wait = retry_after(request, outcome)
    then = (
        "It is tried again in 5 minutes, or at once when the spec changes."
        if wait
        else "It is tried again when the spec changes."
    )
    at = f" at step {failure.step}" if failure.step else ""
    message = f"{failure.code}{at}: {failure.message.rstrip('.')}.\n{then}"
    retried = now + timedelta(seconds=wait) if wait else None
    workflow = _ended(tenant, request, outcome).model_copy(
        update={
            "sub_state": "Failed",
            "last_failure": failure,
            "next_retry_time": retried,
            "step": failure.step,
        }
    )
    refused_by_worker = failure.code in REFUSED_BY_WORKER
    reason = failure.code if refused_by_worker else "ProvisioningFailed"
    if request.operation == "delete":
        reason = "Deleting"
    verdicts = [
        Verdict(READY, "False", reason, message),
        Verdict(PROVISIONED, "False", "Failed", message),
        Verdict(STALLED, "True", reason, message),
    ]
    if refused_by_worker:
        verdicts.append(Verdict(ACCEPTED, "False", failure.code, message))
    return _compose(
        tenant,
        facts,
        now,
        phase="Deleting" if request.operation == "delete" else "Failed",
        verdicts=verdicts,
        provider_name=request.provider,
        workflow=workflow,
    )


def retry_after(request: Request, outcome: Outcome) -> float | None:
    """Seconds until a failed workflow is started again; None if only a change can help.

    A deletion is always tried again: nobody can change the spec of what they have given up.
    """
    failure = _failure(outcome)
    hopeful = failure.retryable or failure.code in REFUSED_BY_WORKER or request.operation == "delete"
    return RETRY_FAILED_AFTER if hopeful else None


def ran_before(tenant: Tenant) -> bool:
    """Whether an earlier generation was provisioned."""
    return bool(tenant.status.resources)


def _failure(outcome: Outcome) -> Failure:
    if outcome.failure is not None:
        return outcome.failure
    return Failure(
        code=outcome.result,
        message="The workflow has already seen a newer generation of this Tenant, or its deletion",
        retryable=True,
    )


def _activity(tenant: Tenant, request: Request) -> tuple[Phase, str]:
    if request.operation == "delete":
        return "Deleting", "Deleting"
    return ("Updating", "Updating") if ran_before(tenant) else ("Provisioning", "Provisioning")


def _failing(progress: Progress) -> Progress:
    """A step that is just being tried again counts as backing off, or the status would flap with each try."""
    failing = progress.sub_state == "Running" and progress.attempt > 1 and progress.last_error
    return replace(progress, sub_state="BackingOff", next_retry=None) if failing else progress


def _told(progress: Progress) -> str:
    where = (
        f"step {progress.step_number} of {progress.total_steps} ({progress.step})" if progress.step else ""
    )
    match progress.sub_state:
        case "Pending":
            return "The workflow waits for an earlier one on the same tenant to end"
        case "Running":
            return f"The workflow runs {where}".strip() if where else "The workflow runs"
        case "BackingOff":
            return f"Trying again {where}: {progress.last_error or 'no error is known'}"
        case "Paused":
            return (
                f"The workflow engine paused the workflow {where}: "
                f"{progress.last_error or 'no error is known'}; "
                "resume or kill the invocation, or change the spec"
            )


def _workflow(tenant: Tenant, request: Request, progress: Progress | None) -> WorkflowStatus:
    before = tenant.status.workflow
    same = (
        before is not None and before.generation == request.generation and before.attempt == request.attempt
    )
    known_id = before.invocation_id if before is not None and same else None
    operation: Literal["Create", "Update", "Delete"] = "Update" if ran_before(tenant) else "Create"
    if request.operation == "delete":
        operation = "Delete"
    elif before is not None and same and before.operation != "Delete":
        operation = before.operation
    if progress is None:
        return WorkflowStatus(
            operation=operation,
            generation=request.generation,
            attempt=request.attempt,
            sub_state="Running",
            invocation_id=known_id,
        )
    failure = None
    if progress.last_error:
        coded = CODED_ERROR.fullmatch(progress.last_error)
        failure = Failure(
            code=coded["code"] if coded else "Unexpected",
            message=conditions.shortened(coded["reason"] if coded else progress.last_error),
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


def _ended(tenant: Tenant, request: Request, outcome: Outcome) -> WorkflowStatus:
    workflow = _workflow(tenant, request, None)
    return workflow.model_copy(update={"invocation_id": outcome.invocation_id or workflow.invocation_id})


def _registered(registration: Registration) -> Verdict:
    return Verdict(WORKFLOW_REGISTERED, registration.status, registration.reason, registration.message)


def _ordered(verdicts: list[Verdict]) -> list[Verdict]:
    order = (READY, ACCEPTED, WORKFLOW_REGISTERED, PROVISIONED, RECONCILING, STALLED)
    return sorted(verdicts, key=lambda verdict: order.index(verdict.type))


def _compose(
    tenant: Tenant,
    facts: Facts,
    now: datetime,
    *,
    phase: Phase,
    verdicts: list[Verdict],
    provider_name: str | None,
    workflow: WorkflowStatus | None = None,
) -> TenantStatus:
    if not any(verdict.type == ACCEPTED for verdict in verdicts):
        verdicts = [*verdicts, Verdict(ACCEPTED, "True", "Accepted", "The spec is accepted")]
    verdicts = _ordered([*verdicts, _registered(facts.registration)])
    registration = tenant.status.registration
    if facts.registration.deployment_id and facts.registration.revision:
        registration = RegistrationStatus(
            deployment_id=facts.registration.deployment_id, revision=facts.registration.revision
        )
    return TenantStatus(
        observed_generation=tenant.metadata.generation,
        phase=phase,
        tenant_id=tenant.tenant_id,
        provider=provider_name,
        registration=registration,
        workflow=workflow or tenant.status.workflow,
        endpoints=tenant.status.endpoints,
        resources=tenant.status.resources,
        conditions=conditions.merge(
            tenant.status.conditions, verdicts, tenant.metadata.generation, now.replace(microsecond=0)
        ),
    )

"""Composes the status that a Tenant should have in each situation. Pure.

Every function returns the whole status; what a situation says nothing about is carried over from before, so
that a tenant that still runs keeps its endpoints while an update is under way.
"""

from datetime import datetime, timedelta
from typing import Literal

from landlord.api import conditions
from landlord.api.conditions import (
    ACCEPTED,
    COMPUTE_HEALTHY,
    PROVISIONED,
    READY,
    RECONCILING,
    STALLED,
    WORKFLOW_REGISTERED,
    Verdict,
)
from landlord.api.outcome import Outcome
from landlord.api.request import Request
from landlord.api.status import (
    Phase,
    RegistrationStatus,
    TenantStatus,
    WorkflowOperation,
    WorkflowStatus,
)
from landlord.api.tenant import Tenant
from landlord.controller.decide import health, lifecycle
from landlord.controller.decide.comparison import healthy
from landlord.controller.decide.facts import Facts
from landlord.controller.decide.retry import REFUSED_BY_WORKER, failure_of, retry_after
from landlord.controller.decide.workflow_status import (
    ended,
    ran_before,
    steadied,
    taken,
    told,
    unheard_of,
    workflow_status,
)
from landlord.engines.contract import Progress, Registration
from landlord.errors import EngineUnreachable

ACTIVITIES: dict[WorkflowOperation, Phase] = {
    "Create": "Provisioning",
    "Update": "Updating",
    "Repair": "Repairing",
    "Suspend": "Suspending",
    "Resume": "Resuming",
    "Archive": "Archiving",
    "Restore": "Restoring",
    "Delete": "Deleting",
}
"""What a Tenant is said to be doing while a workflow runs: its phase, and the reason of Ready."""


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
    registration = facts.for_settled
    if registration is None:
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
                [*others, registered(registration)],
                tenant.metadata.generation,
                now,
            )
        }
    )


def waiting(tenant: Tenant, facts: Facts, now: datetime, request: Request) -> TenantStatus:
    """Work is needed, and the engine can't take it at present."""
    flight = facts.flight if facts.flight and facts.flight.is_for(request) else None
    error = flight.error if flight else None
    workflow = unheard_of(tenant, request, maybe_taken=flight is not None and flight.taken)
    why = str(error) if error else facts.registration.message
    message = f"Waiting for the workflow engine: {why}"
    # The admin API may answer, and so show the registration, while the ingress does not.
    unknown = facts.registration.status == "Unknown" or isinstance(error, EngineUnreachable)
    status: Literal["False", "Unknown"] = "False"
    reason = "RegistrationPending"
    if request.operation == "delete":
        reason = "Deleting"
    elif unknown and not ran_before(tenant):
        status, reason = "Unknown", "EngineUnreachable"
    verdicts = [
        Verdict(READY, status, reason, message),
        Verdict(
            PROVISIONED,
            "False",
            "InProgress",
            "The workflow was started, and how it goes on can't be seen now"
            if taken(workflow)
            else "The workflow has not been started yet",
        ),
    ]
    if facts.registration.hopeless:
        verdicts.append(Verdict(STALLED, "True", facts.registration.reason, message))
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
        workflow=workflow,
    )


def under_way(
    tenant: Tenant, facts: Facts, now: datetime, request: Request, progress: Progress | None
) -> TenantStatus:
    """The workflow runs, or tries again."""
    seen = steadied(progress) if progress else Progress("Running")
    workflow = workflow_status(tenant, request, seen)
    activity = ACTIVITIES[workflow.operation]
    message = told(seen)
    if workflow.operation == "Repair" and tenant.status.drift:
        message = f"{message}\nFound: {health.in_words(tenant.status.drift)}"
    state = {"BackingOff": "BackingOff", "Paused": "Paused"}.get(seen.sub_state, "InProgress")
    return _compose(
        tenant,
        facts,
        now,
        phase=activity,
        verdicts=[
            Verdict(READY, "False", activity, message),
            Verdict(PROVISIONED, "False", state, message),
            Verdict(RECONCILING, "True", activity, message),
        ],
        provider_name=request.provider,
        workflow=workflow,
    )


def succeeded(
    tenant: Tenant, facts: Facts, now: datetime, request: Request, outcome: Outcome
) -> TenantStatus:
    """The workflow succeeded: the only way to Ready."""
    state = next(s for s, operation in lifecycle.OPERATIONS.items() if operation == request.operation)
    message = lifecycle.told(tenant, state, now)
    workflow = ended(tenant, request, outcome).model_copy(update={"sub_state": "Succeeded"})
    found = health.in_words(tenant.status.drift)
    repaired = f"Repaired: {found}" if found and workflow.operation == "Repair" else message
    status = _compose(
        tenant,
        facts,
        now,
        phase="Ready" if state == "Active" else state,
        verdicts=[
            Verdict(READY, "True", "Provisioned" if state == "Active" else state, message),
            Verdict(PROVISIONED, "True", "Succeeded", repaired),
            healthy(state),
        ],
        provider_name=request.provider,
        workflow=workflow,
    )
    made: dict[str, object] = {"state": state, "endpoints": outcome.made.endpoints, "drift": None}
    if state != "Suspended":  # which leaves all that there was
        made["resources"] = outcome.made.resources
    if state == "Active":
        made["spec_hash"] = outcome.spec_hash
    return status.model_copy(update=made)


def failed(tenant: Tenant, facts: Facts, now: datetime, request: Request, outcome: Outcome) -> TenantStatus:
    """The workflow ended without success."""
    failure = failure_of(outcome)
    wait = retry_after(request, outcome)
    then = (
        f"It is tried again in {_in_words(wait)}, or at once when the spec changes."
        if wait
        else "It is tried again when the spec changes."
    )
    if request.operation == "delete":
        then += " If its backend is gone for good, set spec.deletion.force to true."
    at = f" at step {failure.step}" if failure.step else ""
    message = f"{failure.code}{at}: {failure.message.rstrip('.')}.\n{then}"
    retried = now + timedelta(seconds=wait) if wait else None
    workflow = ended(tenant, request, outcome).model_copy(
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


def _in_words(seconds: float) -> str:
    return f"{seconds / 60:g} minutes" if seconds >= 60 else f"{seconds:g} seconds"


def registered(registration: Registration) -> Verdict:
    """What the condition about the registration says."""
    return Verdict(WORKFLOW_REGISTERED, registration.status, registration.reason, registration.message)


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
    verdicts = [*verdicts, registered(facts.registration)]
    seen = conditions.find(tenant.status.conditions, COMPUTE_HEALTHY)
    if seen and not any(verdict.type == COMPUTE_HEALTHY for verdict in verdicts):
        verdicts.append(Verdict(seen.type, seen.status, seen.reason, seen.message))
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
        state=tenant.status.state,
        spec_hash=tenant.status.spec_hash,
        expires_at=lifecycle.expires_at(tenant),
        registration=registration,
        workflow=workflow or tenant.status.workflow,
        endpoints=tenant.status.endpoints,
        resources=tenant.status.resources,
        drift=tenant.status.drift,
        conditions=conditions.merge(tenant.status.conditions, verdicts, tenant.metadata.generation, now),
    )

"""Builds a whole status from the verdicts of one situation.

It keeps everything else, so that a tenant that still runs keeps its endpoints while an update is under way.
"""

from landlord.api import conditions
from landlord.api.conditions import ACCEPTED, COMPUTE_HEALTHY, WORKFLOW_REGISTERED, Verdict
from landlord.api.status import Phase, RegistrationStatus, TenantStatus, WorkflowOperation, WorkflowStatus
from landlord.controller.decide.facts import Case
from landlord.controller.decide.lifecycle import find_expiry
from landlord.engines.contract import Registration

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
"""What a Tenant reports while a workflow is running: its phase, and the reason of Ready."""

FIX = "Fix: "
"""Begins the line of a message that says what to do about a failure."""


def build_status(
    case: Case,
    *,
    phase: Phase,
    verdicts: list[Verdict],
    provider: str | None,
    workflow: WorkflowStatus | None = None,
) -> TenantStatus:
    """Build the whole status of a Tenant that landlord works on, or refuses."""
    before, generation = case.tenant.status, case.tenant.metadata.generation
    if not any(verdict.type == ACCEPTED for verdict in verdicts):
        verdicts = [*verdicts, Verdict(ACCEPTED, "True", "Accepted", "The spec is accepted")]
    verdicts = [*verdicts, judge_registration(case.facts.registration)]
    health = conditions.find(before.conditions, COMPUTE_HEALTHY)
    if health and not any(verdict.type == COMPUTE_HEALTHY for verdict in verdicts):
        kept = Verdict(health.type, health.status, health.reason, health.message)
        verdicts.append(_judge_deleted() if _is_being_deleted(workflow or before.workflow) else kept)
    return TenantStatus(
        observed_generation=generation,
        phase=phase,
        tenant_id=case.tenant.tenant_id,
        provider=provider,
        state=before.state,
        spec_hash=before.spec_hash,
        expires_at=find_expiry(case.tenant),
        registration=_build_registration(case),
        workflow=workflow or before.workflow,
        last_handled_retry_at=before.last_handled_retry_at,
        endpoints=before.endpoints,
        resources=before.resources,
        drift=before.drift,
        conditions=conditions.merge(before.conditions, verdicts, generation, case.now),
    )


def _judge_deleted() -> Verdict:
    """Judge ComputeHealthy of a tenant of which objects are missing on purpose."""
    message = "landlord is deleting the tenant and no longer surveys it"
    return Verdict(COMPUTE_HEALTHY, "Unknown", "Deleting", message)


def _is_being_deleted(workflow: WorkflowStatus | None) -> bool:
    """Whether objects of the tenant may have been deleted already."""
    return workflow is not None and workflow.operation == "Delete" and workflow.sub_state != "Pending"


def judge_registration(registration: Registration) -> Verdict:
    """Judge WorkflowRegistered."""
    return Verdict(WORKFLOW_REGISTERED, registration.status, registration.reason, registration.message)


def _build_registration(case: Case) -> RegistrationStatus | None:
    registration = case.facts.registration
    if registration.deployment_id and registration.revision:
        return RegistrationStatus(deployment_id=registration.deployment_id, revision=registration.revision)
    return case.tenant.status.registration

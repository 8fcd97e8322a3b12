"""What landlord reports about a tenant: `status`, and the metav1.Condition in it."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from landlord.api.base import Model
from landlord.api.lifecycle import State
from landlord.api.outcome import Endpoint, Failure, ResourceRef
from landlord.api.schema import map_list

Phase = Literal[
    "Pending",
    "Provisioning",
    "Ready",
    "Degraded",
    "Updating",
    "Repairing",
    "Suspending",
    "Suspended",
    "Resuming",
    "Archiving",
    "Archived",
    "Restoring",
    "Paused",
    "DeletionHeld",
    "Deleting",
    "Failed",
]
WorkflowOperation = Literal["Create", "Update", "Repair", "Suspend", "Resume", "Archive", "Restore", "Delete"]
SubState = Literal["Pending", "Running", "BackingOff", "Paused", "Succeeded", "Failed"]
Short = Annotated[str, StringConstraints(max_length=253)]
Count = Annotated[int, Field(ge=0, json_schema_extra={"format": "int32"})]
Generation = Annotated[int, Field(ge=0, json_schema_extra={"format": "int64"})]


class Condition(Model):
    """One aspect of the tenant's current state, as in metav1.Condition."""

    type: Annotated[str, StringConstraints(max_length=316)]
    """Type of the condition in CamelCase."""
    status: Literal["True", "False", "Unknown"]
    """Status of the condition, one of True, False, Unknown."""
    reason: Annotated[str, StringConstraints(min_length=1, max_length=128)]
    """Reason for the condition's status in CamelCase, for programs."""
    message: Annotated[str, StringConstraints(min_length=1, max_length=4096)]
    """Human-readable details, and what to do about them."""
    last_transition_time: datetime
    """Last time the status of the condition changed."""
    observed_generation: Generation
    """metadata.generation that the condition was set for."""


class RegistrationStatus(Model):
    """Registration of the workflow that the tenant's last workflow ran with."""

    deployment_id: Short = Field(alias="deploymentID")
    """ID of the worker's deployment in Restate."""
    revision: Short
    """Revision of the worker."""


class WorkflowStatus(Model):
    """The most recent workflow of this tenant."""

    operation: WorkflowOperation
    """Operation that the workflow carries out."""
    generation: Generation
    """metadata.generation that the workflow applies."""
    attempt: Count
    """Number of this attempt at the generation, from 1. Each attempt is an invocation of its own."""
    sub_state: SubState
    """State of the workflow."""
    invocation_id: Short | None = None
    """ID of the invocation in Restate, for its UI and CLI."""
    step: Short | None = None
    """Name of the current or failing step."""
    step_number: Count | None = None
    """Number of the step, from 1."""
    total_steps: Count | None = None
    """Number of steps in total."""
    step_attempt: Count | None = None
    """Number of tries so far, of this step and of the steps before it."""
    next_retry_time: datetime | None = None
    """Time at which the failing step, or the failed workflow, is retried."""
    last_failure: Failure | None = None
    """The most recent error."""


class Drift(Model):
    """How the tenant's objects on the backend differ from what landlord applied."""

    first_detected_at: datetime
    """Time at which the difference was first observed."""
    items: Annotated[tuple[Annotated[str, StringConstraints(max_length=512)], ...], Field(max_length=32)]
    """List of deleted or changed objects and fields. Long entries are shortened."""


class TenantStatus(Model):
    """Most recently observed status of the tenant."""

    observed_generation: Generation | None = None
    """metadata.generation that the status was computed for."""
    phase: Phase | None = None
    """Summary for people. Programs should read the conditions instead."""
    tenant_id: Annotated[str, StringConstraints(max_length=40)] | None = None
    """Identity of the tenant on the backend."""
    provider: Annotated[str, StringConstraints(max_length=63)] | None = None
    """Name of the backend that runs the tenant. Chosen once for the lifetime of the Tenant."""
    state: State | None = None
    """State that the last successful workflow brought the tenant into."""
    spec_hash: Short | None = None
    """Hash of the desired state that was last applied. The backend's survey reports the same hash."""
    expires_at: datetime | None = None
    """Time at which `spec.lifetime` ends or ended."""
    registration: RegistrationStatus | None = None
    """Registration of the workflow that the tenant's last workflow ran with."""
    workflow: WorkflowStatus | None = None
    """The most recent workflow of this tenant."""
    last_handled_retry_at: Short | None = None
    """Last value of the annotation `landlord.dev/retry-requested-at` that landlord has handled: it started
    the work again for it, or found nothing left to do."""
    endpoints: Annotated[tuple[Endpoint, ...], Field(max_length=256, json_schema_extra=map_list("name"))] = ()
    """URLs at which the tenant can be reached."""
    resources: Annotated[tuple[ResourceRef, ...], Field(max_length=256)] = ()
    """The tenant's objects on the backend."""
    drift: Drift | None = None
    """How the tenant's objects on the backend differ from what landlord applied. Absent if they do not."""
    conditions: Annotated[
        tuple[Condition, ...], Field(max_length=16, json_schema_extra=map_list("type"))
    ] = ()
    """Conditions of the tenant: Ready, Accepted, WorkflowRegistered, Provisioned and ComputeHealthy; also
    Paused, DeletionHeld, RetryRejected, Reconciling and Stalled, each only while it is True."""

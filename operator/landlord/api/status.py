"""What landlord says about a tenant: `status`, and the metav1.Condition in it."""

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
    """One aspect of the tenant, as metav1.Condition."""

    type: Annotated[str, StringConstraints(max_length=316)]
    """What the condition is about."""
    status: Literal["True", "False", "Unknown"]
    """Whether it is so."""
    reason: Annotated[str, StringConstraints(min_length=1, max_length=128)]
    """Why, for machines, in CamelCase."""
    message: Annotated[str, StringConstraints(min_length=1, max_length=4096)]
    """Why, for people, and what to do about it."""
    last_transition_time: datetime
    """When the status last changed."""
    observed_generation: Generation
    """metadata.generation that the condition speaks of."""


class RegistrationStatus(Model):
    """The workflow's registration that last served this tenant."""

    deployment_id: Short = Field(alias="deploymentID")
    """Restate's id of the worker deployment."""
    revision: Short
    """Revision that the worker published."""


class WorkflowStatus(Model):
    """The workflow that last ran, or runs, for this tenant."""

    operation: WorkflowOperation
    """What it does."""
    generation: Generation
    """metadata.generation that it makes true."""
    attempt: Count
    """Which invocation for this generation it is, from 1."""
    sub_state: SubState
    """How it stands."""
    invocation_id: Short | None = None
    """Restate's id of the invocation, for its UI and CLI."""
    step: Short | None = None
    """Step under way, or the one that fails."""
    step_number: Count | None = None
    """Its place among the steps, from 1."""
    total_steps: Count | None = None
    """How many steps there are."""
    step_attempt: Count | None = None
    """Tries so far, of that step and of those before it."""
    next_retry_time: datetime | None = None
    """When a failing step is tried again, or a failed workflow started again."""
    last_failure: Failure | None = None
    """The last error."""


class Drift(Model):
    """How what runs differs from what was made."""

    first_detected_at: datetime
    """When that was seen first."""
    items: Annotated[tuple[Annotated[str, StringConstraints(max_length=512)], ...], Field(max_length=32)]
    """What somebody has removed or changed; long ones are shortened."""


class TenantStatus(Model):
    """What is so, as landlord has seen it."""

    observed_generation: Generation | None = None
    """metadata.generation that the whole status speaks of."""
    phase: Phase | None = None
    """Summary for people. Automation reads the conditions."""
    tenant_id: Annotated[str, StringConstraints(max_length=40)] | None = None
    """The tenant's identity on the backend."""
    provider: Annotated[str, StringConstraints(max_length=63)] | None = None
    """Backend that runs the tenant, chosen once for its life."""
    state: State | None = None
    """State that the last workflow that succeeded has brought the tenant into."""
    spec_hash: Short | None = None
    """Hash of what was last made to run; the backend's survey shows the same."""
    expires_at: datetime | None = None
    """When `spec.lifetime` ends, or ended."""
    registration: RegistrationStatus | None = None
    """The workflow's registration that last served this tenant."""
    workflow: WorkflowStatus | None = None
    """The workflow that last ran, or runs."""
    endpoints: Annotated[tuple[Endpoint, ...], Field(max_length=256, json_schema_extra=map_list("name"))] = ()
    """Where the tenant can be reached."""
    resources: Annotated[tuple[ResourceRef, ...], Field(max_length=256)] = ()
    """What exists for the tenant on the backend."""
    drift: Drift | None = None
    """How what runs differs from what was made, while it does."""
    conditions: Annotated[
        tuple[Condition, ...], Field(max_length=16, json_schema_extra=map_list("type"))
    ] = ()
    """Ready, Accepted, WorkflowRegistered, Provisioned and ComputeHealthy; Paused, DeletionHeld, Reconciling
    and Stalled while so."""

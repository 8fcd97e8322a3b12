"""Decides whether the deprovisioning of a deleted Tenant has to wait.

The object alone decides, so that a restart of the operator forgets nothing. landlord finishes what it has
begun, because half a tenant is of no use to anybody.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from landlord.api.outcome import ResourceRef
from landlord.api.tenant import Tenant
from landlord.controller.decide.breaker import RELEASE, Deletions
from landlord.controller.decide.facts import Flight
from landlord.controller.decide.last_work import may_be_running

KEEP = "to keep the tenant, set spec.deletion.policy to Retain, and create the Tenant again"
"""A deletion can't be undone, but need not remove anything."""


Departure = Literal["Deprovisioned", "NothingMade", "Archived", "Retained", "LeftBehind"]
"""What became of a tenant's objects when landlord released its Tenant."""


@dataclass(frozen=True)
class Hold:
    """Why nothing is removed yet."""

    reason: Literal["Protected", "MassDeletionHold", "GracePeriod"]
    message: str
    """Why, and what a person can do about it."""
    until: datetime | None = None
    """When it ends by itself."""


def is_retained(tenant: Tenant) -> bool:
    """Whether landlord releases the Tenant and keeps everything that it created for it."""
    return tenant.deletion.policy == "Retain" and not tenant.deletion.protected


def is_given_up(tenant: Tenant) -> bool:
    """Whether landlord releases the Tenant because deprovisioning failed and must not be retried."""
    workflow = tenant.status.workflow
    failed = workflow is not None and (workflow.operation, workflow.sub_state) == ("Delete", "Failed")
    return failed and tenant.deletion.force


def describe_left_behind(tenant: Tenant) -> str:
    """Describe which of the tenant's objects exist, as far as is known, and where."""
    return describe_resources(tenant, tenant.status.resources, "whatever landlord created so far")


def describe_resources(tenant: Tenant, resources: Sequence[ResourceRef], nothing: str) -> str:
    """List resources of the tenant, and where they are."""
    listed = ", ".join(f"{resource.kind} {resource.name}" for resource in resources)
    where = f" on {tenant.status.provider}" if tenant.status.provider else ""
    return f"{listed or nothing}{where} (tenantID {tenant.tenant_id})"


def find_hold(tenant: Tenant, deletions: Deletions | None, now: datetime) -> Hold | None:
    """Find out what keeps landlord from deprovisioning a deleted Tenant now."""
    deletion, deleted_at = tenant.deletion, tenant.metadata.deletion_timestamp
    if deletion.protected:
        return Hold(
            "Protected",
            "The Tenant was deleted, but is protected, so the tenant keeps running. To let the deletion "
            f"proceed, set spec.deletion.protected to false; before that, {KEEP}",
        )
    if deleted_at is None:
        return None
    if deletions and (why := deletions.explain_hold(deleted_at)):
        return Hold(
            "MassDeletionHold",
            f"landlord holds the deletion, and the tenant keeps running, because {why}. "
            f"If all deletions up to now are intended, run `{RELEASE}`; {KEEP}",
        )
    until = deleted_at + deletion.grace
    if now < until:
        return Hold(
            "GracePeriod",
            f"The Tenant was deleted, and landlord deprovisions it at {until:%Y-%m-%dT%H:%M:%SZ}. "
            f"To deprovision it sooner, shorten spec.deletion.gracePeriod; {KEEP}",
            until,
        )
    return None


def is_deprovisioning(tenant: Tenant, flight: Flight | None) -> bool:
    """Whether deprovisioning has begun, and has not ended without success."""
    request = flight.request if flight else None
    if flight and request and (request.uid, request.operation) == (tenant.metadata.uid, "delete"):
        succeeded = flight.outcome is not None and flight.outcome.result == "Succeeded"
        if succeeded or flight.may_be_running or request.generation == tenant.metadata.generation:
            return True
    workflow = tenant.status.workflow
    return workflow is not None and workflow.operation == "Delete" and may_be_running(workflow)

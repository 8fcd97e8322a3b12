"""Decides whether the deprovisioning of a deleted Tenant has to wait. Pure.

It is decided from the object alone, so that a restart of the operator forgets nothing. What has begun goes
on: half a tenant is no use to anybody.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from landlord.api.outcome import ResourceRef
from landlord.api.tenant import Tenant
from landlord.controller.decide.breaker import RELEASE, Deletions
from landlord.controller.decide.facts import Flight
from landlord.controller.decide.workflow_status import taken

KEEP = "to keep what runs, set spec.deletion.policy to Retain, and create the Tenant again"
"""A deletion can't be taken back, but need not remove anything."""


Departure = Literal["Deprovisioned", "NothingMade", "Archived", "Retained", "LeftBehind"]
"""What has become of what was made for a Tenant that is let go."""


@dataclass(frozen=True)
class Hold:
    """Why nothing is removed yet."""

    reason: Literal["Protected", "MassDeletionHold", "GracePeriod"]
    message: str
    """What a person can do about it."""
    until: datetime | None = None
    """When it ends by itself."""


def retains(tenant: Tenant) -> bool:
    """Whether the Tenant is let go, and what was made for it stays."""
    return tenant.deletion.policy == "Retain" and not tenant.deletion.protected


def gives_up(tenant: Tenant) -> bool:
    """Whether the Tenant is let go because deprovisioning has failed, and nobody wants it tried again."""
    workflow = tenant.status.workflow
    failed = workflow is not None and (workflow.operation, workflow.sub_state) == ("Delete", "Failed")
    return failed and tenant.deletion.force


def left_behind(tenant: Tenant) -> str:
    """What there is of the tenant, as far as is known, and where."""
    return listed(tenant, tenant.status.resources, "whatever was made so far")


def listed(tenant: Tenant, resources: Sequence[ResourceRef], nothing: str) -> str:
    """Resources of the tenant, and where they are."""
    made = ", ".join(f"{resource.kind} {resource.name}" for resource in resources)
    where = f" on {tenant.status.provider}" if tenant.status.provider else ""
    return f"{made or nothing}{where} (tenantID {tenant.tenant_id})"


def hold(tenant: Tenant, deletions: Deletions | None, now: datetime) -> Hold | None:
    """What keeps a deleted Tenant from being deprovisioned now."""
    deletion = tenant.deletion
    if deletion.protected:
        return Hold(
            "Protected",
            "The Tenant was deleted, but is protected, and runs on. To carry the deletion out, set "
            f"spec.deletion.protected to false; before that, {KEEP}",
        )
    asked = tenant.metadata.deletion_timestamp
    if asked is None:
        return None
    if deletions and (why := deletions.held_because(asked)):
        return Hold(
            "MassDeletionHold",
            f"The Tenant was deleted, and runs on: {why}. If all deletions up to now are meant, run "
            f"`{RELEASE}`; {KEEP}",
        )
    if now < asked + deletion.grace:
        until = asked + deletion.grace
        return Hold(
            "GracePeriod",
            f"The Tenant was deleted, and runs on until {until:%Y-%m-%dT%H:%M:%SZ}; then what was made for "
            f"it is removed. To have that sooner, shorten spec.deletion.gracePeriod; {KEEP}",
            until,
        )
    return None


def under_way(tenant: Tenant, flight: Flight | None) -> bool:
    """Whether deprovisioning has begun, and has not ended without success."""
    asked = flight.request if flight else None
    if flight and asked and (asked.uid, asked.operation) == (tenant.metadata.uid, "delete"):
        done = flight.outcome is not None and flight.outcome.result == "Succeeded"
        if done or flight.taken or asked.generation == tenant.metadata.generation:
            return True
    workflow = tenant.status.workflow
    return workflow is not None and workflow.operation == "Delete" and taken(workflow)

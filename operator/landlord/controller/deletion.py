"""Decides whether the deprovisioning of a deleted Tenant has to wait. Pure.

It is decided from the object alone, so that a restart of the operator forgets nothing. What has begun goes
on: half a tenant is no use to anybody.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from landlord.api.deletion import Deletion
from landlord.api.tenant import Tenant
from landlord.controller.facts import Flight


@dataclass(frozen=True)
class Hold:
    """Why nothing is removed yet."""

    reason: Literal["Protected"]
    message: str
    """What a person can do about it."""
    until: datetime | None = None
    """When it ends by itself."""


def terms(tenant: Tenant) -> Deletion:
    """What the Tenant says of its deletion; the defaults if its spec can't be read."""
    return tenant.spec.deletion if tenant.spec else Deletion()


def hold(tenant: Tenant) -> Hold | None:
    """What keeps a deleted Tenant from being deprovisioned now."""
    deletion = terms(tenant)
    if deletion.protected:
        return Hold(
            "Protected",
            "The Tenant was deleted, but is protected, and runs on. A deletion can't be taken back; "
            "to carry it out, set spec.deletion.protected to false",
        )
    return None


def under_way(tenant: Tenant, flight: Flight | None) -> bool:
    """Whether deprovisioning has begun, and has not ended without success."""
    if flight is not None and flight.request.operation == "delete":
        return not flight.ended or flight.request.generation == tenant.metadata.generation
    workflow = tenant.status.workflow
    return (
        workflow is not None
        and workflow.operation == "Delete"
        and workflow.sub_state in ("Running", "BackingOff", "Paused")
    )

"""Decides which state a Tenant is to be in now: the object and the time decide, so a restart forgets nothing.

The spec's own state holds until the Tenant expires; then the one of the two that keeps less running does.
"""

from datetime import datetime

from landlord.api.lifecycle import State
from landlord.api.request import Operation
from landlord.api.tenant import Tenant

OPERATIONS: dict[State, Operation] = {"Active": "apply", "Suspended": "suspend", "Archived": "archive"}
_ORDER: tuple[State, ...] = ("Active", "Suspended", "Archived")
_ON_EXPIRY: dict[str, State] = {"Suspend": "Suspended", "Archive": "Archived"}


def find_expiry(tenant: Tenant) -> datetime | None:
    """Find out when the Tenant expires, or expired."""
    lifetime = tenant.spec.lifetime if tenant.spec else None
    return tenant.metadata.creation_timestamp + lifetime.duration if lifetime else None


def has_expired(tenant: Tenant, now: datetime) -> bool:
    """Whether the Tenant's lifetime is over."""
    expiry = find_expiry(tenant)
    return expiry is not None and expiry <= now


def is_due_for_deletion(tenant: Tenant, now: datetime) -> bool:
    """Whether landlord is to delete the Tenant because it expired."""
    lifetime = tenant.spec.lifetime if tenant.spec else None
    return lifetime is not None and lifetime.on_expiry == "Delete" and has_expired(tenant, now)


def choose_state(tenant: Tenant, now: datetime) -> State:
    """Choose the state that the tenant is to be in."""
    if tenant.spec is None:
        return "Active"
    state, lifetime = tenant.spec.desired_state, tenant.spec.lifetime
    if lifetime is not None and has_expired(tenant, now):
        state = max(state, _ON_EXPIRY.get(lifetime.on_expiry, state), key=_ORDER.index)
    # An archived tenant no longer has what a suspended one keeps, and only an active one creates it again.
    return "Archived" if (find_reached_state(tenant), state) == ("Archived", "Suspended") else state


def find_reached_state(tenant: Tenant) -> State:
    """Find the state that the last successful workflow brought the tenant into."""
    return tenant.status.state or "Active"


def describe_state(tenant: Tenant, state: State, now: datetime) -> str:
    """Describe the state that the tenant is in, why, and how to bring the tenant back."""
    if state == "Active":
        return "The tenant is provisioned"
    why, advice = _explain_state(tenant, state, now)
    what = {
        "Suspended": f"The tenant is suspended{why}: nothing of it runs, and landlord keeps all of it",
        "Archived": f"The tenant is archived{why}: landlord keeps only what holds its data",
    }[state]
    return f"{what}. To bring it back, {advice}" if tenant.spec else what


def _explain_state(tenant: Tenant, state: State, now: datetime) -> tuple[str, str]:
    desired, expiry = tenant.spec.desired_state if tenant.spec else None, find_expiry(tenant)
    if expiry and expiry <= now and desired != state:
        why = f" because it expired at {expiry:%Y-%m-%dT%H:%M:%SZ}"
        return why, "raise spec.lifetime.expireAfter, or remove spec.lifetime"
    advice = "set spec.desiredState to Active"
    if (state, desired) == ("Archived", "Suspended"):
        return " and can't be suspended", advice
    return "", advice

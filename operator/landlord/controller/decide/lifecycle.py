"""Which state a Tenant is wanted in now. Pure: the object and the time decide, so a restart forgets nothing.

The spec's own state holds until the Tenant expires; then the one that keeps less running does.
"""

from datetime import datetime

from landlord.api.lifecycle import State
from landlord.api.request import Operation
from landlord.api.tenant import Tenant

OPERATIONS: dict[State, Operation] = {"Active": "apply", "Suspended": "suspend", "Archived": "archive"}
_ORDER: tuple[State, ...] = ("Active", "Suspended", "Archived")
_ON_EXPIRY: dict[str, State] = {"Suspend": "Suspended", "Archive": "Archived"}


def expires_at(tenant: Tenant) -> datetime | None:
    """When the Tenant expires, or did."""
    lifetime = tenant.spec.lifetime if tenant.spec else None
    return tenant.metadata.creation_timestamp + lifetime.duration if lifetime else None


def has_expired(tenant: Tenant, now: datetime) -> bool:
    """Whether its time is over."""
    expiry = expires_at(tenant)
    return expiry is not None and expiry <= now


def expires_into_deletion(tenant: Tenant, now: datetime) -> bool:
    """Whether the Tenant is to be deleted, as its time is over."""
    lifetime = tenant.spec.lifetime if tenant.spec else None
    return lifetime is not None and lifetime.on_expiry == "Delete" and has_expired(tenant, now)


def wanted(tenant: Tenant, now: datetime) -> State:
    """The state that the tenant is to be in."""
    if tenant.spec is None:
        return "Active"
    state, lifetime = tenant.spec.desired_state, tenant.spec.lifetime
    if lifetime is not None and has_expired(tenant, now):
        state = max(state, _ON_EXPIRY.get(lifetime.on_expiry, state), key=_ORDER.index)
    # What a suspended tenant keeps is gone by then, and only an active one makes it again.
    return "Archived" if (reached(tenant), state) == ("Archived", "Suspended") else state


def reached(tenant: Tenant) -> State:
    """The state that the last workflow that succeeded has brought the tenant into."""
    return tenant.status.state or "Active"


def told(tenant: Tenant, state: State, now: datetime) -> str:
    """For a person: that the tenant is in that state, why, and how it comes back."""
    what = {
        "Active": "The tenant is provisioned",
        "Suspended": "Nothing of the tenant runs, and all of it is kept",
        "Archived": "Only what holds the tenant's data is kept",
    }[state]
    if state == "Active" or tenant.spec is None:
        return what
    expiry = expires_at(tenant)
    if expiry and expiry <= now and tenant.spec.desired_state != state:
        return (
            f"{what}: it expired at {expiry:%Y-%m-%dT%H:%M:%SZ}. "
            "To bring it back, raise spec.lifetime.expireAfter, or remove spec.lifetime"
        )
    if (state, tenant.spec.desired_state) == ("Archived", "Suspended"):
        what = f"{what}, as an archived tenant can't be suspended"
    return f"{what}. To bring it back, set spec.desiredState to Active"

"""The status of a Tenant that nothing is done about, on purpose. Pure.

What was true stays, with the generation that it speaks of: the tenant runs on as it did.
"""

from datetime import datetime

from landlord.api import conditions
from landlord.api.conditions import (
    ACCEPTED,
    DELETION_HELD,
    PAUSED,
    PROVISIONED,
    READY,
    WORKFLOW_REGISTERED,
    Verdict,
    find,
)
from landlord.api.status import Condition, Phase, TenantStatus
from landlord.api.tenant import Tenant
from landlord.controller.decide.facts import Facts
from landlord.controller.decide.hold import Hold
from landlord.controller.decide.status import ACTIVITIES, registered

UNFINISHED = ("InProgress", "BackingOff", "Paused")
"""Reasons of Provisioned that speak of work that is followed."""
NOT_YET = (
    *ACTIVITIES.values(),
    *("RegistrationPending", "EngineUnreachable"),
    *(PAUSED, DELETION_HELD),
)
"""Reasons of Ready that say that something is being done, or waited for."""


def paused(tenant: Tenant, facts: Facts, now: datetime) -> TenantStatus:
    """Nothing is done until the Tenant is managed again, or deleted."""
    message = (
        "Nothing is done to the tenant, whatever changes, until spec.management.mode is Managed; "
        "a deletion is carried out"
    )
    return _idle(tenant, facts, now, "Paused", Verdict(PAUSED, "True", "Paused", message))


def held(tenant: Tenant, facts: Facts, now: datetime, why: Hold) -> TenantStatus:
    """The Tenant was deleted, and nothing is removed yet."""
    return _idle(tenant, facts, now, "DeletionHeld", Verdict(DELETION_HELD, "True", why.reason, why.message))


def _idle(tenant: Tenant, facts: Facts, now: datetime, phase: Phase, why: Verdict) -> TenantStatus:
    old, generation = tenant.status.conditions, tenant.metadata.generation
    new = [why, _registration(tenant, facts)]
    if not _stands(find(old, READY), NOT_YET):
        new.append(Verdict(READY, "False", why.type, f"Not as the spec says: {why.message}"))
    provisioned = find(old, PROVISIONED)
    if provisioned and not _stands(provisioned, UNFINISHED):
        message = f"Generation {provisioned.observed_generation} was not finished, and is not followed now"
        new.append(Verdict(PROVISIONED, "False", "Unfinished", message))
    told = {verdict.type for verdict in new}
    kept = [_as_it_stands(c) for c in old if c.type in (READY, ACCEPTED, PROVISIONED) and c.type not in told]
    merged = conditions.merge(old, new, generation, now)
    return tenant.status.model_copy(
        update={
            "observed_generation": generation,
            "phase": phase,
            "tenant_id": tenant.tenant_id,
            "drift": None,  # for it is not looked at
            "conditions": tuple(sorted((*kept, *merged), key=lambda c: conditions.ORDER.index(c.type))),
        }
    )


def _stands(condition: Condition | None, unfinished: tuple[str, ...]) -> bool:
    return condition is not None and (condition.status == "True" or condition.reason not in unfinished)


def _as_it_stands(condition: Condition) -> Condition:
    """Without what it says, below its first line, of what would be done next."""
    return condition.model_copy(update={"message": condition.message.partition("\n")[0]})


def _registration(tenant: Tenant, facts: Facts) -> Verdict:
    """As a settled Tenant tells it: what changes for a moment only is no news."""
    said = find(tenant.status.conditions, WORKFLOW_REGISTERED)
    if facts.for_settled is None and said is not None:
        return Verdict(said.type, said.status, said.reason, said.message)
    return registered(facts.for_settled or facts.registration)

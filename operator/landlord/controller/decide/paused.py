"""Composes the status of a Tenant that landlord deliberately leaves unchanged: paused, or its deletion on
hold.

What was true stays, with the generation that it speaks of: the tenant keeps running as it did.
"""

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
from landlord.controller.decide.composing import ACTIVITIES, FIX, judge_registration
from landlord.controller.decide.facts import Case
from landlord.controller.decide.hold import Hold

UNFINISHED = ("InProgress", "BackingOff", "Paused")
"""Reasons of Provisioned that speak of work that landlord tracks."""
NOT_YET = (
    *ACTIVITIES.values(),
    *("RegistrationPending", "EngineUnreachable"),
    *(PAUSED, DELETION_HELD),
)
"""Reasons of Ready that speak of something that landlord does, or waits for."""


def compose_paused(case: Case) -> TenantStatus:
    """landlord does nothing until the Tenant is managed again, or deleted."""
    message = (
        "landlord leaves the tenant unchanged, unless the Tenant is deleted, because spec.management.mode is "
        "Paused. To resume, set it to Managed"
    )
    return _compose_unchanged(case, "Paused", Verdict(PAUSED, "True", "Paused", message))


def compose_on_hold(case: Case, hold: Hold) -> TenantStatus:
    """The Tenant was deleted, and nothing is removed yet."""
    return _compose_unchanged(case, "DeletionHeld", Verdict(DELETION_HELD, "True", hold.reason, hold.message))


def _compose_unchanged(case: Case, phase: Phase, why: Verdict) -> TenantStatus:
    old, generation = case.tenant.status.conditions, case.tenant.metadata.generation
    new = [why, _judge_registration(case)]
    if not _is_lasting(find(old, READY), NOT_YET):
        new.append(Verdict(READY, "False", why.type, f"Does not match the spec: {why.message}"))
    provisioned = find(old, PROVISIONED)
    if provisioned and not _is_lasting(provisioned, UNFINISHED):
        last = f"; its last known step is {step}" if (step := _find_step(case)) else ""
        message = (
            f"Generation {provisioned.observed_generation} did not finish and is not being tracked{last}"
        )
        new.append(Verdict(PROVISIONED, "False", "Unfinished", message))
    judged = {verdict.type for verdict in new}
    kept = [
        _without_outlook(condition)
        for condition in old
        if condition.type in (READY, ACCEPTED, PROVISIONED) and condition.type not in judged
    ]
    merged = conditions.merge(old, new, generation, case.now)
    return case.tenant.status.model_copy(
        update={
            "observed_generation": generation,
            "phase": phase,
            "tenant_id": case.tenant.tenant_id,
            "drift": None,  # because no survey looks for it
            "conditions": tuple(sorted((*kept, *merged), key=lambda c: conditions.ORDER.index(c.type))),
        }
    )


def _find_step(case: Case) -> str | None:
    workflow = case.tenant.status.workflow
    return workflow.step if workflow else None


def _is_lasting(condition: Condition | None, unfinished: tuple[str, ...]) -> bool:
    return condition is not None and (condition.status == "True" or condition.reason not in unfinished)


def _without_outlook(condition: Condition) -> Condition:
    """Drop what the message says about the next attempt, below its first line and its advice."""
    first, *rest = condition.message.split("\n")
    kept = [first, *(line for line in rest if line.startswith(FIX))]
    return condition.model_copy(update={"message": "\n".join(kept)})


def _judge_registration(case: Case) -> Verdict:
    """Report the registration as a settled Tenant does: a change of a moment is not news."""
    before = find(case.tenant.status.conditions, WORKFLOW_REGISTERED)
    settled = case.facts.settled_registration
    if settled is None and before is not None:
        return Verdict(before.type, before.status, before.reason, before.message)
    return judge_registration(settled or case.facts.registration)

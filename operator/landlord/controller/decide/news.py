"""Decides what is worth an Event: what is new to a person, and never that a retry went as the last one did.

| the Tenant …                                  | → Event                                   |
|-----------------------------------------------|-------------------------------------------|
| became Ready, or Ready at another generation  | Normal, with Ready's reason (Provisioned, |
|                                               | Suspended, Archived)                      |
| has work under way                            |                                           |
| was repaired                                  | Normal, Repaired                          |
| was found unhealthy, or missing               | Warning, Unhealthy or Missing             |
| was found changed by somebody                 | Warning, Drifted                          |
| is healthy again                              | Normal, Healthy                           |
| is paused                                     | Normal, Paused                            |
| was deleted, and the deletion is on hold      | Warning, with DeletionHeld's reason       |
| waits for the engine or the registration      | Warning, with Ready's reason, if it lasts |
| is stalled: refused, failed, rejected         | Warning, with Stalled's reason            |
| failed because the worker was upgraded        | the same, if it lasts                     |
| failed once more at the same generation       |                                           |
| has a request to retry that can't be read     | Warning, RetryRejected                    |
| has a paused workflow                         | Warning, Paused                           |
| can't be deprovisioned                        | Warning, DeprovisioningFailed             |
| is released, and nothing is left              | Normal, Deprovisioned                     |
| is released, and what holds its data is left  | Normal, Archived                          |
| is released, and everything is left           | Normal, Retained                          |
| is deleted because it expired                 | Normal, Expired                           |
| is released, and nobody knows what is left    | Warning, LeftBehind                       |
"""

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Literal

from landlord.api.conditions import (
    DELETION_HELD,
    PAUSED,
    PROVISIONED,
    READY,
    RETRY_REJECTED,
    STALLED,
    find,
)
from landlord.api.outcome import ResourceRef
from landlord.api.status import Condition, TenantStatus, WorkflowOperation
from landlord.api.tenant import Tenant
from landlord.controller.decide.composing import ACTIVITIES
from landlord.controller.decide.health import UNWELL
from landlord.controller.decide.hold import Departure, describe_left_behind, describe_resources
from landlord.controller.decide.lifecycle import find_expiry
from landlord.engines.contract import JOURNAL_MISMATCH

UNDER_WAY = tuple(ACTIVITIES.values())
REPAIRED = ("Repair", "Succeeded")

_ACTIONS: dict[WorkflowOperation, str] = {
    "Create": "Provision",
    "Update": "Update",
    "Repair": "Repair",
    "Suspend": "Suspend",
    "Resume": "Resume",
    "Archive": "Archive",
    "Restore": "Restore",
    "Delete": "Deprovision",
}


@dataclass(frozen=True)
class News:
    """What an Event reports."""

    type: Literal["Normal", "Warning"]
    reason: str
    action: str
    """What landlord was doing."""
    note: str
    _: KW_ONLY
    generation: int = 0
    """The Tenant's generation that it is about: the same reason for another one is not the same news."""
    is_transient: bool = False
    """Whether it is not worth an Event once it is over."""

    def is_repeat_of(self, other: "News | None") -> bool:
        """Whether it tells nothing new to somebody who has read the other."""
        return other is not None and (self.reason, self.generation) == (other.reason, other.generation)


def find_tenant_news(before: TenantStatus, after: TenantStatus) -> News | None:
    """Find what is new when a Tenant's status changes."""
    if news := _find_health_news(before, after):
        return news
    news = _find_headline(after)
    if news and not news.is_repeat_of(_find_headline(before)):
        return None if _has_failed_again(after) and not news.is_transient else news
    rejected = find(after.conditions, RETRY_REJECTED)
    if rejected and rejected.message != _find_message(before, RETRY_REJECTED):
        return News("Warning", RETRY_REJECTED, "Retry", rejected.message)
    return None


def describe_departure(tenant: Tenant, departure: Departure, left: Sequence[ResourceRef] = ()) -> News:
    """Describe that landlord releases a Tenant; `left` is what an archive keeps of it."""
    match departure:
        case "Deprovisioned":
            reason, note = "Deprovisioned", "landlord removed everything that it had created for the tenant"
        case "NothingMade":
            reason, note = "Deprovisioned", "landlord had created nothing for the tenant"
        case "Archived":
            kept = describe_resources(tenant, left, "nothing")
            reason, note = "Archived", f"Because spec.deletion.policy is Archive, landlord keeps: {kept}"
        case "Retained":
            kept = describe_left_behind(tenant)
            reason, note = (
                "Retained",
                f"Because spec.deletion.policy is Retain, landlord leaves running: {kept}",
            )
        case "LeftBehind":
            return News("Warning", "LeftBehind", "Deprovision", _describe_force(tenant))
    return News("Normal", reason, "Deprovision", note)


def _describe_force(tenant: Tenant) -> str:
    failure = tenant.status.workflow.last_failure if tenant.status.workflow else None
    where = f" at step {failure.step}" if failure and failure.step else ""
    why = f"{failure.code}{where}: {failure.message}" if failure else "an unknown error"
    return (
        "landlord released the Tenant because spec.deletion.force is true, although deprovisioning failed. "
        f"These may still exist: {describe_left_behind(tenant)}. Deprovisioning failed with {why}"
    )


def describe_expiry(tenant: Tenant) -> News:
    """Describe that landlord deletes a Tenant because it expired."""
    expiry = find_expiry(tenant)
    note = f"landlord deletes the Tenant because it expired at {expiry:%Y-%m-%dT%H:%M:%SZ}" if expiry else ""
    return News("Normal", "Expired", "Delete", note, generation=tenant.metadata.generation)


def _find_headline(status: TenantStatus) -> News | None:
    """Find the most important news in a status; None while it only says that work goes on."""
    ready = find(status.conditions, READY)
    if ready is None:
        return None
    operation: WorkflowOperation = status.workflow.operation if status.workflow else "Create"
    action, generation = _ACTIONS[operation], ready.observed_generation
    if held := find(status.conditions, DELETION_HELD):
        return _quote("Warning", held, _ACTIONS["Delete"])
    if paused := find(status.conditions, PAUSED):
        return _quote("Normal", paused, action)
    if ready.status == "True":
        note = f"{ready.message} (generation {generation})"
        return News("Normal", ready.reason, action, note, generation=generation)
    if stalled := find(status.conditions, STALLED):
        reason = "DeprovisioningFailed" if stalled.reason == "Deleting" else stalled.reason
        is_transient = _is_broken_by_upgrade(status)
        return News(
            "Warning", reason, action, stalled.message, generation=generation, is_transient=is_transient
        )
    if ready.reason in UNDER_WAY:
        return None
    return News("Warning", ready.reason, action, ready.message, generation=generation, is_transient=True)


def _find_message(status: TenantStatus, kind: str) -> str:
    condition = find(status.conditions, kind)
    return condition.message if condition else ""


def _quote(kind: Literal["Normal", "Warning"], condition: Condition, action: str) -> News:
    return News(kind, condition.reason, action, condition.message, generation=condition.observed_generation)


def _find_health_news(before: TenantStatus, after: TenantStatus) -> News | None:
    """Find what a survey found, and what came of it."""
    was, ready = find(before.conditions, READY), find(after.conditions, READY)
    is_unmanaged = find(after.conditions, PAUSED) or find(after.conditions, DELETION_HELD)
    if ready is None or was is None or is_unmanaged:
        return None
    generation = ready.observed_generation
    provisioned, workflow = find(after.conditions, PROVISIONED), after.workflow
    if workflow and workflow != before.workflow and (workflow.operation, workflow.sub_state) == REPAIRED:
        note = provisioned.message if provisioned else ""
        return News("Normal", "Repaired", "Repair", note, generation=generation)
    found = after.drift.items if after.drift else ()
    # What somebody did explains what became of the tenant, but that nothing exists says more.
    if ready.reason != "Missing" and found and found != (before.drift.items if before.drift else ()):
        return News("Warning", "Drifted", "Survey", "; ".join(found), generation=generation)
    if ready.reason in UNWELL and ready.reason != was.reason:
        return News("Warning", ready.reason, "Survey", ready.message, generation=generation)
    if ready.status == "True" and was.reason in UNWELL:
        return News("Normal", "Healthy", "Survey", ready.message, generation=generation)
    return None


def _is_broken_by_upgrade(status: TenantStatus) -> bool:
    """Whether a new worker can't continue the workflow, which landlord begins again within seconds."""
    failure = status.workflow.last_failure if status.workflow else None
    return failure is not None and failure.code == JOURNAL_MISMATCH


def _has_failed_again(status: TenantStatus) -> bool:
    provisioned, workflow = find(status.conditions, PROVISIONED), status.workflow
    failed = provisioned is not None and provisioned.reason == "Failed"
    return failed and workflow is not None and workflow.attempt > 1

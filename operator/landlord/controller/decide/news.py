"""Decides what is worth an Event: what is new to a person, and never that a retry went as the last one. Pure.

| the Tenant …                                  | → Event                                   |
|-----------------------------------------------|-------------------------------------------|
| became Ready, or Ready at another generation  | Normal, with Ready's reason (Provisioned, |
|                                               | Suspended, Archived)                      |
| is under way                                  |                                           |
| was repaired                                  | Normal, Repaired                          |
| was found to be unhealthy, or missing         | Warning, Unhealthy or Missing             |
| was found to be not as it was made            | Warning, Drifted                          |
| is healthy again                              | Normal, Healthy                           |
| is paused                                     | Normal, Paused                            |
| was deleted, and that is held                 | Warning, with DeletionHeld's reason       |
| waits for the engine or the registration      | Warning, with Ready's reason, if it lasts |
| is stalled: refused, failed, rejected         | Warning, with Stalled's reason            |
| failed once more at the same generation       |                                           |
| has a paused workflow                         | Warning, Paused                           |
| can't be deprovisioned                        | Warning, DeprovisioningFailed             |
| is let go, and nothing is left of it          | Normal, Deprovisioned                     |
| is let go, and what holds its data is left    | Normal, Archived                          |
| is let go, and all of it is left              | Normal, Retained                          |
| is deleted, as it has expired                 | Normal, Expired                           |
| is let go, and nobody knows what is left      | Warning, LeftBehind                       |
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from landlord.api.conditions import DELETION_HELD, PAUSED, PROVISIONED, READY, STALLED, find
from landlord.api.outcome import ResourceRef
from landlord.api.status import TenantStatus, WorkflowOperation
from landlord.api.tenant import Tenant
from landlord.controller.decide.health import UNWELL
from landlord.controller.decide.hold import Departure, left_behind, listed
from landlord.controller.decide.lifecycle import expires_at
from landlord.controller.decide.status import ACTIVITIES
from landlord.engines.contract import History, Loss, Registration

UNDER_WAY = tuple(ACTIVITIES.values())
DONE_AGAIN = ("Repair", "Succeeded")

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
    """What an Event says."""

    type: Literal["Normal", "Warning"]
    reason: str
    action: str
    """What landlord was doing."""
    note: str
    generation: int = 0
    """The Tenant's generation that it is about: the same reason for another one is not the same news."""
    passing: bool = False
    """Not worth telling once it is over."""

    def repeats(self, other: "News | None") -> bool:
        """Whether who has heard the other hears nothing new."""
        return other is not None and (self.reason, self.generation) == (other.reason, other.generation)


def about_tenant(before: TenantStatus, after: TenantStatus) -> News | None:
    """What is new when a Tenant's status changes."""
    if news := _about_health(before, after):
        return news
    news = _headline(after)
    if news is None or news.repeats(_headline(before)) or _failed_again(after):
        return None
    return news


def about_departure(tenant: Tenant, departure: Departure, left: Sequence[ResourceRef] = ()) -> News:
    """A Tenant is let go; `left` is what an archive has left of it."""
    match departure:
        case "Deprovisioned":
            reason, note = "Deprovisioned", "What was made for the tenant has been removed"
        case "NothingMade":
            reason, note = "Deprovisioned", "Nothing had been made for the tenant"
        case "Archived":
            reason, note = (
                "Archived",
                f"Kept, as spec.deletion.policy says: {listed(tenant, left, 'nothing')}",
            )
        case "Retained":
            reason, note = "Retained", f"Left running, as spec.deletion.policy says: {left_behind(tenant)}"
        case "LeftBehind":
            failure = tenant.status.workflow.last_failure if tenant.status.workflow else None
            why = f"{failure.code}: {failure.message}" if failure else "no reason is known"
            note = (
                f"Let go, as spec.deletion.force says, although deprovisioning failed. "
                f"May be left: {left_behind(tenant)}. It failed with {why}"
            )
            return News("Warning", "LeftBehind", "Deprovision", note)
    return News("Normal", reason, "Deprovision", note)


def about_expiry(tenant: Tenant) -> News:
    """A Tenant is deleted, as its time is over."""
    expiry = expires_at(tenant)
    note = f"Deleted, as spec.lifetime says: it expired at {expiry:%Y-%m-%dT%H:%M:%SZ}" if expiry else ""
    return News("Normal", "Expired", "Delete", note, tenant.metadata.generation)


class RegistrationNews:
    """Follows the registration, and says what is new. To find it as it should be at the start is not."""

    def __init__(self) -> None:
        self._told: News | None = None
        self._told_repaired: Loss | None = None

    def of(self, registration: Registration, history: History) -> News | None:
        """What is new, if anything; it counts as told from now on."""
        loss = history.last_loss
        news = News(
            "Normal" if _as_it_should_be(registration, loss) else "Warning",
            registration.reason,
            "Register",
            registration.message + self._about(registration, loss),
        )
        if news.repeats(self._told) or (registration.ready and self._told is None):
            return None
        self._told = news
        if registration.ready:
            self._told_repaired = loss
        return news

    def _about(self, registration: Registration, loss: Loss | None) -> str:
        if loss is None or loss == self._told_repaired:
            return ""
        if registration.ready and loss.repaired_after is not None:
            taken = f"{loss.repaired_after:.2f} s"
            return f"; registered again {taken} after the loss was noticed (cause: {loss.cause})"
        return f" (cause: {loss.cause})" if registration.reason in ("RegistrationLost", "Superseded") else ""


def _as_it_should_be(registration: Registration, loss: Loss | None) -> bool:
    """Whether it is registered, or on its way there for the first time or after an upgrade of the worker."""
    on_its_way = registration.reason in ("NotRegistered", "Superseded") and not registration.hopeless
    lost = loss is not None and loss.repaired_after is None
    return registration.ready or (on_its_way and not lost)


def _headline(status: TenantStatus) -> News | None:
    """What a status says to somebody who reads one line of it; None while it only says that work goes on."""
    ready = find(status.conditions, READY)
    if ready is None:
        return None
    operation: WorkflowOperation = status.workflow.operation if status.workflow else "Create"
    action, generation = _ACTIONS[operation], ready.observed_generation
    held = find(status.conditions, DELETION_HELD)
    if held is not None:
        return News("Warning", held.reason, _ACTIONS["Delete"], held.message, held.observed_generation)
    paused = find(status.conditions, PAUSED)
    if paused is not None:
        return News("Normal", paused.reason, action, paused.message, paused.observed_generation)
    if ready.status == "True":
        note = f"{ready.message} (generation {generation})"
        return News("Normal", ready.reason, action, note, generation)
    stalled, provisioned = find(status.conditions, STALLED), find(status.conditions, PROVISIONED)
    if stalled is not None:
        reason = "DeprovisioningFailed" if stalled.reason == "Deleting" else stalled.reason
        return News("Warning", reason, action, stalled.message, generation)
    if provisioned is not None and provisioned.reason == "Paused":
        return News("Warning", "Paused", action, provisioned.message, generation)
    if ready.reason in UNDER_WAY:
        return None
    return News("Warning", ready.reason, action, ready.message, generation, passing=True)


def _about_health(before: TenantStatus, after: TenantStatus) -> News | None:
    """What a survey has found, and what has come of it."""
    was, ready = find(before.conditions, READY), find(after.conditions, READY)
    idle = find(after.conditions, PAUSED) or find(after.conditions, DELETION_HELD)
    if ready is None or was is None or idle:
        return None
    generation = ready.observed_generation
    provisioned, workflow = find(after.conditions, PROVISIONED), after.workflow
    if workflow and workflow != before.workflow and (workflow.operation, workflow.sub_state) == DONE_AGAIN:
        return News("Normal", "Repaired", "Repair", provisioned.message if provisioned else "", generation)
    found = after.drift.items if after.drift else ()
    # What somebody did explains what has become of it; that nothing is left says more.
    if ready.reason != "Missing" and found and found != (before.drift.items if before.drift else ()):
        return News("Warning", "Drifted", "Survey", "; ".join(found), generation)
    if ready.reason in UNWELL and ready.reason != was.reason:
        return News("Warning", ready.reason, "Survey", ready.message, generation)
    if ready.status == "True" and was.reason in UNWELL:
        return News("Normal", "Healthy", "Survey", ready.message, generation)
    return None


def _failed_again(status: TenantStatus) -> bool:
    provisioned, workflow = find(status.conditions, PROVISIONED), status.workflow
    failed = provisioned is not None and provisioned.reason == "Failed"
    return failed and workflow is not None and workflow.attempt > 1

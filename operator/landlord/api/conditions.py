"""Condition types, their reasons, and how a list of conditions changes. Pure.

| type               | True        | False                                       | Unknown           |
|--------------------|-------------|---------------------------------------------|-------------------|
| Ready              | Provisioned,| Provisioning, Updating, Repairing,          | EngineUnreachable |
|                    | Suspended,  | Suspending, Resuming, Archiving, Restoring, | (only before the  |
|                    | Archived    | Deleting, RegistrationPending,              | first success)    |
|                    |             | ProvisioningFailed, InvalidSpec,            |                   |
|                    |             | UnknownBackend, IdentityConflict, Paused,   |                   |
|                    |             | DeletionHeld, Unhealthy, Missing            |                   |
| Accepted           | Accepted    | InvalidSpec, UnknownBackend,                |                   |
|                    |             | IdentityConflict                            |                   |
| WorkflowRegistered | Registered  | NotRegistered, RegistrationLost, Superseded,| EngineUnreachable |
|                    |             | WorkerUnreachable, RegistrationRejected     |                   |
| Provisioned        | Succeeded   | InProgress, BackingOff, Paused, Failed,     |                   |
|                    |             | Unfinished                                  |                   |
| ComputeHealthy     | Healthy     | Unhealthy, Missing                          | NotSurveyed       |
| Paused             | Paused      | (absent)                                    |                   |
| DeletionHeld       | Protected,  | (absent)                                    |                   |
|                    | GracePeriod,|                                             |                   |
|                    | MassDele-   |                                             |                   |
|                    | tionHold    |                                             |                   |
| Reconciling        | as Ready    | (absent)                                    |                   |
| Stalled            | as Ready    | (absent)                                    |                   |
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from landlord.api.status import Condition

READY = "Ready"
ACCEPTED = "Accepted"
WORKFLOW_REGISTERED = "WorkflowRegistered"
PROVISIONED = "Provisioned"
COMPUTE_HEALTHY = "ComputeHealthy"
PAUSED = "Paused"
DELETION_HELD = "DeletionHeld"
RECONCILING = "Reconciling"
STALLED = "Stalled"

ORDER = (
    *(READY, ACCEPTED, WORKFLOW_REGISTERED, PROVISIONED, COMPUTE_HEALTHY),
    *(PAUSED, DELETION_HELD, RECONCILING, STALLED),
)
"""In which order they are shown."""

MAX_MESSAGE = 1024


@dataclass(frozen=True)
class Verdict:
    """What one condition says, without its times."""

    type: str
    status: Literal["True", "False", "Unknown"]
    reason: str
    message: str


def find(conditions: Iterable[Condition], kind: str) -> Condition | None:
    """The condition of that type, if there is one."""
    return next((condition for condition in conditions if condition.type == kind), None)


def merge(
    old: Iterable[Condition], verdicts: Iterable[Verdict], generation: int, now: datetime
) -> tuple[Condition, ...]:
    """The conditions that `verdicts` make of `old`: those that no verdict speaks of are dropped.

    lastTransitionTime, in whole seconds, is kept unless the status flips, as metav1.Condition wants it.
    """
    flipped_at = now.replace(microsecond=0)
    before = {condition.type: condition for condition in old}
    merged = []
    for verdict in sorted(verdicts, key=lambda verdict: ORDER.index(verdict.type)):
        previous = before.get(verdict.type)
        keeps = previous is not None and previous.status == verdict.status
        merged.append(
            Condition(
                type=verdict.type,
                status=verdict.status,
                reason=verdict.reason,
                message=shortened(verdict.message),
                last_transition_time=previous.last_transition_time if previous and keeps else flipped_at,
                observed_generation=generation,
            )
        )
    return tuple(merged)


def shortened(message: str, limit: int = MAX_MESSAGE) -> str:
    """A message that fits into a status; never empty, because the API server refuses that."""
    text = message.strip() or "no details were given"
    return text if len(text) <= limit else text[: limit - 1] + "…"

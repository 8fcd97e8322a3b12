"""Condition types, and how a list of conditions changes. condition_reference.py explains each reason."""

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
RETRY_REJECTED = "RetryRejected"
RECONCILING = "Reconciling"
STALLED = "Stalled"

ORDER = (
    *(READY, ACCEPTED, WORKFLOW_REGISTERED, PROVISIONED, COMPUTE_HEALTHY),
    *(PAUSED, DELETION_HELD, RETRY_REJECTED, RECONCILING, STALLED),
)
"""The order in which a Tenant shows them."""

MAX_MESSAGE = 1024


@dataclass(frozen=True)
class Verdict:
    """One condition without its times."""

    type: str
    status: Literal["True", "False", "Unknown"]
    reason: str
    message: str


def find(conditions: Iterable[Condition], kind: str) -> Condition | None:
    """Find the condition of that type, if there is one."""
    return next((condition for condition in conditions if condition.type == kind), None)


def merge(
    old: Iterable[Condition], verdicts: Iterable[Verdict], generation: int, now: datetime
) -> tuple[Condition, ...]:
    """Merge new verdicts into the old conditions, dropping conditions without a verdict.

    A condition keeps its lastTransitionTime, in whole seconds, unless its status changes: metav1.Condition
    demands that.
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
    """Shorten a message to fit into a status. It is never empty, because the API server rejects that."""
    text = message.strip() or "no details were given"
    return text if len(text) <= limit else text[: limit - 1] + "…"

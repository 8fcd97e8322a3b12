"""Decides which older work to stop because newer work waits behind it. Pure.

| work ahead of ours, of the same tenant      | waits in the queue | backs off, or paused | runs       |
|---------------------------------------------|--------------------|----------------------|------------|
| older work of the same object               | cancel             | stop                 | leave      |
| newer work of the same object               | leave              | leave                | leave      |
| other work of another object                | leave              | stop                 | leave      |
| delete of another object                    | leave              | leave                | leave      |

A delete of another object is never stopped, because nothing would finish it. Queued work of another object is
left, because two objects with the same tenantID would cancel each other in turns.
"""

from dataclasses import dataclass
from typing import Literal

from landlord.api.request import Request
from landlord.engines.restate.seen import Invocation

STUCK = frozenset({"backing-off", "paused"})
QUEUED = frozenset({"pending", "scheduled", "ready"})
KILL_AFTER_SECONDS = 10.0

Verb = Literal["cancel", "stop"]
"""stop: cancel and resume, because work that backs off notices a cancel only at its next try."""


@dataclass(frozen=True)
class IdempotencyKey:
    """The parts of an idempotency key: whose work it is, and which."""

    uid: str
    generation: int
    attempt: int

    @classmethod
    def parse(cls, text: str | None) -> "IdempotencyKey | None":
        """Parse `{uid}-{generation}-{attempt}`; None if the key is not one of landlord's."""
        parts = (text or "").rsplit("-", 2)
        if len(parts) != 3 or not (parts[0] and parts[1].isdecimal() and parts[2].isdecimal()):
            return None
        return cls(parts[0], int(parts[1]), int(parts[2]))


def choose_verb(ahead: Invocation, ours: Request) -> Verb | None:
    """Return what to do about an unfinished invocation ahead of ours; None to wait for it."""
    key = IdempotencyKey.parse(ahead.idempotency_key)
    if key is None:
        return None
    if key.uid == ours.uid:
        if (key.generation, key.attempt) >= (ours.generation, ours.attempt):
            return None
        if ahead.status in QUEUED:
            return "cancel"
        return "stop" if ahead.status in STUCK else None
    return "stop" if ahead.status in STUCK and ahead.target_handler_name != "delete" else None

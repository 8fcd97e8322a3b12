"""Which older work may be stopped because newer work waits behind it. Pure.

| what is ahead of ours, of the same tenant   | waits in the queue | backs off, or paused | runs       |
|---------------------------------------------|--------------------|----------------------|------------|
| older work of the same object               | cancel             | stop                 | leave      |
| newer work of the same object               | leave              | leave                | leave      |
| other work of another object                | leave              | stop                 | leave      |
| delete of another object                    | leave              | leave                | leave      |

A delete of another object is never stopped, as nothing would finish it. What waits for another object is left
alone, as two objects that claim one tenantID would cancel each other in turns.
"""

from dataclasses import dataclass
from typing import Literal

from landlord.api.request import Request
from landlord.engines.restate.seen import Invocation

STUCK = frozenset({"backing-off", "paused"})
QUEUED = frozenset({"pending", "scheduled", "ready"})
KILL_AFTER_SECONDS = 10.0

Verb = Literal["cancel", "stop"]
"""stop: cancel and resume, since what backs off hears of a cancel only at its next try."""


@dataclass(frozen=True)
class Work:
    """What an idempotency key says: whose work it is, and which."""

    uid: str
    generation: int
    attempt: int

    @classmethod
    def of(cls, idempotency_key: str | None) -> "Work | None":
        """Read `{uid}-{generation}-{attempt}`; None if it is not one of landlord's."""
        parts = (idempotency_key or "").rsplit("-", 2)
        if len(parts) != 3 or not (parts[0] and parts[1].isdecimal() and parts[2].isdecimal()):
            return None
        return cls(parts[0], int(parts[1]), int(parts[2]))


def verb_for(ahead: Invocation, ours: Request) -> Verb | None:
    """What to do about an unfinished invocation that is ahead of ours; None to wait for it."""
    work = Work.of(ahead.idempotency_key)
    if work is None:
        return None
    if work.uid == ours.uid:
        if (work.generation, work.attempt) >= (ours.generation, ours.attempt):
            return None
        if ahead.status in QUEUED:
            return "cancel"
        return "stop" if ahead.status in STUCK else None
    return "stop" if ahead.status in STUCK and ahead.target_handler_name != "delete" else None

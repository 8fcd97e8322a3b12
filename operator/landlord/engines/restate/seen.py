"""What can be seen of Restate and of the worker: values only, so that what decides about them is pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel, Field

from landlord.api.names import WORKFLOW_SERVICE
from landlord.errors import EngineError, EngineUnreachable


class TimedOut(EngineUnreachable):
    """The peer took the request and did not answer it in time."""


class Refused(EngineError):
    """Restate answers that it does not do what was asked."""

    def __init__(self, status: int, code: str | None, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


class NotOffered(Refused):
    """Restate found a worker, and not the workflow. `offered` has the services' types by their names."""

    def __init__(self, offered: Mapping[str, str]) -> None:
        offers = " and ".join(offered) or "nothing"
        wanted = WORKFLOW_SERVICE
        if wanted in offered:
            offers, wanted = f"{wanted} as a {offered[wanted]}", "as a VirtualObject"
        super().__init__(200, None, f"offers {offers}, and not {wanted}")


@dataclass(frozen=True)
class Deployment:
    """A worker as Restate has it registered."""

    id: str
    uri: str
    revision: str | None = None
    """The worker's own word when Restate discovered it."""


@dataclass(frozen=True)
class EngineAway:
    """Restate gave no answer, or none that says anything about the registration."""

    message: str


Engine = EngineAway | Deployment | None
"""What Restate says of the service; None: that it does not know it."""


class Worker(BaseModel, frozen=True):
    """A worker that answers."""

    revision: str = Field(min_length=1)
    """Changes when what it offers to Restate changes."""
    backends: frozenset[str]


@dataclass(frozen=True)
class WorkerAway:
    """A worker that does not answer, and why."""

    message: str


@dataclass(frozen=True)
class Unheard:
    """An ingress that answers, and does not know the workflow."""

    message: str


Ingress = EngineAway | Unheard | None
"""What Restate's ingress says of the workflow; None: that it takes work for it."""


@dataclass(frozen=True)
class Seen:
    """One look at everything that a registration needs."""

    engine: Engine
    """By Restate's admin API."""
    worker: Worker | WorkerAway
    ingress: Ingress = None


class Invocation(BaseModel, frozen=True):
    """One invocation. Absent columns are NULL."""

    id: str
    target_service_key: str
    target_handler_name: str
    idempotency_key: str | None = None
    status: str
    """pending, scheduled, ready, running, suspended, backing-off, paused or completed."""
    retry_count: int = 1
    """Tries of the whole invocation, over all its steps."""
    next_retry_at: datetime | None = None
    last_failure: str | None = None
    last_failure_error_code: str | None = None
    last_failure_related_command_name: str | None = None
    """Name of the step that failed last, if it was a step."""
    newest_step: str | None = None
    """Name of the step that was begun last."""

"""What landlord observes of Restate and the worker. Values only, so that the decisions about them are
pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel, Field

from landlord.api.names import WORKFLOW_SERVICE
from landlord.errors import EngineError, EngineUnreachable


class TimedOut(EngineUnreachable):
    """The server accepted the request and did not answer in time."""


class Refused(EngineError):
    """Restate rejected the request."""

    def __init__(self, status: int, code: str | None, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


class NotOffered(Refused):
    """Restate found a worker without the workflow. `offered` maps names of services to their types."""

    def __init__(self, offered: Mapping[str, str]) -> None:
        offers = " and ".join(offered) or "nothing"
        wanted = WORKFLOW_SERVICE
        if wanted in offered:
            offers, wanted = f"{wanted} as a {offered[wanted]}", "as a VirtualObject"
        super().__init__(200, None, f"offers {offers} instead of {wanted}")


@dataclass(frozen=True)
class Deployment:
    """A worker as registered in Restate."""

    id: str
    uri: str
    revision: str | None = None
    """The revision that the worker reported when Restate discovered it."""
    private: tuple[str, ...] = ()
    """Names of the services whose requests the ingress rejects, because somebody made them private."""


@dataclass(frozen=True)
class EngineAway:
    """Restate gave no answer, or none that says anything about the registration."""

    message: str


EngineAnswer = EngineAway | Deployment | None
"""What Restate's admin API reports about the workflow; None if Restate does not have it."""


class Worker(BaseModel, frozen=True):
    """A worker that answers."""

    revision: str = Field(min_length=1)
    """Changes whenever the worker's services change."""
    backends: frozenset[str]


@dataclass(frozen=True)
class WorkerAway:
    """A worker that does not answer, and why."""

    message: str


@dataclass(frozen=True)
class WorkflowUnknown:
    """An ingress that answers, but does not have the workflow."""

    message: str


IngressAnswer = EngineAway | WorkflowUnknown | None
"""What Restate's ingress reports about the workflow; None if it accepts work."""


@dataclass(frozen=True)
class StuckPartition:
    """A partition of Restate that does not record anything, and how it shows."""

    message: str


@dataclass(frozen=True)
class Snapshot:
    """One observation of everything that a registration depends on."""

    engine: EngineAnswer
    """From Restate's admin API."""
    worker: Worker | WorkerAway
    ingress: IngressAnswer = None
    stuck: StuckPartition | None = None
    """Asked only while the workflow is registered."""


WORKER_AWAY = frozenset({"RT0001", "RT0010", "RT0012", "RT0023"})
"""Codes of failures to get a worker's answer: it hangs, can't be reached, something else answers in its
place, or a gateway says that it is not available. All but the first are measured with Restate 1.7.12."""


class Invocation(BaseModel, frozen=True):
    """One invocation. A column that is NULL is absent."""

    id: str
    target_service_key: str
    target_handler_name: str
    idempotency_key: str | None = None
    status: str
    """pending, scheduled, ready, running, suspended, backing-off, paused or completed."""
    retry_count: int = 1
    """Number of tries of the whole invocation, over all its steps."""
    next_retry_at: datetime | None = None
    last_failure: str | None = None
    last_failure_error_code: str | None = None
    last_failure_related_command_name: str | None = None
    """Name of the step that failed last, if a step failed."""
    newest_step: str | None = None
    """Name of the step that started last."""

    @property
    def waits_for_worker(self) -> bool:
        """Whether it stopped only because Restate got no answer from the worker.

        It backs off, or Restate paused it after the largest number of tries that its configuration allows.
        """
        return self.status in ("backing-off", "paused") and self.last_failure_error_code in WORKER_AWAY

"""The situations that a Tenant can be in: `plan` decides which one holds, `compose` makes it a status."""

from dataclasses import dataclass
from datetime import datetime

from landlord.api.outcome import Outcome, ResourceRef
from landlord.api.request import Request
from landlord.controller.decide.comparison import Finding
from landlord.controller.decide.hold import Departure, Hold
from landlord.engines.contract import Progress
from landlord.errors import EngineError


@dataclass(frozen=True)
class Paused:
    """The spec tells landlord to leave the tenant unchanged."""


@dataclass(frozen=True)
class Expired:
    """The Tenant's lifetime ended, and the spec asks for its deletion then."""


@dataclass(frozen=True)
class Settled:
    """The tenant matches its spec, as far as landlord has observed."""


@dataclass(frozen=True)
class Found:
    """The last workflow succeeded, and a survey has since found something else than the status reports."""

    finding: Finding


@dataclass(frozen=True)
class Repairing:
    """A survey found a change that landlord starts to undo now."""

    finding: Finding
    request: Request


@dataclass(frozen=True)
class Retrying:
    """A person requested another attempt, which landlord starts now."""

    request: Request
    requested_at: str
    """The value of the annotation, which counts only once."""


@dataclass(frozen=True)
class NotAccepted:
    """landlord can't act until the Tenant, or what conflicts with it, changes."""

    reason: str
    message: str


@dataclass(frozen=True)
class Unclaimed:
    """Work is needed, and the Tenant lacks the finalizer that it must have before anything is created."""


@dataclass(frozen=True)
class WorkDue:
    """The workflow engine can take the work now."""


@dataclass(frozen=True)
class WorkWaiting:
    """Work is needed, and the engine can't take it, or can't be asked about it, at present."""

    request: Request
    error: EngineError | None


@dataclass(frozen=True)
class WorkUnderWay:
    """The workflow is running, retrying a step, or paused."""

    request: Request
    progress: Progress | None
    """None while the engine has not reported any."""


@dataclass(frozen=True)
class WorkSucceeded:
    """The workflow brought the tenant into the state that the Tenant asks for."""

    request: Request
    outcome: Outcome


@dataclass(frozen=True)
class WorkFailed:
    """The workflow ended without success."""

    request: Request
    outcome: Outcome
    wait: float | None
    """Seconds until landlord starts it again; None if only a change can help."""


@dataclass(frozen=True)
class WorkStopped:
    """The status already reports that the workflow failed, and it is too early to start it again."""

    until: datetime | None
    """None: until the spec changes."""
    finding: Finding | None
    """What a survey has found since."""


@dataclass(frozen=True)
class OnHold:
    """The Tenant was deleted, and nothing is removed yet."""

    hold: Hold


@dataclass(frozen=True)
class PossibleBurst:
    """The Tenant was deleted, and landlord still waits for deletions that belong to the same burst."""

    until: datetime


@dataclass(frozen=True)
class Releasing:
    """landlord is done with a deleted Tenant."""

    departure: Departure
    left: tuple[ResourceRef, ...] = ()
    """What an archive keeps."""


@dataclass(frozen=True)
class Released:
    """The Tenant was deleted and lacks landlord's finalizer: it is none of landlord's business."""


SituationWithNews = (
    Paused
    | Settled
    | Found
    | Repairing
    | Retrying
    | NotAccepted
    | WorkWaiting
    | WorkUnderWay
    | WorkSucceeded
    | WorkFailed
    | WorkStopped
    | OnHold
)
"""Those that the status reports."""
Situation = SituationWithNews | Expired | Unclaimed | WorkDue | PossibleBurst | Releasing | Released

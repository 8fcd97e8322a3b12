"""The contract of a workflow engine, which runs provisioning workflows to their end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from landlord.api.outcome import Outcome
from landlord.api.request import Desired, Request
from landlord.api.survey import Seen

JOURNAL_MISMATCH = "JournalMismatch"
"""Code of a failure: the worker was replaced during the work and can't continue it. A new attempt can."""

ENGINE_STUCK = "EngineStuck"
"""Reason of a registration: the engine answers, but continues no work."""

ConditionStatus = Literal["True", "False", "Unknown"]


@dataclass(frozen=True)
class Registration:
    """Whether the engine has the workflow, as in the condition `WorkflowRegistered`."""

    status: ConditionStatus
    reason: str
    message: str
    deployment_id: str | None = None
    revision: str | None = None
    backends: frozenset[str] | None = None
    """Names of the worker's backends; None while they are unknown."""
    hopeless: bool = False
    """Whether only a person can fix it."""

    @property
    def ready(self) -> bool:
        """Whether work can be submitted now."""
        return self.status == "True"


@dataclass(frozen=True)
class Loss:
    """The loss of a verified registration."""

    cause: str
    at: datetime
    repaired_after: float | None = None
    """Seconds until the registration was verified again; None while it is not."""


@dataclass(frozen=True)
class History:
    """What an engine remembers about its registration, for a person."""

    doing: str
    """What the engine is doing about the registration."""
    last_verified: datetime | None = None
    last_loss: Loss | None = None


@dataclass(frozen=True)
class Progress:
    """The progress of unfinished work, as in `status.workflow`."""

    sub_state: Literal["Pending", "Running", "BackingOff", "Paused"]
    invocation_id: str | None = None
    step: str | None = None
    """Name of the current or failing step."""
    step_number: int | None = None
    """Number of the step, from 1."""
    total_steps: int | None = None
    attempt: int = 1
    """Number of tries so far, of this step and of the steps before it."""
    next_retry: datetime | None = None
    last_error: str | None = None
    """First line of the last error."""
    last_fix: str = ""
    """Advice of the last error, if it has any."""


class Listener(Protocol):
    """Receives an engine's events on the event loop. Must not block or raise."""

    def registration_changed(self, registration: Registration) -> None:
        """Handle a registration that differs from the previous one."""
        ...

    def progressed(self, request: Request, progress: Progress) -> None:
        """Handle the progress of unfinished work, which may be unchanged."""
        ...


class WorkflowEngine(Protocol):
    """Runs workflows. `perform` can be called again with the same request, in any process, at any time."""

    @property
    def registration(self) -> Registration:
        """The latest known registration. Never blocks."""
        ...

    @property
    def history(self) -> History:
        """The history of the registration in this process. Never blocks."""
        ...

    async def serve(self, listener: Listener) -> None:
        """Keep the registration and the progress of unfinished work current, until cancelled.

        Returns or raises only if the process must end.
        """
        ...

    def kick(self) -> None:
        """Check the registration now, because something that it depends on may have changed."""
        ...

    async def perform(self, request: Request) -> Outcome:
        """Submit the request, or attach to it if it was submitted before, and wait for its outcome.

        Supersedes older work on the same tenant that makes no progress. Cancelling the call does not stop the
        work. Raises EngineError.
        """
        ...

    async def survey(self, provider: str) -> Mapping[str, Seen]:
        """Survey all tenants of a backend, by tenantID.

        Raises EngineError if the backend could not be observed.
        """
        ...

    async def inspect(self, provider: str, desired: Desired) -> Sequence[str]:
        """Return the differences of one tenant from `desired`, one line for each field or object.

        Raises EngineError if the backend could not be observed.
        """
        ...

    async def close(self) -> None:
        """Close all connections."""
        ...

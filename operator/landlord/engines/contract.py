"""The contract of a workflow engine: who runs provisioning workflows to their end."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from landlord.api.outcome import Outcome
from landlord.api.request import Desired, Request
from landlord.api.survey import Seen

JOURNAL_MISMATCH = "JournalMismatch"
"""Code of a failure: the worker was changed amid the work, and can't go on with it. Anew, it can do it."""

ConditionStatus = Literal["True", "False", "Unknown"]


@dataclass(frozen=True)
class Registration:
    """Whether the engine knows the workflow, as the `WorkflowRegistered` condition says it."""

    status: ConditionStatus
    reason: str
    message: str
    deployment_id: str | None = None
    revision: str | None = None
    backends: frozenset[str] | None = None
    """Names that the worker can run tenants on; None while that is unknown."""
    hopeless: bool = False
    """Only a change by a person can mend it."""

    @property
    def ready(self) -> bool:
        """Whether work can be submitted now."""
        return self.status == "True"


@dataclass(frozen=True)
class Loss:
    """A registration that was there and then was not."""

    cause: str
    at: datetime
    repaired_after: float | None = None
    """Seconds until it was verified again; None while it is not."""


@dataclass(frozen=True)
class History:
    """What an engine remembers of its registration, for a person."""

    doing: str
    """What it does about it at present."""
    last_verified: datetime | None = None
    last_loss: Loss | None = None


@dataclass(frozen=True)
class Progress:
    """How far unfinished work has come, as `status.workflow` shows it."""

    sub_state: Literal["Pending", "Running", "BackingOff", "Paused"]
    invocation_id: str | None = None
    step: str | None = None
    """Name of the step under way or failing."""
    step_number: int | None = None
    """Its place, from 1."""
    total_steps: int | None = None
    attempt: int = 1
    """Tries so far, of this step and of those before it."""
    next_retry: datetime | None = None
    last_error: str | None = None
    """First line of the last error."""


class Listener(Protocol):
    """Who wants to hear from an engine. Called on the event loop; must not block or raise."""

    def registration_changed(self, registration: Registration) -> None:
        """The registration differs from what was said before."""
        ...

    def progressed(self, request: Request, progress: Progress) -> None:
        """Unfinished work has moved, or was looked at and stands as said."""
        ...


class WorkflowEngine(Protocol):
    """Runs workflows. `perform` is safe to call again with the same request, in any process, at any time."""

    @property
    def registration(self) -> Registration:
        """The latest known registration; never blocks."""
        ...

    @property
    def history(self) -> History:
        """What this process has seen of the registration so far; never blocks."""
        ...

    async def serve(self, listener: Listener) -> None:
        """Keep the registration and the progress of unfinished work current, until cancelled.

        Returns or raises only when the process should end.
        """
        ...

    def kick(self) -> None:
        """Look at the registration now: something has changed that it may depend on."""
        ...

    async def perform(self, request: Request) -> Outcome:
        """Submit the request, or attach to it if it was submitted before, and wait for its outcome.

        Older unfinished work on the same tenant that makes no progress is superseded. Cancelling the call
        forgets about the work without stopping it. Raises EngineError.
        """
        ...

    async def survey(self, provider: str) -> Mapping[str, Seen]:
        """What is seen at this moment of all tenants of a backend, by tenantID, within half a minute.

        Raises EngineError if the backend could not be looked at.
        """
        ...

    async def inspect(self, provider: str, desired: Desired) -> Sequence[str]:
        """What of one tenant is not as `desired` has it, one line for each field or object.

        Raises EngineError if the backend could not be looked at.
        """
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


Clock = Callable[[], datetime]

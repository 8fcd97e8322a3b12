"""The provisioning workflow: the same for every engine, which lends it a journal."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Protocol

from landlord.api.outcome import Outcome, Result
from landlord.api.request import Request
from landlord.backends.config import check_config
from landlord.backends.contract import Backend, Step
from landlord.errors import Terminal
from landlord.workflow.attempt import UNEXPECTED, attempt, failed
from landlord.workflow.fence import Conflict, Fence, NothingToDo, Superseded, decide
from landlord.workflow.place import Place

Attempt = Callable[[float, float, Callable[[], float]], Awaitable[Outcome]]
"""Called with start and deadline of the invocation, and the clock that they are from."""


class Journal(Protocol):
    """What makes a workflow durable: it remembers the fence of a tenant and the outcome of each step."""

    async def fence(self) -> Fence | None:
        """The fence that was accepted last."""
        ...

    async def accept(self, fence: Fence) -> None:
        """Remember the fence for every later invocation, before anything that is run after this."""
        ...

    async def run(self, place: Place, attempt: Attempt) -> Outcome:
        """The outcome journaled for this place; if there is none yet, attempt until no TryAgain is raised.

        Waits between the tries as `attempt.next_wait` says.
        """
        ...


async def provision(request: Request, backends: Mapping[str, Backend], journal: Journal) -> Outcome:
    """Do what the request asks, unless the fence says otherwise.

    An engine's cancellation passes through: it is raised by the journal, around the steps.
    """
    verdict = decide(await journal.fence(), request)
    match verdict:
        case Superseded():
            return Outcome(result="Superseded")
        case Conflict(message):
            return failed("IdentityConflict", message, retryable=False)
        case NothingToDo():
            return Outcome(result="Succeeded")
    # Accepted before the first step, not after the last: whether this invocation is cancelled, killed or
    # times out half-way, what is older must never run after it. For the same reason a delete marks the tenant
    # as deleted before it has torn anything down: an apply that arrives after a failed delete would raise
    # what the next attempt at the delete is about to remove. Nothing is lost by it, since a further attempt
    # at the delete is always accepted, and an object that takes over a half-deleted tenant makes it whole.
    await journal.accept(verdict.fence)

    backend = backends.get(request.provider)
    if backend is None:
        enabled = ", ".join(sorted(backends)) or "none"
        return failed(
            "UnknownBackend",
            f"the worker has no backend {request.provider!r}; enabled: {enabled}",
            retryable=False,
        )
    try:
        steps = _steps(backend, request)
    except Terminal as error:
        return failed(error.code, error.message, fix=error.fix, retryable=False)
    except Exception as error:  # a defect of the backend; shown on the tenant rather than tried without end
        return failed(UNEXPECTED, f"{type(error).__name__}: {error}", retryable=True)

    made = Result()
    for number, step in enumerate(steps, start=1):
        place = Place(number, len(steps), step.name)
        outcome = await journal.run(place, partial(attempt, backend.name, step))
        if outcome.failure is not None:
            return outcome
        made = made.merged(outcome.made)
    return Outcome(
        result="Succeeded", made=made, spec_hash=request.desired.hash() if request.desired else None
    )


def _steps(backend: Backend, request: Request) -> Sequence[Step]:
    if request.desired is not None:
        check_config(backend, request.desired)
        return backend.apply(request.desired)
    if request.operation == "suspend":
        return backend.suspend(request.tenant_id)
    if request.operation == "archive" or request.keeps_data:
        return backend.archive(request.tenant_id)
    return backend.delete(request.tenant_id)

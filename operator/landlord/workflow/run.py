"""The provisioning workflow. It is the same for every engine, which provides a journal."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Protocol

from landlord.api.outcome import Outcome, Result
from landlord.api.request import Request
from landlord.backends.config import check_config
from landlord.backends.contract import Backend, Step
from landlord.errors import Terminal
from landlord.workflow.attempt import UNEXPECTED, attempt, build_failure
from landlord.workflow.fence import Conflict, Fence, NothingToDo, Superseded, decide
from landlord.workflow.position import StepPosition

StepAttempt = Callable[[float, float, Callable[[], float]], Awaitable[Outcome]]
"""Called with the start and deadline of the invocation, and with their clock."""


class Journal(Protocol):
    """Makes a workflow durable: stores the fence of a tenant and the outcome of each step."""

    async def fence(self) -> Fence | None:
        """Return the last accepted fence."""
        ...

    async def accept(self, fence: Fence) -> None:
        """Store the fence for every later invocation, before anything that runs after this."""
        ...

    async def run(self, position: StepPosition, attempt: StepAttempt) -> Outcome:
        """Return the journaled outcome of this step, or attempt it until TryAgain is not raised.

        Waits between tries as long as `attempt.next_wait` returns.
        """
        ...


async def provision(request: Request, backends: Mapping[str, Backend], journal: Journal) -> Outcome:
    """Carry out the request, if the fence permits it.

    An engine's cancellation passes through: the journal raises it, outside the steps.
    """
    decision = decide(await journal.fence(), request)
    match decision:
        case Superseded():
            return Outcome(result="Superseded")
        case Conflict(message):
            return build_failure("IdentityConflict", message, retryable=False)
        case NothingToDo():
            return Outcome(result="Succeeded")
    # Accepted before the first step, not after the last: even if this invocation is cancelled, killed or
    # times out, no older request may run after it. For the same reason a delete marks the tenant as deleted
    # before its first step: an apply after a failed delete would create what the next attempt at the delete
    # removes. Nothing is lost: another attempt at the delete is always accepted, and an object that takes
    # over a half-deleted tenant applies all of it again.
    await journal.accept(decision.fence)

    backend = backends.get(request.provider)
    if backend is None:
        enabled = ", ".join(sorted(backends)) or "none"
        return build_failure(
            "UnknownBackend",
            f"the worker has no backend {request.provider!r}; enabled: {enabled}",
            retryable=False,
        )
    try:
        steps = _list_steps(backend, request)
    except Terminal as error:
        return build_failure(error.code, error.message, fix=error.fix, retryable=False)
    except Exception as error:  # a bug in the backend; reported on the tenant instead of retried without end
        return build_failure(UNEXPECTED, f"{type(error).__name__}: {error}", retryable=True)

    made = Result()
    for number, step in enumerate(steps, start=1):
        position = StepPosition(number, len(steps), step.name)
        outcome = await journal.run(position, partial(attempt, backend.name, step))
        if outcome.failure is not None:
            return outcome
        made = made.merged(outcome.made)
    return Outcome(
        result="Succeeded", made=made, spec_hash=request.desired.hash() if request.desired else None
    )


def _list_steps(backend: Backend, request: Request) -> Sequence[Step]:
    if request.desired is not None:
        check_config(backend, request.desired)
        return backend.apply(request.desired)
    if request.operation == "suspend":
        return backend.suspend(request.tenant_id)
    if request.operation == "archive" or request.keeps_data:
        return backend.archive(request.tenant_id)
    return backend.delete(request.tenant_id)

"""When a workflow that failed is started again. Pure."""

from landlord.api.outcome import Failure, Outcome
from landlord.api.request import Request
from landlord.engines.contract import JOURNAL_MISMATCH

RETRY_FAILED_AFTER = 300.0
"""Seconds until a workflow that failed, but may succeed, is started again: its own retries took
`spec.workflow.timeout` already, so this only has to be rarer than those."""

REFUSED_BY_WORKER = ("UnknownBackend", "IdentityConflict")
"""Failure codes that mean that the Tenant can't be accepted as it is."""


def retry_after(request: Request, outcome: Outcome) -> float | None:
    """Seconds until a failed workflow is started again; None if only a change can help.

    A deletion is always tried again: nobody can change the spec of what they have given up.
    """
    failure = failure_of(outcome)
    if failure.code == JOURNAL_MISMATCH:
        # The next attempt begins a journal of its own; it fails the same way only if workers alternate.
        return min(RETRY_FAILED_AFTER, 2.0 ** min(request.attempt, 10))
    hopeful = failure.retryable or failure.code in REFUSED_BY_WORKER or request.operation == "delete"
    return RETRY_FAILED_AFTER if hopeful else None


def failure_of(outcome: Outcome) -> Failure:
    """Why the workflow ended without success."""
    if outcome.failure is not None:
        return outcome.failure
    return Failure(
        code=outcome.result,
        message="The workflow has already seen a newer generation of this Tenant, or its deletion",
        retryable=True,
    )

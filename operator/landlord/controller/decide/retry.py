"""Decides when landlord starts a workflow that failed again."""

from landlord.api.outcome import Failure, Outcome
from landlord.api.request import Request
from landlord.engines.contract import JOURNAL_MISMATCH

RETRY_FAILED_AFTER = 300.0
"""Seconds until landlord restarts a workflow that failed, but may succeed. The workflow's own retries took
`spec.workflow.timeout` already, so these only have to be rarer."""

REFUSED_BY_WORKER = ("UnknownBackend", "IdentityConflict")
"""Failure codes by which the worker says that the Tenant can't be accepted as it is."""


def find_retry_wait(request: Request, outcome: Outcome) -> float | None:
    """Find out in how many seconds a failed workflow starts again; None if only a change can help.

    landlord retries a deletion until it succeeds: nobody can change the spec of what they have given up.
    """
    failure = read_failure(outcome)
    if failure.code == JOURNAL_MISMATCH:
        # The next attempt begins a journal of its own; it fails the same way only if workers alternate.
        return min(RETRY_FAILED_AFTER, 2.0 ** min(request.attempt, 10))
    may_succeed = failure.retryable or failure.code in REFUSED_BY_WORKER or request.operation == "delete"
    return RETRY_FAILED_AFTER if may_succeed else None


def read_failure(outcome: Outcome) -> Failure:
    """Read why the workflow ended without success."""
    if outcome.failure is not None:
        return outcome.failure
    return Failure(
        code=outcome.result,
        message="The workflow has already handled a newer generation of this Tenant, or its deletion",
        retryable=True,
    )

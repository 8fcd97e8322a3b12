"""Runs one try of one step. What the step raises becomes an outcome, or a reason to retry."""

import asyncio
import logging
import time
from collections.abc import Callable

from landlord import metrics
from landlord.api.outcome import LONGEST_MESSAGE, Failure, Outcome
from landlord.backends.contract import Step
from landlord.errors import LandlordError, StepError, Stuck, Terminal

log = logging.getLogger(__name__)

FIRST_RETRY = 0.2
RETRY_FACTOR = 2.0
LONGEST_RETRY = 5.0
"""Seconds between tries: short enough that a tenant continues soon after the cause of a failure is fixed."""

LONGEST_TRY = 60.0
SHORTEST_TRY = 30.0
"""A try that starts just before the deadline still gets this long, so it can fail with its own reason and not
with "Timeout": backends wait for up to 20 s before they report what they wait for."""

UNEXPECTED = "Unexpected"
"""Code of a failure for which the backend raised no StepError."""

Clock = Callable[[], float]


class TryAgain(LandlordError):
    """The try failed, but a later one may succeed. Text and repr are `<code>: <reason>`, then the advice:
    engines show either."""

    def __repr__(self) -> str:
        return str(self)


def next_wait(tries: int) -> float:
    """Return the seconds to wait after this number of failed tries."""
    return min(FIRST_RETRY * RETRY_FACTOR ** min(tries - 1, 16), LONGEST_RETRY)


def build_failure(
    code: str, message: str, *, fix: str = "", retryable: bool, step: str | None = None
) -> Outcome:
    """Return a Failed outcome, with its texts shortened to the API's limits."""
    return Outcome(
        result="Failed",
        failure=Failure(
            code=code[:63],
            message=_shorten(message),
            fix=_shorten(fix),
            retryable=retryable,
            step=step[:63] if step else None,
        ),
    )


async def attempt(backend: str, step: Step, started: float, deadline: float, clock: Clock) -> Outcome:
    """Try the step once.

    Returns the final outcome: success, a Terminal failure, or the last failure before the deadline. Raises
    TryAgain while there is time for another try.
    """
    limit = min(LONGEST_TRY, max(SHORTEST_TRY, deadline - clock()))
    begun = time.perf_counter()
    try:
        async with asyncio.timeout(limit) as bound:
            return Outcome(result="Succeeded", made=await step.run())
    except Terminal as error:
        metrics.step_failures.labels(backend, step.name, "terminal").inc()
        is_outside_spec = isinstance(error, Stuck)
        return build_failure(
            error.code, error.message, fix=error.fix, retryable=is_outside_spec, step=step.name
        )
    except Exception as error:  # by contract, anything else that a step raises is transient
        metrics.step_failures.labels(backend, step.name, "retryable").inc()
        code, message, fix = _describe(error, limit if bound.expired() else None)
        log.debug("step %s on %s failed: %s", step.name, backend, code, exc_info=error)
        now = clock()
        if now < deadline:
            raise TryAgain(f"{code}: {message}", fix=fix) from error
        message = f"{message} (tried for {now - started:.0f} s)"
        return build_failure(code, message, fix=fix, retryable=True, step=step.name)
    finally:
        metrics.step_seconds.labels(backend, step.name).observe(time.perf_counter() - begun)


def _shorten(text: str) -> str:
    return text if len(text) <= LONGEST_MESSAGE else f"{text[: LONGEST_MESSAGE - 1]}…"


def _describe(error: Exception, expired_after: float | None) -> tuple[str, str, str]:
    """Return code, message and fix."""
    if isinstance(error, StepError):
        return error.code, error.message, error.fix
    if expired_after is not None and isinstance(error, TimeoutError):
        return "Timeout", f"the step did not finish within {expired_after:.0f} s", ""
    return UNEXPECTED, f"{type(error).__name__}: {error}", ""

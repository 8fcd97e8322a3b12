"""One try of one step: what it raises becomes a value, or a reason to try again."""

import asyncio
import logging
import time
from collections.abc import Callable

from landlord import metrics
from landlord.api.outcome import LONGEST_MESSAGE, Failure, Outcome
from landlord.backends.contract import Step
from landlord.errors import StepError, Stuck, Terminal

log = logging.getLogger(__name__)

FIRST_RETRY = 0.2
RETRY_FACTOR = 2.0
LONGEST_RETRY = 5.0
"""Seconds between tries: short enough that a tenant does not wait long after what failed works again."""

LONGEST_TRY = 60.0
SHORTEST_TRY = 30.0
"""A try that starts just before the deadline still gets this long, to end with its own reason and not with
"Timeout": backends look for up to 20 s before they tell what they are waiting for."""

UNEXPECTED = "Unexpected"
"""Code of a failure that a backend did not name."""

Clock = Callable[[], float]


class TryAgain(Exception):
    """The try failed, but a later one may not. Text and repr are `<code>: <reason>`: engines show either."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def __repr__(self) -> str:
        return self.message


def next_wait(tries: int) -> float:
    """Seconds to wait after so many failed tries."""
    return min(FIRST_RETRY * RETRY_FACTOR ** min(tries - 1, 16), LONGEST_RETRY)


def failed(code: str, message: str, *, fix: str = "", retryable: bool, step: str | None = None) -> Outcome:
    """A Failed outcome whose texts fit the API's limits, however long a backend's own reason is."""
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

    Returns its outcome, which is final: success, a Terminal failure, or the last failure before the deadline.
    Raises TryAgain while there is time for another try.
    """
    limit = min(LONGEST_TRY, max(SHORTEST_TRY, deadline - clock()))
    begun = time.perf_counter()
    try:
        async with asyncio.timeout(limit) as bound:
            return Outcome(result="Succeeded", made=await step.run())
    except Terminal as error:
        metrics.step_failures.labels(backend, step.name, "terminal").inc()
        outside = isinstance(error, Stuck)
        return failed(error.code, error.message, fix=error.fix, retryable=outside, step=step.name)
    except Exception as error:  # the contract: whatever else a step raises may pass
        metrics.step_failures.labels(backend, step.name, "retryable").inc()
        code, message, fix = _reason(error, limit if bound.expired() else None)
        log.debug("step %s on %s failed: %s", step.name, backend, code, exc_info=error)
        now = clock()
        if now < deadline:
            raise TryAgain(f"{code}: {message}\nFix: {fix}" if fix else f"{code}: {message}") from error
        message = f"{message} (tried for {now - started:.0f} s)"
        return failed(code, message, fix=fix, retryable=True, step=step.name)
    finally:
        metrics.step_seconds.labels(backend, step.name).observe(time.perf_counter() - begun)


def _shorten(text: str) -> str:
    return text if len(text) <= LONGEST_MESSAGE else f"{text[: LONGEST_MESSAGE - 1]}…"


def _reason(error: Exception, expired_after: float | None) -> tuple[str, str, str]:
    """Code, message and fix."""
    if isinstance(error, StepError):
        return error.code, error.message, error.fix
    if expired_after is not None and isinstance(error, TimeoutError):
        return "Timeout", f"the step did not finish within {expired_after:.0f} s", ""
    return UNEXPECTED, f"{type(error).__name__}: {error}", ""

"""Converts an unfinished invocation to the progress in the Tenant's status. Pure."""

import re
from typing import Literal

from landlord.engines.contract import Progress
from landlord.engines.restate.seen import Invocation

SubState = Literal["Pending", "Running", "BackingOff", "Paused"]

_SUB_STATES: dict[str, SubState] = {
    "pending": "Pending",
    "scheduled": "Pending",
    "ready": "Pending",
    "backing-off": "BackingOff",
    "paused": "Paused",
}
_STEP = re.compile(r"(\d+)/(\d+) (.+)")
_ADVICE = re.compile(r"^Fix: (.+)$", re.MULTILINE)
MAX_ERROR = 512


def progress_of(invocation: Invocation) -> Progress:
    """Return the progress. Steps are the journal entries named `<n>/<m> <name>`; others are not shown."""
    sub_state = _SUB_STATES.get(invocation.status, "Running")
    if invocation.waits_for_worker:
        sub_state = "BackingOff"  # even if Restate paused it: landlord resumes it when the worker is back
    failed = invocation.last_failure_related_command_name
    # The failure of an earlier step, or an outage of the worker, is over as soon as a later step runs.
    over = sub_state == "Running" and failed != invocation.newest_step
    step = _STEP.fullmatch((None if over else failed) or invocation.newest_step or "")
    failure = None if over else invocation.last_failure
    return Progress(
        sub_state=sub_state,
        invocation_id=invocation.id,
        step=step[3] if step else None,
        step_number=int(step[1]) if step else None,
        total_steps=int(step[2]) if step else None,
        attempt=invocation.retry_count,
        next_retry=invocation.next_retry_at if sub_state == "BackingOff" else None,
        last_error=error_line(failure) if failure is not None else None,
        last_fix=advice_line(failure or ""),
    )


def advice_line(failure: str) -> str:
    """Return the advice of the error, which has a line of its own."""
    advice = _ADVICE.search(failure)
    return advice[1][:MAX_ERROR] if advice else ""


def error_line(failure: str) -> str:
    """Return the first line without Restate's prefix: `[500 Internal] no such image`.

    The other lines are a traceback, which is also in the worker's log.
    """
    line = failure.strip().partition("\n")[0]
    return re.sub(r"^\[\d+ [^\]]*\] *", "", line)[:MAX_ERROR] or "no details"

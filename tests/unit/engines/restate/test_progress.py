"""What a Tenant's status shows of unfinished work. Failures are as Restate 1.7.12 gave them."""

from datetime import UTC, datetime

import pytest

from landlord.engines.contract import Progress
from landlord.engines.restate.progress import error_line, progress_of
from landlord.engines.restate.seen import Invocation

AT = datetime(2026, 11, 23, 21, 0, tzinfo=UTC)
TRACEBACK = """[500 Internal] cannot pull image "foo:1": manifest unknown
Traceback (most recent call last):
  File …
"""
REFUSED = (
    "[500 Internal] error when calling 'http://127.0.0.1:9080/': h2 pool connection error: Connection refused"
)


def invocation(status: str, **columns: object) -> Invocation:
    row = {
        "id": "inv_1",
        "target_service_key": "acme",
        "target_handler_name": "apply",
        "idempotency_key": "u-1-1",
        "status": status,
    }
    return Invocation.model_validate(row | columns)


@pytest.mark.parametrize(
    ("seen", "shown"),
    [
        pytest.param(invocation("pending"), Progress("Pending", "inv_1"), id="waits in the queue"),
        pytest.param(invocation("ready"), Progress("Pending", "inv_1"), id="waits for a slot"),
        pytest.param(
            invocation("running", newest_step="1/3 network"),
            Progress("Running", "inv_1", "network", 1, 3),
            id="runs a step",
        ),
        pytest.param(
            invocation("running", newest_step="started"),
            Progress("Running", "inv_1"),
            id="has not begun the first step",
        ),
        pytest.param(
            invocation(
                "backing-off",
                newest_step="2/3 container",
                last_failure=TRACEBACK,
                last_failure_related_command_name="2/3 container",
                retry_count=4,
                next_retry_at=AT,
            ),
            Progress(
                "BackingOff",
                "inv_1",
                "container",
                2,
                3,
                attempt=4,
                next_retry=AT,
                last_error='cannot pull image "foo:1": manifest unknown',
            ),
            id="a step failed",
        ),
        pytest.param(
            invocation(
                "backing-off",
                newest_step="2/3 container",
                last_failure="[500 Internal] NoEngine: no engine answers\nFix: start it\nTraceback …",
                last_failure_related_command_name="2/3 container",
                retry_count=2,
                next_retry_at=AT,
            ),
            Progress(
                "BackingOff",
                "inv_1",
                "container",
                2,
                3,
                attempt=2,
                next_retry=AT,
                last_error="NoEngine: no engine answers",
                last_fix="start it",
            ),
            id="a step failed, and a person can help",
        ),
        pytest.param(
            invocation(
                "running",
                newest_step="2/3 container",
                last_failure=TRACEBACK,
                last_failure_related_command_name="2/3 container",
                retry_count=5,
            ),
            Progress(
                "Running",
                "inv_1",
                "container",
                2,
                3,
                attempt=5,
                last_error='cannot pull image "foo:1": manifest unknown',
            ),
            id="the failed step is tried again",
        ),
        pytest.param(
            invocation(
                "running",
                newest_step="3/3 health",
                last_failure=TRACEBACK,
                last_failure_related_command_name="2/3 container",
                retry_count=5,
            ),
            Progress("Running", "inv_1", "health", 3, 3, attempt=5),
            id="the failure is overcome",
        ),
        pytest.param(
            invocation(
                "backing-off",
                newest_step="2/3 container",
                last_failure=REFUSED,
                retry_count=3,
                next_retry_at=AT,
            ),
            Progress(
                "BackingOff",
                "inv_1",
                "container",
                2,
                3,
                attempt=3,
                next_retry=AT,
                last_error="error when calling 'http://127.0.0.1:9080/': h2 pool connection error: "
                "Connection refused",
            ),
            id="the worker is away",
        ),
        pytest.param(
            invocation("running", newest_step="2/3 container", last_failure=REFUSED, retry_count=3),
            Progress("Running", "inv_1", "container", 2, 3, attempt=3),
            id="the worker is back",
        ),
        pytest.param(
            invocation("paused", newest_step="2/3 container"),
            Progress("Paused", "inv_1", "container", 2, 3),
            id="paused",
        ),
        pytest.param(
            invocation(
                "paused",
                newest_step="2/3 container",
                last_failure="refused",
                last_failure_error_code="RT0010",
            ),
            Progress("BackingOff", "inv_1", "container", 2, 3, last_error="refused"),
            id="paused while the worker was away",
        ),
        pytest.param(invocation("some-new-state"), Progress("Running", "inv_1"), id="unknown state"),
    ],
)
def test_what_is_shown(seen: Invocation, shown: Progress) -> None:
    assert progress_of(seen) == shown


@pytest.mark.parametrize(
    ("failure", "line"),
    [
        ("[570 Journal mismatch] Found a mismatch between\nThis typically", "Found a mismatch between"),
        ("no prefix", "no prefix"),
        ("[::1]:9080 refused", "[::1]:9080 refused"),
        ("", "no details"),
        ("x" * 5000, "x" * 512),
    ],
)
def test_one_short_line_of_a_failure_is_kept(failure: str, line: str) -> None:
    assert error_line(failure) == line

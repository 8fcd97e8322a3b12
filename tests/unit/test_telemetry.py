"""What is logged, and how grave it is called."""

import logging

import pytest

from landlord.telemetry import demote_kopf_retries


@pytest.mark.parametrize(
    ("logger", "message", "severity"),
    [
        ("kopf._cogs.clients.watching", "Request attempt #1/9 failed; will retry: GET ...", "WARNING"),
        ("kopf._cogs.clients.watching", "Request attempt #9/9 failed; escalating: GET ...", "ERROR"),
        ("landlord.controller.kube", "it failed; will retry", "ERROR"),
    ],
)
def test_what_kopf_tries_again_by_itself_is_no_error(logger: str, message: str, severity: str) -> None:
    record = logging.LogRecord(logger, logging.ERROR, "file.py", 1, message, None, None)
    assert demote_kopf_retries(record)
    assert record.levelname == severity
    assert record.levelno == logging.getLevelName(severity)

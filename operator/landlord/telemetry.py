"""Logs: one line for each change of state, as JSON for programs or as text for people."""

import logging
import sys
from typing import Literal

from pythonjsonlogger.json import JsonFormatter

QUIET = {
    "kopf": logging.WARNING,  # it logs every event at INFO; landlord logs the consequences
    "kopf.objects": logging.ERROR,
    # landlord logs once why the watch ended, and starts it again
    "kopf._core.reactor.running": logging.CRITICAL,
    "kopf._core.reactor.orchestration": logging.CRITICAL,
    "aiohttp.access": logging.WARNING,
    "httpx": logging.WARNING,
    "hypercorn.access": logging.WARNING,
    "restate": logging.WARNING,
    # a traceback for each failed try of a step, although Restate and the Tenant show the error
    "restate.server_context": logging.CRITICAL,
}

STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}


def demote_kopf_retries(record: logging.LogRecord) -> bool:
    """Log errors that kopf retries by itself as warnings. Filters nothing out."""
    if (
        record.levelno == logging.ERROR
        and record.name.startswith("kopf.")
        and "will retry" in str(record.msg)
    ):
        record.levelno, record.levelname = logging.WARNING, "WARNING"
    return True


class TextFormatter(logging.Formatter):
    """`time LEVEL message key=value …`, the fields of `extra` last."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(message)s", "%H:%M:%S")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name is logging's
        """Render the record in one line, without a traceback."""
        fields = [f"{key}={value}" for key, value in vars(record).items() if key not in STANDARD]
        return " ".join([*super().formatMessage(record).splitlines(), *fields])


def configure(log_format: Literal["auto", "text", "json"], level: str) -> None:
    """Send all logs to standard error in one format."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(demote_kopf_retries)
    text = log_format == "text" or (log_format == "auto" and sys.stderr.isatty())
    handler.setFormatter(
        TextFormatter()
        if text
        else JsonFormatter(
            "%(levelname)s %(name)s %(message)s",
            rename_fields={"levelname": "severity", "name": "logger"},
            timestamp=True,
        )
    )
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    for name, quiet in QUIET.items():
        logging.getLogger(name).setLevel(max(quiet, logging.getLevelName(level.upper())))

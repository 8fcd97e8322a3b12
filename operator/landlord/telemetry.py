"""Logs: one line per state change; JSON for machines, text for people."""

import logging
import sys
from typing import Literal

from pythonjsonlogger.json import JsonFormatter

QUIET = {
    "kopf": logging.WARNING,  # its every event at INFO; landlord logs what an event led to
    "kopf.objects": logging.ERROR,
    "kopf._core.reactor.running": logging.ERROR,  # it warns that signals are not its business here
    "aiohttp.access": logging.WARNING,
    "httpx": logging.WARNING,
    "hypercorn.access": logging.WARNING,
    "restate": logging.WARNING,
    # a traceback for each try of a step that fails, which Restate is told and the Tenant shows
    "restate.server_context": logging.CRITICAL,
}

STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}


def tempered(record: logging.LogRecord) -> bool:
    """Make a warning of what kopf calls an error and tries again by itself; leave everything in."""
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
        """Render the line without a traceback."""
        fields = [f"{key}={value}" for key, value in vars(record).items() if key not in STANDARD]
        return " ".join([super().formatMessage(record), *fields])


def configure(log_format: Literal["auto", "text", "json"], level: str) -> None:
    """Send all logs to standard error in one format."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(tempered)
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

"""What an answer of Restate says about the request: the one table for ingress and admin API. Pure.

An answer counts as the request's fault only if the same request would get it from every healthy Restate. All
other answers are about Restate's state, or come from a gateway before it. They may pass, so landlord retries:
a request that is retried in vain costs little, and a Tenant that failed for good stays so until somebody
changes it.
"""

import re
from typing import Literal, NamedTuple

Api = Literal["ingress", "admin"]
Cause = Literal["request", "missing", "unfinished", "unregistered", "denied", "busy", "other"]
CAUSES: dict[Cause, str] = {
    "request": "the request is wrong: the Tenant fails until its spec changes",
    "missing": "what the request is about does not exist, or has ended",
    "unfinished": "the workflow has not ended",
    "unregistered": "Restate does not offer the workflow: landlord registers it again, and retries",
    "denied": "Restate, or a gateway before it, rejects landlord's credentials: landlord retries",
    "busy": "Restate, or a gateway before it, can't answer now: landlord retries",
    "other": "something else than Restate answered, or Restate answered something unknown: landlord retries",
}
"""What landlord concludes from each cause."""

MEASURED = "measured with Restate 1.7.12"
READ = "Restate's source"
HTTP = "the meaning of the status in HTTP"


class AnswerRow(NamedTuple):
    """One row of the table. The first row that fits applies."""

    api: Api | None
    """None for both."""
    statuses: range
    by_restate: bool
    """Whether the row is only for errors in the API's own format, which no gateway has."""
    words: str
    """A regular expression for the beginning of the message; empty for any message."""
    cause: Cause
    source: str
    """Where it is known from."""


def _only(status: int) -> range:
    return range(status, status + 1)


TABLE: tuple[AnswerRow, ...] = (
    AnswerRow("ingress", _only(470), True, "", "unfinished", MEASURED),
    AnswerRow("ingress", _only(404), True, "invocation not found", "missing", MEASURED),
    AnswerRow("ingress", _only(404), True, "", "unregistered", MEASURED),
    AnswerRow("ingress", _only(400), True, "the invoked service is not public", "unregistered", MEASURED),
    AnswerRow("ingress", _only(400), True, "input validation error", "request", MEASURED),
    AnswerRow("ingress", _only(400), True, "bad (path|header|delay)", "request", MEASURED),
    AnswerRow("ingress", _only(400), True, "cannot use", "request", READ),
    # Restate answers in plain text, as gateways do. Both mean the size of this request.
    AnswerRow("ingress", _only(413), False, "", "request", MEASURED),
    AnswerRow("admin", _only(404), True, "", "missing", MEASURED),
    AnswerRow("admin", _only(409), True, "", "missing", MEASURED),
    # In plain text too: a URL that Restate can't parse.
    AnswerRow("admin", _only(400), False, "", "request", MEASURED),
    AnswerRow("admin", _only(422), False, "", "request", MEASURED),
    AnswerRow(None, _only(401), False, "", "denied", HTTP),
    AnswerRow(None, _only(403), False, "", "denied", HTTP),
    AnswerRow(None, _only(408), False, "", "busy", HTTP),
    AnswerRow(None, _only(421), False, "", "busy", HTTP),
    AnswerRow(None, _only(425), False, "", "busy", HTTP),
    AnswerRow(None, _only(429), False, "", "busy", HTTP),
    AnswerRow(None, range(500, 600), False, "", "busy", HTTP),
    AnswerRow(None, range(1000), False, "", "other", HTTP),
)


def find_cause(api: Api, status: int, message: str, *, by_restate: bool) -> Cause:
    """Return what an answer means. `by_restate` says whether it is an error in the API's own format."""
    return next(
        row.cause
        for row in TABLE
        if row.api in (api, None)
        and status in row.statuses
        and (by_restate or not row.by_restate)
        and re.match(row.words, message)
    )

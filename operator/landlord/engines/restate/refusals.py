"""What it means that Restate did not register the worker, and what a person can do about it. Pure."""

import re
from dataclasses import dataclass
from typing import Literal, NamedTuple

from landlord.engines.restate.answers import Cause, find_cause
from landlord.engines.restate.seen import NotOffered, Refused, TimedOut
from landlord.errors import EngineUnreachable

Reason = Literal["WorkerUnreachable", "RegistrationRejected", "EngineUnreachable"]

MAX_DETAIL = 300


Retry = Literal["soon", "now_and_then", "on_change"]
RETRY_TEXT: dict[Retry, str] = {
    "soon": "after 0.1 s, doubling up to 2 s",
    "now_and_then": "every 30 s, because landlord can't observe when the problem is fixed",
    "on_change": "at once when the worker's revision or Restate's registration changes, or when one of them "
    "was down; within 30 s after a connection to one of them ended; otherwise every 10 minutes",
}


@dataclass(frozen=True)
class Refusal:
    """A registration that failed."""

    reason: Reason
    retry: Retry
    message: str


class Meaning(NamedTuple):
    """One row of the table. The advice is the text of a `Fix: …` line."""

    reason: Reason
    retry: Retry
    advice: str


BY_CODE: dict[str, Meaning] = {
    "META0003": Meaning(
        "WorkerUnreachable",
        "soon",
        "check that the worker runs, that Restate can reach its URL, and that no network policy blocks it",
    ),
    "META0004": Meaning(
        "RegistrationRejected", "now_and_then", "delete the other deployment of this URL from Restate"
    ),
    "META0005": Meaning(
        "RegistrationRejected",
        "on_change",
        "wipe Restate's damaged metadata, and register its deployments in their original order",
    ),
    "META0006": Meaning(
        "RegistrationRejected",
        "on_change",
        "delete the deployment of the other service with this name from Restate, or give landlord a Restate "
        "of its own",
    ),
    "META0012": Meaning(
        "RegistrationRejected",
        "on_change",
        "upgrade Restate or the worker, whichever is older: they have no protocol version in common",
    ),
    "META0013": Meaning(
        "RegistrationRejected",
        "on_change",
        "check LANDLORD_WORKER_URL: the server there does not speak Restate's protocol",
    ),
    "META0014": Meaning(
        "RegistrationRejected",
        "on_change",
        "allow h2c through the proxy between Restate and the worker, which speaks only HTTP/1.1",
    ),
    "META0015": Meaning(
        "RegistrationRejected",
        "on_change",
        "allow h2c through the proxy between Restate and the worker, which speaks only HTTP/1.1",
    ),
    "META0016": Meaning(
        "RegistrationRejected",
        "on_change",
        "deploy the previous version of the worker, which this one is incompatible with, or delete its "
        "deployment from Restate",
    ),
    "META0017": Meaning(
        "RegistrationRejected",
        "now_and_then",
        "delete all but one of Restate's deployments of this URL",
    ),
}
OTHER_CODE = Meaning("RegistrationRejected", "on_change", "see Restate's documentation of this code")
UNSIGNED = Meaning(
    "RegistrationRejected",
    "soon",
    "set the worker's LANDLORD_RESTATE_IDENTITY_KEYS to the public key in Restate's log, and make sure that "
    "their clocks differ by less than a minute: the worker rejects Restate's signature",
)
UNREADABLE = Meaning(
    "RegistrationRejected",
    "on_change",
    "check LANDLORD_WORKER_URL: the server there is not a landlord worker that this Restate understands",
)
NOT_OFFERED = Meaning(
    "RegistrationRejected",
    "on_change",
    "check LANDLORD_WORKER_URL: the server there is another worker",
)

HANGING = Meaning(
    "WorkerUnreachable", "soon", "restart the worker, or check what is between Restate and the worker"
)
DENIED = Meaning(
    "EngineUnreachable", "soon", "correct LANDLORD_RESTATE_AUTH_HEADER or LANDLORD_RESTATE_AUTH_HEADER_FILE"
)
BUSY = Meaning("EngineUnreachable", "soon", "landlord retries")
OTHER = Meaning(
    "EngineUnreachable", "soon", "check LANDLORD_RESTATE_ADMIN_URL and what is between landlord and Restate"
)
BAD_URL = Meaning("RegistrationRejected", "now_and_then", "check LANDLORD_WORKER_URL")
BY_CAUSE: dict[Cause, Meaning] = {"denied": DENIED, "busy": BUSY, "request": BAD_URL}
"""For answers without a code, whose cause `answers` finds; OTHER for other causes."""


def interpret(error: Refused | EngineUnreachable, worker_url: str) -> Refusal:
    """Return what the error of a registration attempt means."""
    if isinstance(error, TimedOut):
        fact = f"the worker at {worker_url} keeps Restate waiting for its discovery answer"
        return Refusal(HANGING.reason, HANGING.retry, f"{fact}\nFix: {HANGING.advice}.")
    if isinstance(error, NotOffered):
        fact = f"the worker at {worker_url} {error}"
        return Refusal(NOT_OFFERED.reason, NOT_OFFERED.retry, f"{fact}\nFix: {NOT_OFFERED.advice}.")
    if isinstance(error, EngineUnreachable):
        return Refusal("EngineUnreachable", "soon", message=str(error))
    meaning = _find_meaning(error)
    code = error.code or f"HTTP {error.status}"
    fact = f"Restate did not register the worker at {worker_url}: {shorten(error.message)} ({code})"
    advice = f"; {meaning.advice}" if meaning is BUSY else f"\nFix: {meaning.advice}."
    return Refusal(meaning.reason, meaning.retry, f"{fact}{advice}")


def _find_meaning(error: Refused) -> Meaning:
    if error.code == "META0003" and re.search(r"status code '40[13]", error.message):
        return UNSIGNED
    if error.code is not None:
        return BY_CODE.get(error.code, OTHER_CODE)
    if "bad response from the SDK" in error.message:
        return UNREADABLE
    return BY_CAUSE.get(find_cause("admin", error.status, error.message, by_restate=False), OTHER)


def shorten(message: str) -> str:
    """Strip codes, bodies and headers, whose date differs each time, from Restate's message."""
    text = re.sub(r"^(\[META\d+\] *)+", "", message.strip())
    text = re.split(r"\.? (?:Response headers|Discovery response):|\n", text, maxsplit=1)[0]
    return text[:MAX_DETAIL].rstrip(" .")

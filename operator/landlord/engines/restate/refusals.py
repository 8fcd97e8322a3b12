"""Why Restate did not register the worker: what it means, and what a person can do about it. Pure."""

import re
from dataclasses import dataclass
from typing import Literal, NamedTuple

from landlord.engines.restate.seen import NotOffered, Refused, TimedOut
from landlord.errors import EngineUnreachable

Reason = Literal["WorkerUnreachable", "RegistrationRejected", "EngineUnreachable"]

MAX_DETAIL = 300


Retry = Literal["soon", "now_and_then", "on_change"]
RETRY_TEXT: dict[Retry, str] = {
    "soon": "0.1 s after the first attempt, doubling up to every 2 s",
    "now_and_then": "every 30 s, as nothing that landlord looks at shows when it is put right",
    "on_change": "at once when the worker's revision or what is registered in Restate changes, and when "
    "either was away; within 30 s when a connection to either has ended; else every 10 minutes",
}


@dataclass(frozen=True)
class Refusal:
    """A registration that did not succeed."""

    reason: Reason
    retry: Retry
    message: str


class Meaning(NamedTuple):
    """One row of the table."""

    reason: Reason
    retry: Retry
    advice: str


BY_CODE: dict[str, Meaning] = {
    "META0003": Meaning(
        "WorkerUnreachable",
        "soon",
        "check that the worker runs, that its URL is right from where Restate runs, and that no network "
        "policy is in between",
    ),
    "META0004": Meaning(
        "RegistrationRejected", "now_and_then", "remove the other deployment of that URL from Restate"
    ),
    "META0005": Meaning(
        "RegistrationRejected",
        "on_change",
        "Restate's metadata is damaged: wipe it, and register its deployments in their original order",
    ),
    "META0006": Meaning(
        "RegistrationRejected",
        "on_change",
        "a service of another type has that name: remove its deployment from Restate, or give landlord a "
        "Restate of its own",
    ),
    "META0012": Meaning(
        "RegistrationRejected",
        "on_change",
        "Restate and the worker's SDK have no version of their protocol in common: upgrade the older one",
    ),
    "META0013": Meaning(
        "RegistrationRejected",
        "on_change",
        "what answers there does not speak Restate's protocol; check LANDLORD_WORKER_URL",
    ),
    "META0014": Meaning(
        "RegistrationRejected",
        "on_change",
        "Restate speaks HTTP/2 to the worker, and something in between speaks only HTTP/1.1: let h2c through",
    ),
    "META0015": Meaning(
        "RegistrationRejected",
        "on_change",
        "the worker needs HTTP/2, and something in between speaks only HTTP/1.1: let h2c through",
    ),
    "META0016": Meaning(
        "RegistrationRejected",
        "on_change",
        "the worker does not fit the one that is registered: deploy the former version again, or remove its "
        "deployment from Restate",
    ),
    "META0017": Meaning(
        "RegistrationRejected",
        "now_and_then",
        "Restate has several deployments of that URL: remove all but one of them",
    ),
}
OTHER_CODE = Meaning("RegistrationRejected", "on_change", "see Restate's documentation of that code")
UNSIGNED = Meaning(
    "RegistrationRejected",
    "soon",
    "the worker refuses Restate's signature: set the worker's LANDLORD_RESTATE_IDENTITY_KEYS to the public "
    "key in Restate's log, and see that their clocks differ by less than a minute",
)
UNREADABLE = Meaning(
    "RegistrationRejected",
    "on_change",
    "what answers there is not a landlord worker that this Restate understands; check LANDLORD_WORKER_URL",
)
NOT_OFFERED = Meaning(
    "RegistrationRejected",
    "on_change",
    "what answers there is another worker of Restate: check LANDLORD_WORKER_URL",
)

DENIED = Meaning(
    "EngineUnreachable", "soon", "check LANDLORD_RESTATE_AUTH_HEADER or LANDLORD_RESTATE_AUTH_HEADER_FILE"
)
BUSY = Meaning("EngineUnreachable", "soon", "landlord keeps trying")
BY_STATUS: dict[int, Meaning] = {401: DENIED, 403: DENIED, 408: BUSY, 429: BUSY}
OTHER_4XX = Meaning(
    "RegistrationRejected", "on_change", "check LANDLORD_WORKER_URL and LANDLORD_RESTATE_ADMIN_URL"
)


def refusal(error: Refused | EngineUnreachable, worker_url: str) -> Refusal:
    """What the error of an attempt to register the worker means."""
    if isinstance(error, TimedOut):
        return Refusal(
            "WorkerUnreachable",
            "soon",
            message=f"the worker at {worker_url} lets Restate wait for its discovery answer; restart it, or "
            "check what is between Restate and it",
        )
    if isinstance(error, NotOffered):
        return Refusal(NOT_OFFERED.reason, NOT_OFFERED.retry, f"{worker_url} {error}; {NOT_OFFERED.advice}")
    if isinstance(error, EngineUnreachable):
        return Refusal("EngineUnreachable", "soon", message=str(error))
    reason, retry, advice = _meaning(error)
    code = error.code or f"HTTP {error.status}"
    return Refusal(
        reason,
        retry,
        f"Restate did not register the worker at {worker_url}: {detail(error.message)} ({code}); {advice}",
    )


def _meaning(error: Refused) -> Meaning:
    if error.code == "META0003" and re.search(r"status code '40[13]", error.message):
        return UNSIGNED
    if error.code is not None:
        return BY_CODE.get(error.code, OTHER_CODE)
    if "bad response from the SDK" in error.message:
        return UNREADABLE
    return BY_STATUS.get(error.status, BUSY if error.status >= 500 else OTHER_4XX)


def detail(message: str) -> str:
    """Restate's message without codes in front, without headers, whose date differs each time, or bodies."""
    text = re.sub(r"^(\[META\d+\] *)+", "", message.strip())
    text = re.split(r"\.? (?:Response headers|Discovery response):|\n", text, maxsplit=1)[0]
    return text[:MAX_DETAIL].rstrip(" .")

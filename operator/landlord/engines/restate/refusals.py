"""Why Restate did not register the worker: what it means, and what a person can do about it. Pure."""

import re
from dataclasses import dataclass
from typing import Literal, NamedTuple

from landlord.engines.restate.seen import Refused, TimedOut
from landlord.errors import EngineUnreachable

Reason = Literal["WorkerUnreachable", "RegistrationRejected", "EngineUnreachable"]

MAX_DETAIL = 300


@dataclass(frozen=True)
class Refusal:
    """A registration that did not succeed."""

    reason: Reason
    permanent: bool
    """Trying again is pointless until the worker or what is registered changes."""
    message: str


class Meaning(NamedTuple):
    """One row of the table."""

    reason: Reason
    permanent: bool
    advice: str


BY_CODE: dict[str, Meaning] = {
    "META0003": Meaning(
        "WorkerUnreachable",
        False,
        "check that the worker runs, that its URL is right from where Restate runs, and that no network "
        "policy is in between",
    ),
    "META0004": Meaning("RegistrationRejected", True, "remove the other deployment of that URL from Restate"),
    "META0005": Meaning(
        "RegistrationRejected", True, "register the deployments of that Restate in their original order"
    ),
    "META0006": Meaning(
        "RegistrationRejected",
        True,
        "a service of another type has that name: remove its deployment from Restate, or give landlord a "
        "Restate of its own",
    ),
    "META0013": Meaning(
        "RegistrationRejected",
        True,
        "what answers there does not speak Restate's protocol; check LANDLORD_WORKER_URL",
    ),
    "META0014": Meaning(
        "RegistrationRejected",
        True,
        "Restate speaks HTTP/2 to the worker, and something in between speaks only HTTP/1.1: let h2c through",
    ),
    "META0016": Meaning(
        "RegistrationRejected",
        True,
        "the worker does not fit the one that is registered: deploy the former version again, or remove its "
        "deployment from Restate",
    ),
}
OTHER_CODE = Meaning("RegistrationRejected", True, "see Restate's documentation of that code")
UNSIGNED = Meaning(
    "RegistrationRejected",
    False,
    "the worker refuses Restate's signature: set the worker's LANDLORD_RESTATE_IDENTITY_KEYS to the public "
    "key in Restate's log",
)

DENIED = Meaning("EngineUnreachable", False, "let landlord use Restate's admin API")
BUSY = Meaning("EngineUnreachable", False, "landlord keeps trying")
BY_STATUS: dict[int, Meaning] = {401: DENIED, 403: DENIED, 408: BUSY, 429: BUSY}
OTHER_4XX = Meaning("RegistrationRejected", True, "check LANDLORD_WORKER_URL and LANDLORD_RESTATE_ADMIN_URL")


def refusal(error: Refused | EngineUnreachable, worker_url: str) -> Refusal:
    """What the error of an attempt to register the worker means."""
    if isinstance(error, TimedOut):
        return Refusal(
            "WorkerUnreachable",
            permanent=False,
            message=f"the worker at {worker_url} lets Restate wait for its discovery answer; restart it, or "
            "check what is between Restate and it",
        )
    if isinstance(error, EngineUnreachable):
        return Refusal("EngineUnreachable", permanent=False, message=str(error))
    reason, permanent, advice = _meaning(error)
    code = error.code or f"HTTP {error.status}"
    return Refusal(
        reason,
        permanent,
        f"Restate did not register the worker at {worker_url}: {detail(error.message)} ({code}); {advice}",
    )


def _meaning(error: Refused) -> Meaning:
    if error.code == "META0003" and re.search(r"status code '40[13]", error.message):
        return UNSIGNED
    if error.code is not None:
        return BY_CODE.get(error.code, OTHER_CODE)
    return BY_STATUS.get(error.status, BUSY if error.status >= 500 else OTHER_4XX)


def detail(message: str) -> str:
    """Restate's message without codes in front and without headers, whose date differs each time."""
    text = re.sub(r"^(\[META\d+\] *)+", "", message.strip())
    text = re.split(r"\.? Response headers:|\n", text, maxsplit=1)[0]
    return text[:MAX_DETAIL].rstrip(" .")

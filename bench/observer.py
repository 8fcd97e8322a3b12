"""Sees when Restate answers again and when its registration is right again, by asking all the time.

Made for a thread of its own: what else the bench does must not delay what is seen.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass

from bench.metrics import read_metrics
from dev.failure import LocalFailure
from dev.net import request
from landlord.api.names import REVISION, WORKFLOW_SERVICE
from landlord.api.schema import JsonObject

POLL_SECONDS = 0.002
LONGEST_AWAY = 60.0
LONGEST_REPAIR = 60.0
"""Seconds after which the run is given up."""


@dataclass(frozen=True)
class ObservedTimes:
    """Times are those of `time.perf_counter`."""

    answered: float
    """The first HTTP 200 of Restate's admin API."""
    registered: float
    """The admin API showed our worker's URI and revision as what the service runs on."""
    verified: float
    """The operator said so as well, from a look at Restate after its first answer."""


@dataclass(frozen=True)
class Observer:
    """Where to ask. The worker at `worker_url` with this revision is what has to be registered."""

    admin_url: str
    worker_url: str
    operator_url: str
    revision: str

    def watch(self) -> ObservedTimes:
        """Ask until all has been seen; to be called while Restate is away. Raises LocalFailure."""
        answered = wait_for(
            lambda: is_answering(f"{self.admin_url}/health"), LONGEST_AWAY, "Restate to answer"
        )
        answered_at = time.time()
        registered = wait_for(self._registered, LONGEST_REPAIR, "the registration")
        verified = wait_for(
            lambda: self._verified(answered_at), LONGEST_REPAIR, "the operator to verify the registration"
        )
        return ObservedTimes(answered, registered, verified)

    def _registered(self) -> bool:
        service = _get(f"{self.admin_url}/services/{WORKFLOW_SERVICE}")
        if "deployment_id" not in service:
            return False
        deployment = _get(f"{self.admin_url}/deployments/{service['deployment_id']}")
        uri, seen = deployment.get("uri", ""), service.get("metadata", {}).get(REVISION)
        return (uri.rstrip("/"), seen) == (self.worker_url, self.revision)

    def _verified(self, since: float) -> bool:
        said = read_metrics(self.operator_url)
        return (
            said["landlord_registration_up{}"] == 1
            and said["landlord_registration_last_verified_timestamp_seconds{}"] > since
        )


def wait_for(seen: Callable[[], bool], seconds: float, what: str) -> float:
    """Ask until it is so; returns when. Raises LocalFailure."""
    deadline = time.monotonic() + seconds
    while not seen():
        if time.monotonic() > deadline:
            raise LocalFailure(f"waited {seconds:.0f} s in vain for {what}")
        time.sleep(POLL_SECONDS)
    return time.perf_counter()


def is_answering(url: str) -> bool:
    """Whether a GET is answered with status 200."""
    answer = request(url)
    return answer is not None and answer[0] == 200


def _get(url: str) -> JsonObject:
    """The body of an answer; empty while there is no answer of status 200."""
    answer = request(url)
    if answer is None or answer[0] != 200:
        return {}
    found: JsonObject = json.loads(answer[1])
    return found

"""Observe when Restate answers again and when its registration is correct again, by constant polling.

It runs in its own thread, so that the rest of the benchmark does not delay it.
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
"""Seconds after which the run fails."""


@dataclass(frozen=True)
class ObservedTimes:
    """Times are those of `time.perf_counter`."""

    answered: float
    """The first HTTP 200 of Restate's admin API."""
    registered: float
    """The admin API reported that the service runs on the worker, at its current revision."""
    verified: float
    """The operator reported that too, from a check after Restate's first answer."""


@dataclass(frozen=True)
class Observer:
    """The URLs to poll. The worker at `worker_url` with this revision must be registered."""

    admin_url: str
    worker_url: str
    operator_url: str
    revision: str

    def watch(self) -> ObservedTimes:
        """Poll until everything was observed. Call this while Restate is stopped. Raises LocalFailure."""
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
    """Poll until `seen`. Returns the time. Raises LocalFailure after `seconds`."""
    deadline = time.monotonic() + seconds
    while not seen():
        if time.monotonic() > deadline:
            raise LocalFailure(f"timed out after {seconds:.0f} s waiting for {what}")
        time.sleep(POLL_SECONDS)
    return time.perf_counter()


def is_answering(url: str) -> bool:
    """Whether a GET returns status 200."""
    answer = request(url)
    return answer is not None and answer[0] == 200


def _get(url: str) -> JsonObject:
    """The decoded body of an answer, which is empty unless its status is 200."""
    answer = request(url)
    if answer is None or answer[0] != 200:
        return {}
    found: JsonObject = json.loads(answer[1])
    return found

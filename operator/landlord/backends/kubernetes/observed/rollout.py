"""How far a rollout is, and what is in its way. No I/O."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from landlord.api.schema import JsonObject
from landlord.api.workload import Quantity
from landlord.backends.cluster.api_errors import explain_missing_pods
from landlord.backends.kubernetes.observed import pod_failures
from landlord.errors import Retryable, StepError, Terminal


def describe_progress(deployment: JsonObject) -> str | None:
    """What has not happened yet; None once all replicas are available, and all of the present version."""
    status = deployment.get("status", {})
    wanted = deployment["spec"]["replicas"]
    updated, available = status.get("updatedReplicas", 0), status.get("availableReplicas", 0)
    if status.get("observedGeneration", 0) < deployment["metadata"]["generation"]:
        return "the Deployment has not been looked at by its controller"
    if updated < wanted:
        return f"{updated} of {wanted} pods are made"
    if available < wanted:
        return f"{available} of {wanted} pods are available"
    if (others := status.get("replicas", 0) - updated) > 0:
        return f"{others} pods of the version before are still there"
    return None


def is_stopped(deployment: JsonObject) -> bool:
    """Whether it is to have no pods, and its controller has seen to that."""
    status = deployment.get("status", {})
    seen = status.get("observedGeneration", 0) >= deployment["metadata"]["generation"]
    return seen and not deployment["spec"]["replicas"] and not status.get("replicas")


def find_failure(
    replica_sets: Iterable[JsonObject], pods: Sequence[JsonObject], quota: Mapping[str, Quantity]
) -> StepError | None:
    """What keeps the present version from running, if that is known: what is hopeless first."""
    alive = [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]
    # A pod that was evicted stays to be looked at, long after others took its place.
    alive.sort(key=_has_failed)
    found = [
        *_find_refusals(replica_sets, quota),
        *(each for pod in alive for each in _find_pod_failures(pod)),
    ]
    return next((each for each in found if isinstance(each, Terminal)), next(iter(found), None))


def _find_refusals(replica_sets: Iterable[JsonObject], quota: Mapping[str, Quantity]) -> Iterator[StepError]:
    for condition in (each for found in replica_sets for each in _read_conditions(found)):
        if condition["type"] == "ReplicaFailure" and condition["status"] == "True":
            yield explain_missing_pods(condition.get("message", ""), quota)


def _find_pod_failures(pod: JsonObject) -> Iterator[StepError]:
    if _has_failed(pod):
        status = pod["status"]
        yield Retryable("PodFailed", f"the pod failed: {status.get('reason')}: {status.get('message')}")
        return
    yield from pod_failures.find_failures(pod)
    for condition in _read_conditions(pod):
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            yield Retryable(
                "Unschedulable",
                f"no node takes the pod: {condition.get('message', '')}\n"
                "To do: add nodes, or change requests or compute.kubernetes.nodeSelector; it is tried again.",
            )


def _has_failed(pod: JsonObject) -> bool:
    return bool(pod.get("status", {}).get("phase") == "Failed")


def select_unready(pods: Iterable[JsonObject]) -> list[JsonObject]:
    """The pods that are there to stay, and not ready."""
    return [
        pod
        for pod in pods
        if "deletionTimestamp" not in pod["metadata"]
        and not any(each["type"] == "Ready" and each["status"] == "True" for each in _read_conditions(pod))
    ]


def explain_delay(waiting: str, pods: Sequence[JsonObject], events: Sequence[JsonObject]) -> StepError:
    """The failure of a rollout that takes long without known trouble: what the pods' events say of it."""
    warnings = sorted((event for event in events if event.get("type") == "Warning"), key=_read_time)
    if not warnings:
        crashed = sum(
            status.get("restartCount", 0)
            for pod in pods
            for status in pod.get("status", {}).get("containerStatuses") or ()
        )
        again = f"; containers were restarted {crashed} times" if crashed else ""
        return Retryable("RolloutPending", f"{waiting}{again}")
    event = warnings[-1]
    reason, said = event.get("reason"), pod_failures.last_words(event.get("message", ""))
    if reason == "Unhealthy":
        todo = "correct the probe or what it asks; it is tried again"
        return Retryable("ProbeFailed", f"{said}; {waiting}\nTo do: {todo}.")
    todo = "see `kubectl describe pod`; it is tried again"
    return Retryable("PodNotReady", f"{reason}: {said}; {waiting}\nTo do: {todo}.")


def _read_conditions(found: JsonObject) -> list[JsonObject]:
    return found.get("status", {}).get("conditions") or []


def _read_time(event: JsonObject) -> str:
    series = event.get("series") or {}
    times = (series.get("lastObservedTime"), event.get("lastTimestamp"), event.get("eventTime"))
    return next((time for time in times if time), "")

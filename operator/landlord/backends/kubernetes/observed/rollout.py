"""Reads the progress of a rollout, and what blocks it. No I/O."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from landlord.api.amounts import Quantity
from landlord.api.schema import JsonObject
from landlord.backends.cluster.api_errors import explain_missing_pods
from landlord.backends.failures import find_last_line
from landlord.backends.kubernetes.observed import pod_failures
from landlord.errors import Retryable, StepError, Stuck, Terminal


def describe_progress(deployment: JsonObject) -> str | None:
    """Describe what the rollout waits for; None once all replicas of the current version are available."""
    status = deployment.get("status", {})
    wanted = deployment["spec"]["replicas"]
    updated, available = status.get("updatedReplicas", 0), status.get("availableReplicas", 0)
    because = ", because somebody paused the rollout" if deployment["spec"].get("paused") else ""
    if status.get("observedGeneration", 0) < deployment["metadata"]["generation"]:
        return "the Deployment's controller has not observed it yet"
    if updated < wanted:
        return f"{updated} of {wanted} pods exist{because}"
    if available < wanted:
        return f"{available} of {wanted} pods are available"
    if (others := status.get("replicas", 0) - updated) > 0:
        return f"{others} pods of the previous version still exist{because}"
    return None


def find_pause(deployment: JsonObject) -> StepError | None:
    """Find whether the rollout stands still because somebody paused it."""
    status, spec, metadata = deployment.get("status", {}), deployment["spec"], deployment["metadata"]
    complete = status.get("updatedReplicas", 0) == spec["replicas"] == status.get("replicas", 0)
    if complete or not spec.get("paused"):
        return None
    return Stuck(
        "RolloutPaused",
        describe_progress(deployment) or "somebody paused the rollout",
        f"resume it with `kubectl rollout resume deployment/{metadata['name']} -n {metadata['namespace']}`",
    )


def refers_to_secrets(deployment: JsonObject) -> bool:
    """Whether a container takes the value of a variable from a Secret."""
    return any(
        "secretKeyRef" in (variable.get("valueFrom") or {})
        for container in deployment["spec"]["template"]["spec"]["containers"]
        for variable in container.get("env") or ()
    )


def is_stopped(deployment: JsonObject) -> bool:
    """Whether it has no replicas, and its controller has observed that."""
    status = deployment.get("status", {})
    observed = status.get("observedGeneration", 0) >= deployment["metadata"]["generation"]
    return observed and not deployment["spec"]["replicas"] and not status.get("replicas")


def find_failure(
    replica_sets: Iterable[JsonObject],
    pods: Sequence[JsonObject],
    quota: Mapping[str, Quantity],
    own: Collection[str],
) -> StepError | None:
    """Find why the current version does not run, if that is known; permanent failures come first.

    `own` are the names of the Tenant's containers.
    """
    alive = [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]
    # An evicted pod continues to exist long after others replaced it.
    alive.sort(key=_has_failed)
    found = [
        *_find_refusals(replica_sets, quota),
        *(each for pod in alive for each in _find_pod_failures(pod, own)),
    ]
    return next((each for each in found if isinstance(each, Terminal)), next(iter(found), None))


def _find_refusals(replica_sets: Iterable[JsonObject], quota: Mapping[str, Quantity]) -> Iterator[StepError]:
    for found in replica_sets:
        for condition in _read_conditions(found):
            if condition["type"] == "ReplicaFailure" and condition["status"] == "True":
                namespace = found["metadata"]["namespace"]
                yield explain_missing_pods(condition.get("message", ""), quota, namespace)


def _find_pod_failures(pod: JsonObject, own: Collection[str]) -> Iterator[StepError]:
    if _has_failed(pod):
        status = pod["status"]
        message = f"the pod failed: {status.get('reason')}: {status.get('message')}"
        yield Retryable("PodFailed", message, pod_failures.advise_describe(pod))
        return
    yield from pod_failures.find_failures(pod, own)
    for condition in _read_conditions(pod):
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            yield Retryable(
                "Unschedulable",
                f"the pod fits on no node: {condition.get('message', '')}",
                "add nodes, or change resources.requests or compute.kubernetes.nodeSelector",
            )


def _has_failed(pod: JsonObject) -> bool:
    return bool(pod.get("status", {}).get("phase") == "Failed")


def select_unready(pods: Iterable[JsonObject]) -> list[JsonObject]:
    """Select the pods that are not ready and not being deleted."""
    return [
        pod
        for pod in pods
        if "deletionTimestamp" not in pod["metadata"]
        and not any(each["type"] == "Ready" and each["status"] == "True" for each in _read_conditions(pod))
    ]


def explain_delay(waiting: str, pods: Sequence[JsonObject], events: Sequence[JsonObject]) -> StepError:
    """Explain a slow rollout without a known failure by the pods' events."""
    warnings = sorted((event for event in events if event.get("type") == "Warning"), key=_read_time)
    if not warnings:
        restarts = sum(
            status.get("restartCount", 0)
            for pod in pods
            for kind in ("initContainerStatuses", "containerStatuses")
            for status in pod_failures.read_statuses(pod, kind)
        )
        again = f"; containers have restarted {restarts} times" if restarts else ""
        return Retryable("RolloutPending", f"{waiting}{again}")
    event = warnings[-1]
    reason, line = event.get("reason"), find_last_line(event.get("message", ""))
    if reason == "Unhealthy":
        return Retryable("ProbeFailed", f"{line}; {waiting}", "correct the probe, or what answers it")
    return Retryable("PodNotReady", f"{reason}: {line}; {waiting}", pod_failures.advise_describe(pods[0]))


def _read_conditions(found: JsonObject) -> list[JsonObject]:
    return found.get("status", {}).get("conditions") or []


def _read_time(event: JsonObject) -> str:
    series = event.get("series") or {}
    times = (series.get("lastObservedTime"), event.get("lastTimestamp"), event.get("eventTime"))
    return next((time for time in times if time), "")

"""Reads from a pod's status what is wrong with its containers. No I/O.

The kubelet's texts are those of Kubernetes 1.28 and later with containerd or CRI-O.
"""

from collections.abc import Collection, Iterator

from landlord.api.schema import JsonObject
from landlord.backends.failures import (
    CANNOT_START,
    Rule,
    build_error,
    explain_absent_image,
    explain_exit,
    explain_out_of_memory,
    explain_pull_failure,
    find_last_line,
    find_rule,
)
from landlord.errors import Retryable, StepError, Stuck, Terminal

PULLING = {
    "ErrImagePull",
    "ImagePullBackOff",
    "ImageInspectError",
    "RegistryUnavailable",
    "SignatureValidationFailed",
}
STARTING = {
    "CreateContainerError",
    "RunContainerError",
    "PreCreateHookError",
    "PreStartHookError",
    "PostStartHookError",
}
NEVER_STARTED = {"StartError", "ContainerCannotRun"}
LOGIN = (
    "create an image pull secret in the namespace {namespace} and give it to the ServiceAccount tenant with "
    "`kubectl patch serviceaccount tenant -n {namespace} "
    """-p '{{"imagePullSecrets":[{{"name":"NAME"}}]}}'`"""
)
RUNS_AS_ROOT = Rule(
    r"runAsNonRoot",
    Terminal,
    "RunsAsRoot",
    "give the image a numeric USER other than 0, or set compute.kubernetes.podSecurity to baseline",
)


def find_failures(pod: JsonObject, own: Collection[str]) -> Iterator[StepError]:
    """Find what is wrong with each container that does not run, as far as its status says.

    `own` are the names of the Tenant's containers. Others, such as all init containers, come from a service
    mesh or another webhook. An init container that ended well has done its work; until all have, the other
    containers wait for them.
    """
    for status in read_statuses(pod, "initContainerStatuses"):
        ended = (status.get("state") or {}).get("terminated")
        if not ended or ended.get("exitCode"):
            yield from map(_blame_others, _find_failure(pod, status))
    for status in read_statuses(pod, "containerStatuses"):
        found = _find_failure(pod, status)
        yield from found if status["name"] in own else map(_blame_others, found)


def advise_describe(pod: JsonObject) -> str:
    """Advise to look at the pod."""
    return f"see `kubectl describe pod {pod['metadata']['name']} -n {pod['metadata']['namespace']}`"


def _blame_others(failure: StepError) -> StepError:
    """Explain the failure of a container that is not the Tenant's, so no change of the Tenant corrects it."""
    kind = Stuck if isinstance(failure, Terminal) else Retryable
    advice = "the container is not in spec.workload: correct what adds it to the pod, such as a webhook"
    return kind(failure.code, failure.message, advice)


def read_statuses(pod: JsonObject, kind: str) -> list[JsonObject]:
    """Read the statuses of the containers of a kind."""
    return pod.get("status", {}).get(kind) or []


def _find_failure(pod: JsonObject, status: JsonObject) -> Iterator[StepError]:
    state = status.get("state") or {}
    ended = state.get("terminated") or (status.get("lastState") or {}).get("terminated")
    if "terminated" in state:
        yield _explain_end(pod, status, state["terminated"])
    if "waiting" not in state:
        return
    reason, message = state["waiting"].get("reason", ""), state["waiting"].get("message", "")
    if reason == "CrashLoopBackOff" and ended:
        yield _explain_end(pod, status, ended)
    elif (failure := _explain_waiting(pod, status, reason, message)) is not None:
        yield failure


def _explain_waiting(pod: JsonObject, status: JsonObject, reason: str, message: str) -> StepError | None:
    image, what = status["image"], f"can't start the container {status['name']}"
    login = LOGIN.format(namespace=pod["metadata"]["namespace"])
    match reason:
        case "InvalidImageName":
            return explain_pull_failure(image, message, login=login, invalid=True)
        case "ErrImageNeverPull":
            return explain_absent_image(image, "node")
        case "CreateContainerConfigError":
            other = Rule("", Retryable, "CannotStart", "create what the container refers to")
            return build_error(find_rule((RUNS_AS_ROOT,), message, other), what, message)
        case _ if reason in PULLING:
            return explain_pull_failure(image, message, login=login)
        case _ if reason in STARTING:
            return _explain_failed_start(pod, status["name"], message)
        case _ if reason.endswith(("Error", "BackOff")):
            other = Rule("", Retryable, "CannotStart", advise_describe(pod))
            return build_error(other, what, f"{reason}: {message}")
    return None


def _explain_failed_start(pod: JsonObject, name: str, message: str) -> StepError:
    other = Rule("", Retryable, "CannotStart", advise_describe(pod))
    return build_error(
        find_rule((CANNOT_START,), message, other), f"can't start the container {name}", message
    )


def _explain_end(pod: JsonObject, status: JsonObject, ended: JsonObject) -> StepError:
    name, restarts = status["name"], status.get("restartCount", 0)
    if ended.get("reason") in NEVER_STARTED:
        return _explain_failed_start(pod, name, ended.get("message", ""))
    if ended.get("reason") == "OOMKilled":
        return explain_out_of_memory(f"the container {name}", _read_memory_limit(pod, name))
    metadata = pod["metadata"]
    return explain_exit(
        f"the container {name}",
        exit_code=ended.get("exitCode"),
        restarts=restarts,
        is_looping=bool(restarts),
        log_line=find_last_line(ended.get("message", "")),
        logs=f"kubectl logs {metadata['name']} -n {metadata['namespace']} -c {name} --previous",
    )


def _read_memory_limit(pod: JsonObject, name: str) -> str:
    containers = [*pod["spec"]["containers"], *(pod["spec"].get("initContainers") or ())]
    found: JsonObject = next((each for each in containers if each["name"] == name), {})
    return str(found.get("resources", {}).get("limits", {}).get("memory", ""))

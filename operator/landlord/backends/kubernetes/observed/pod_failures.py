"""What a pod's status says is wrong with its containers. No I/O.

The kubelet's words are those of Kubernetes 1.28 and later with containerd or CRI-O.
"""

from collections.abc import Iterator

from landlord.api.schema import JsonObject
from landlord.backends.failures import CANNOT_START, Rule, build_error, explain_pull_failure, find_rule
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
LOGIN = "add an image pull secret to the namespace and its ServiceAccount tenant"
RUNS_AS_ROOT = Rule(
    r"runAsNonRoot",
    Terminal,
    "RunsAsRoot",
    "give the image a numeric USER other than 0, or set compute.kubernetes.podSecurity to baseline",
)


def find_failures(pod: JsonObject) -> Iterator[StepError]:
    """What is wrong with each container that does not run, as far as it is known."""
    for status in pod.get("status", {}).get("containerStatuses") or ():
        if (trouble := _find_failure(pod, status)) is not None:
            yield trouble


def _find_failure(pod: JsonObject, status: JsonObject) -> StepError | None:
    state = status.get("state") or {}
    ended = state.get("terminated") or (status.get("lastState") or {}).get("terminated")
    if "terminated" in state:
        return _explain_end(pod, status, state["terminated"])
    if "waiting" not in state:
        return None
    reason, said = state["waiting"].get("reason", ""), state["waiting"].get("message", "")
    name, image = status["name"], status["image"]
    match reason:
        case "InvalidImageName":
            return explain_pull_failure(image, said, login=LOGIN, invalid=True)
        case "ErrImageNeverPull":
            return Stuck(
                "ImageNotFound",
                f"the image {image} is not on the node and imagePullPolicy is Never\n"
                "To do: load the image into the nodes, or let it be pulled (IfNotPresent).",
            )
        case "CreateContainerConfigError":
            other = Rule("", Retryable, "CannotStart", "make what it refers to; it is tried again")
            return build_error(
                find_rule((RUNS_AS_ROOT,), said, other), f"can't start the container {name}", said
            )
        case "CrashLoopBackOff" if ended:
            return _explain_end(pod, status, ended)
        case _ if reason in PULLING:
            return explain_pull_failure(image, said, login=LOGIN)
        case _ if reason in STARTING:
            return _explain_failed_start(name, said)
        case _ if reason.endswith(("Error", "BackOff")):
            other = Rule("", Retryable, "CannotStart", "see `kubectl describe pod`; it is tried again")
            return build_error(other, f"can't start the container {name}", f"{reason}: {said}")
    return None


def _explain_failed_start(name: str, said: str) -> StepError:
    other = Rule("", Retryable, "CannotStart", "it is tried again")
    return build_error(find_rule((CANNOT_START,), said, other), f"can't start the container {name}", said)


def _explain_end(pod: JsonObject, status: JsonObject, ended: JsonObject) -> StepError:
    name, restarts = status["name"], status.get("restartCount", 0)
    if ended.get("reason") in NEVER_STARTED:
        return _explain_failed_start(name, ended.get("message", ""))
    if ended.get("reason") == "OOMKilled":
        limit = _read_memory_limit(pod, name)
        within = f" (limit: {limit})" if limit else ""
        return Retryable(
            "OutOfMemory",
            f"the container {name} was killed for lack of memory{within}\n"
            "To do: raise resources.limits.memory or have it use less.",
        )
    last = last_words(ended.get("message", ""))
    said = f": {last}" if last else " and logged nothing"
    again = f" (restarted {restarts} times)" if restarts else ""
    where = f"{pod['metadata']['name']} -n {pod['metadata']['namespace']} -c {name}"
    return Retryable(
        "CrashLooping" if restarts else "ContainerExited",
        f"the container {name} exited with code {ended.get('exitCode')}{again}{said}\n"
        f"To do: see `kubectl logs {where} --previous`; correct command, args, env or the image.",
    )


def last_words(message: str) -> str:
    """The last line of what a container left that says something."""
    return next((line.strip()[:300] for line in reversed(message.splitlines()) if line.strip()), "")


def _read_memory_limit(pod: JsonObject, name: str) -> str:
    found: JsonObject = next((each for each in pod["spec"]["containers"] if each["name"] == name), {})
    return str(found.get("resources", {}).get("limits", {}).get("memory", ""))

"""Containers that the Tenant does not name: those that a webhook adds to its pods."""

from typing import Any

import pytest

from landlord.backends.kubernetes.observed import pod_failures
from landlord.errors import Retryable, StepError, Stuck

Object = dict[str, Any]
CRASHED = {"terminated": {"exitCode": 255, "reason": "Error", "message": "must be root\n"}}
NOT_STARTED = {"waiting": {"reason": "PodInitializing"}}


def pod(init: Object, *containers: Object) -> Object:
    spec = {
        "containers": [{"name": "web"}],
        "initContainers": [{"name": "mesh", "resources": {"limits": {"memory": "8Mi"}}}],
    }
    statuses = {"initContainerStatuses": [init], "containerStatuses": containers or [status("web")]}
    return {"metadata": {"name": "p", "namespace": "n"}, "spec": spec, "status": statuses}


def status(name: str = "mesh", state: Object = NOT_STARTED, **fields: Any) -> Object:
    return {"name": name, "image": "mesh:1", "restartCount": 0, "state": state, **fields}


def waiting(reason: str, message: str = "") -> Object:
    return {"waiting": {"reason": reason, "message": message}}


CASES: dict[str, tuple[Object, type[StepError], str, str]] = {
    "a crash loop": (
        status(state=waiting("CrashLoopBackOff"), lastState=CRASHED, restartCount=5),
        Retryable, "CrashLooping", "mesh exited with code 255 (restarted 5 times): must be root",
    ),
    "a crash": (status(state=CRASHED), Retryable, "ContainerExited", "must be root"),
    "an image": (
        status(state=waiting("ImagePullBackOff", "mesh:1: not found")), Stuck, "ImageNotFound", "mesh:1",
    ),
    "a bad name": (status(state=waiting("InvalidImageName", "bad")), Stuck, "InvalidImage", "bad"),
    "root": (
        status(state=waiting("CreateContainerConfigError", "container has runAsNonRoot")),
        Stuck, "RunsAsRoot", "runAsNonRoot",
    ),
    "a lack of memory": (
        status(state=waiting("CrashLoopBackOff"), lastState={"terminated": {"reason": "OOMKilled"}}),
        Retryable, "OutOfMemory", "(limit: 8Mi)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("sidecar", [False, True], ids=["init container", "sidecar"])
@pytest.mark.parametrize(("seen", "kind", "code", "said"), CASES.values(), ids=CASES.keys())
def test_what_holds_a_pod_is_told_with_an_advice_for_whoever_added_it(
    seen: Object, kind: type[StepError], code: str, said: str, sidecar: bool
) -> None:
    given = pod(status(state={"running": {}}), seen, status("web")) if sidecar else pod(seen)
    (failure,) = pod_failures.find_failures(given, ("web",))
    assert (type(failure), failure.code) == (kind, code)
    assert said in failure.message
    assert "not in spec.workload" in failure.fix


@pytest.mark.parametrize(
    "state", [{"terminated": {"exitCode": 0, "reason": "Completed"}}, {"running": {}}, NOT_STARTED]
)
def test_an_init_container_that_has_done_its_work_or_is_at_it_is_no_failure(state: Object) -> None:
    assert list(pod_failures.find_failures(pod(status(state=state)), ("web",))) == []

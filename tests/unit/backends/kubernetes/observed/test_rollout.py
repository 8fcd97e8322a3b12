"""What Deployments, ReplicaSets, pods and Events say of a rollout."""

from typing import Any

import pytest

from landlord.api import names
from landlord.backends.kubernetes.observed import pod_failures, rollout
from landlord.errors import Retryable, StepError, Stuck, Terminal

Object = dict[str, Any]
OWN = ("web",)
AVAILABLE = {"observedGeneration": 3, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}


def deployment(tenant_id: str = "acme", **status: Any) -> Object:
    labels = names.labels(tenant_id) | {names.LABEL_SPEC_HASH: "h"}
    metadata = {"name": "tenant", "namespace": f"tenant-{tenant_id}", "generation": 3, "labels": labels}
    return {"metadata": metadata, "spec": {"replicas": 2}, "status": {**AVAILABLE, **status}}


def pod(*statuses: Object, conditions: tuple[Object, ...] = (), **metadata: Any) -> Object:
    container = {"name": "web", "resources": {"limits": {"memory": "64Mi"}}}
    return {
        "metadata": {"name": "tenant-1", "namespace": "tenant-acme", **metadata},
        "spec": {"containers": [container]},
        "status": {"containerStatuses": list(statuses), "conditions": list(conditions)},
    }


def status(waiting: str = "", said: str = "", **fields: Any) -> Object:
    state = {"waiting": {"reason": waiting, "message": said}} if waiting else {}
    return {"name": "web", "image": "web:1", "restartCount": 0, "state": state, **fields}


def ended(code: int = 1, **fields: Any) -> Object:
    return {"terminated": {"exitCode": code, "reason": "Error", **fields}}


UNSCHEDULABLE = {"type": "PodScheduled", "status": "False", "message": "0/1 nodes are available"}


@pytest.mark.parametrize(
    ("seen", "waiting"),
    [
        ({}, None),
        ({"observedGeneration": 2}, "the Deployment's controller has not observed it yet"),
        ({"updatedReplicas": 1}, "1 of 2 pods exist"),
        ({"availableReplicas": 1}, "1 of 2 pods are available"),
        ({"replicas": 3}, "1 pods of the previous version still exist"),
    ],
)
def test_a_rollout_is_over_when_all_replicas_of_the_present_version_are_available(
    seen: dict[str, int], waiting: str | None
) -> None:
    found = deployment()
    found["status"] |= seen
    assert rollout.describe_progress(found) == waiting


def test_a_deployment_that_nobody_has_looked_at_yet_is_waited_for() -> None:
    assert rollout.describe_progress({"metadata": {"generation": 1}, "spec": {"replicas": 1}})


RUNC = (
    "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create "
    "failed: unable to start container process"
)

CASES: dict[str, tuple[Object, type[StepError], str, str]] = {
    "a bad name": (status("InvalidImageName", "couldn't parse"), Terminal, "InvalidImage", "couldn't parse"),
    "an image that is not there": (status("ErrImageNeverPull"), Stuck, "ImageNotFound", "load the image"),
    "a login": (status("ErrImagePull", "401 unauthorized"), Stuck, "ImageAccessDenied", "pull secret"),
    "a registry that is away": (
        status("ImagePullBackOff", "i/o timeout"), Retryable, "RegistryUnreachable", "i/o timeout",
    ),
    "root": (
        status("CreateContainerConfigError", "container has runAsNonRoot and image will run as root"),
        Terminal, "RunsAsRoot", "numeric USER",
    ),
    "a secret that is missing": (
        status("CreateContainerConfigError", 'secret "x" not found'), Retryable, "CannotStart", 'secret "x"',
    ),
    "a command that is not in the image": (
        status("RunContainerError", f'{RUNC}: exec: "nope": executable file not found in $PATH: unknown'),
        Terminal, "CannotStart", "nope",
    ),
    "what is not known yet": (status("SomethingBackOff", "new"), Retryable, "CannotStart", "new"),
    "a crash loop": (
        status("CrashLoopBackOff", lastState=ended(3, message="a\nno database\n\n"), restartCount=2),
        Retryable, "CrashLooping", "exited with code 3 (restarted 2 times): no database",
    ),
    "the first crash": (
        status(state=ended(3)), Retryable, "ContainerExited", "exited with code 3 and logged nothing",
    ),
    "a lack of memory": (
        status("CrashLoopBackOff", lastState=ended(137, reason="OOMKilled"), restartCount=2),
        Retryable, "OutOfMemory", "(limit: 64Mi)",
    ),
    "a command that can't be started": (
        status(state=ended(128, reason="StartError", message=f'{RUNC}: exec: "/x": no such file or directory'
        )),
        Terminal, "CannotStart", "no such file",
    ),
    "a node without runc": (
        status("RunContainerError", 'exec: "runc": executable file not found in $PATH'),
        Retryable, "CannotStart", "runc",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("seen", "kind", "code", "said"), CASES.values(), ids=CASES.keys())
def test_a_container_that_does_not_run_says_why(
    seen: Object, kind: type[StepError], code: str, said: str
) -> None:
    (trouble,) = pod_failures.find_failures(pod(seen), OWN)
    assert (type(trouble), trouble.code) == (kind, code)
    assert said in str(trouble)


@pytest.mark.parametrize("seen", [status(), status("ContainerCreating"), status("PodInitializing")])
def test_a_container_that_is_on_its_way_is_no_trouble(seen: Object) -> None:
    assert list(pod_failures.find_failures(pod(seen), OWN)) == []


def test_what_is_hopeless_is_told_before_what_may_pass() -> None:
    pods = [pod(conditions=(UNSCHEDULABLE,)), pod(status("InvalidImageName"))]
    trouble = rollout.find_failure((), pods, {}, OWN)
    assert trouble is not None
    assert trouble.code == "InvalidImage"


def test_what_is_left_of_an_evicted_pod_does_not_hide_what_is_wrong_with_the_one_in_its_place() -> None:
    left = pod(status(state=ended(137)))
    left["status"] |= {"phase": "Failed", "reason": "Evicted"}
    crashing = pod(status("CrashLoopBackOff", lastState=ended(3), restartCount=2))
    trouble = rollout.find_failure((), [left, crashing], {}, OWN)
    assert trouble is not None
    assert trouble.code == "CrashLooping"


def test_a_pod_that_goes_is_no_trouble() -> None:
    assert (
        rollout.find_failure((), [pod(status("InvalidImageName"), deletionTimestamp="now")], {}, OWN) is None
    )


@pytest.mark.parametrize(
    ("replica_sets", "pods", "code"),
    [
        ([], [pod(conditions=(UNSCHEDULABLE,))], "Unschedulable"),
        ([], [{**pod(), "status": {"phase": "Failed", "reason": "Evicted"}}], "PodFailed"),
        (
            [
                {
                    **pod(),
                    "status": {"conditions": [{"type": "ReplicaFailure", "status": "True", "message": "no"}]},
                }
            ],
            [],
            "PodsRefused",
        ),
    ],
)
def test_pods_that_do_not_come_say_why(replica_sets: list[Object], pods: list[Object], code: str) -> None:
    trouble = rollout.find_failure(replica_sets, pods, {}, OWN)
    assert trouble is not None
    assert trouble.code == code


def warning(reason: str, at: str, said: str = "said") -> Object:
    return {"type": "Warning", "reason": reason, "message": said, "lastTimestamp": at}


@pytest.mark.parametrize(
    ("events", "code", "said"),
    [
        ([], "RolloutPending", "1 of 2; containers have restarted 4 times"),
        ([{"type": "Normal", "reason": "Pulled"}], "RolloutPending", "1 of 2"),
        ([warning("Unhealthy", "2", "refused"), warning("Old", "1")], "ProbeFailed", "refused; 1 of 2"),
        ([warning("FailedMount", "2", "no such volume")], "PodNotReady", "FailedMount: no such volume"),
    ],
)
def test_a_rollout_that_takes_long_is_told_with_the_latest_warning(
    events: list[Object], code: str, said: str
) -> None:
    failure = rollout.explain_delay("1 of 2", [pod(status(restartCount=4))], events)
    assert isinstance(failure, Retryable)
    assert failure.code == code
    assert said in str(failure)


def test_unready_pods_are_those_that_stay_and_do_not_serve() -> None:
    ready = {"type": "Ready", "status": "True"}
    unready = {"type": "Ready", "status": "False"}
    waits = pod(conditions=(unready,))
    assert rollout.select_unready([pod(conditions=(ready,)), waits, pod(deletionTimestamp="now")]) == [waits]

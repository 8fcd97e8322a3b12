"""Each advice of a failure is followed, and the tenant becomes Ready.

What a kubelet would write of a container that does not run is written by the tests. The pod that replaces it
runs on the control plane's node.
"""

import shlex
from collections.abc import Callable
from typing import Any

import pytest
from tests.contract.harness import run
from tests.integration.backends.namespaces import Namespaces
from tests.support.polling import eventually

from landlord.api.request import Desired
from landlord.api.workload import ResourceAmounts, Resources
from landlord.backends.kubernetes import ready
from landlord.errors import StepError

Object = dict[str, Any]

DENIED = {
    "state": {
        "waiting": {
            "reason": "ImagePullBackOff",
            "message": "failed to authorize: pull access denied, repository does not exist or may require "
            "authorization: no basic auth credentials",
        }
    }
}
OUT_OF_MEMORY = {
    "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 1m20s"}},
    "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}},
    "restartCount": 5,
}
AS_ROOT = {
    "state": {
        "waiting": {
            "reason": "CreateContainerConfigError",
            "message": "container has runAsNonRoot and image will run as root",
        }
    }
}


def follow_command(namespaces: Namespaces, advice: str) -> str:
    """What the command in an advice prints."""
    command = shlex.split(advice.split("`")[1])
    assert command[0] == "kubectl"
    return namespaces.kubectl(*command[1:])


def give_pull_secret(namespaces: Namespaces, desired: Desired, advice: str) -> None:
    follow_command(namespaces, advice)
    assert namespaces.get(desired, "sa")["imagePullSecrets"] == [{"name": "NAME"}]


def raise_default_limit(namespaces: Namespaces, desired: Desired, _: str) -> None:
    limit = {"type": "Container", "default": {"memory": "1Gi"}}
    theirs = {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "theirs"}}
    namespaces.put(desired, theirs | {"spec": {"limits": [limit]}})


CHANGES: dict[str, tuple[Object, Callable[[Namespaces, Desired, str], None], str, str]] = {
    "a pull secret": (
        DENIED, give_pull_secret, "ImageAccessDenied",
        "give it to the ServiceAccount tenant",
    ),
    "the default limit of a LimitRange": (
        OUT_OF_MEMORY, raise_default_limit, "OutOfMemory", "raise resources.limits.memory",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("status", "follow", "code", "advice"), CHANGES.values(), ids=CHANGES.keys())
async def test_a_pod_that_was_created_before_the_advice_was_followed_is_replaced(
    namespaces: Namespaces,
    status: Object,
    follow: Callable[[Namespaces, Desired, str], None],
    code: str,
    advice: str,
) -> None:
    desired = namespaces.new()
    failure, before = await broken(namespaces, desired, status)
    assert failure.code == code
    assert advice in failure.fix
    follow(namespaces, desired, failure.fix)
    await namespaces.apply(desired)
    assert before not in uids(namespaces, desired)


async def test_a_pod_is_not_replaced_as_long_as_a_new_one_would_be_the_same(namespaces: Namespaces) -> None:
    desired = namespaces.new()
    for status in (DENIED, OUT_OF_MEMORY):
        _, before = await broken(namespaces, desired, status)
        assert uids(namespaces, desired) == [before]


async def test_a_pod_that_serves_is_not_replaced_by_what_only_new_pods_get(namespaces: Namespaces) -> None:
    desired = namespaces.new()
    await namespaces.apply(desired)
    before = uids(namespaces, desired)
    namespaces.edit(desired, "sa", {"imagePullSecrets": [{"name": "registry"}]})
    await namespaces.apply(desired)
    assert uids(namespaces, desired) == before


async def test_an_image_that_runs_as_root_runs_with_the_level_of_the_advice(namespaces: Namespaces) -> None:
    desired = namespaces.new()
    failure, _ = await broken(namespaces, desired, AS_ROOT)
    assert failure.code == "RunsAsRoot"
    assert failure.fix.endswith("set compute.kubernetes.podSecurity to baseline")
    baseline = namespaces.new(desired.tenant_id, pod_security="baseline")
    await namespaces.apply(baseline)
    pod = namespaces.running_pod(baseline)
    assert "runAsNonRoot" not in pod["spec"]["securityContext"]


async def test_replicas_that_the_quota_refuses_run_with_a_higher_quota_or_smaller_requests(
    namespaces: Namespaces,
) -> None:
    def asking(cpu: str, quota: str) -> Desired:
        resources = Resources(requests=ResourceAmounts(cpu=cpu))
        return namespaces.new(first.tenant_id, replicas=3, resources=resources, quota={"requests.cpu": quota})

    first = namespaces.new()
    failure = await namespaces.failure(asking("600m", "1"))
    assert failure.fix.startswith("raise the quota, or set smaller resources.requests")
    await namespaces.apply(asking("100m", "1"))
    await namespaces.apply(asking("600m", "1800m"))


async def test_a_load_balancer_that_never_comes_is_not_needed_with_the_exposure_of_the_advice(
    namespaces: Namespaces, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ready, "WINDOW_SECONDS", 3.0)
    waiting = namespaces.new(exposure="LoadBalancer", network_isolation="Open")
    failure = await namespaces.failure(waiting)
    assert failure.code == "LoadBalancerPending"
    assert failure.fix.endswith("set compute.kubernetes.exposure to ClusterIP")
    follow_command(namespaces, failure.fix)
    monkeypatch.undo()
    await namespaces.apply(namespaces.new(waiting.tenant_id, exposure="ClusterIP", network_isolation="Open"))


async def test_pods_that_admission_refuses_are_explained_by_the_command_of_the_advice(
    namespaces: Namespaces,
) -> None:
    desired = namespaces.new()
    await run(namespaces.backend.apply(desired)[:1])
    theirs = {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "theirs"}}
    limit = {"type": "Container", "max": {"cpu": "1"}, "default": {"cpu": "1"}}
    namespaces.put(desired, theirs | {"spec": {"limits": [limit]}})
    asking = Resources(requests=ResourceAmounts(cpu="2"), limits=ResourceAmounts(cpu="2"))
    failure = await namespaces.failure(namespaces.new(desired.tenant_id, resources=asking))
    assert failure.code == "PodsRefused"
    assert "maximum cpu usage per Container is 1, but limit is 2" in follow_command(namespaces, failure.fix)
    await namespaces.apply(namespaces.new(desired.tenant_id))


async def broken(namespaces: Namespaces, desired: Desired, status: Object) -> tuple[StepError, str]:
    """The failure of a tenant whose pod has this status, and the pod's uid."""
    await namespaces.make(desired)
    pod = namespaces.break_pod(desired, **status)
    eventually(lambda: not namespaces.get(desired, "deployment")["status"].get("availableReplicas"))
    return await namespaces.failure(desired), pod["metadata"]["uid"]


def uids(namespaces: Namespaces, desired: Desired) -> list[str]:
    """The pods that are not being deleted."""
    return [
        pod["metadata"]["uid"]
        for pod in namespaces.pods(desired)
        if "deletionTimestamp" not in pod["metadata"]
    ]

"""The last step says the real reason why a tenant does not run, and whether it may pass.

The API server, its admission and the controllers are real; what the kubelet would write of a container that
does not run is written by the tests, in its words.
"""

from typing import Any

import pytest
from tests.contract.harness import run
from tests.integration.backends.namespaces import Namespaces, namespace_of
from tests.support.polling import eventually

from landlord.api.amounts import Quantity
from landlord.api.workload import Exec, Probe, ResourceAmounts, Resources
from landlord.backends.kubernetes import ready
from landlord.errors import Retryable, StepError, Stuck, Terminal

NOT_FOUND = (
    'rpc error: code = NotFound desc = failed to pull and unpack image "registry.example.com/web:1": failed '
    'to resolve reference "registry.example.com/web:1": registry.example.com/web:1: not found'
)
UNREACHABLE = (
    'Back-off pulling image "registry.example.com/web:1": ErrImagePull: rpc error: code = Unknown desc = '
    "failed to do request: Head: dial tcp 10.0.0.1:443: i/o timeout"
)
ENDED = {"exitCode": 3, "reason": "Error", "message": "starting\nno database at db:5432\n"}
CRASHING = {"state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": {"terminated": ENDED}}


@pytest.mark.parametrize(
    ("container", "kind", "code", "said"),
    [
        pytest.param(
            {"state": {"waiting": {"reason": "ErrImagePull", "message": NOT_FOUND}}},
            Stuck,
            "ImageNotFound",
            "registry.example.com/web:1: not found",
            id="image-not-found",
        ),
        pytest.param(
            {"state": {"waiting": {"reason": "ImagePullBackOff", "message": UNREACHABLE}}},
            Retryable,
            "RegistryUnreachable",
            "i/o timeout",
            id="registry-away",
        ),
        pytest.param(
            {**CRASHING, "restartCount": 4},
            Retryable,
            "CrashLooping",
            "exited with code 3 (restarted 4 times): no database at db:5432",
            id="crash-loop",
        ),
        pytest.param(
            {
                "state": {
                    "waiting": {
                        "reason": "CreateContainerConfigError",
                        "message": "container has runAsNonRoot and image will run as root",
                    }
                }
            },
            Terminal,
            "RunsAsRoot",
            "podSecurity to baseline",
            id="root",
        ),
    ],
)
async def test_a_container_that_does_not_run_is_named_with_its_reason(
    namespaces: Namespaces, container: dict[str, Any], kind: type[StepError], code: str, said: str
) -> None:
    desired = namespaces.new(image="registry.example.com/web:1")
    await namespaces.make(desired)
    namespaces.break_pod(desired, **container)
    eventually(lambda: not available(namespaces.get(desired, "deployment")))
    failure = await namespaces.failure(desired)
    assert (type(failure), failure.code) == (kind, code)
    assert said in str(failure)


async def test_a_probe_that_fails_is_named_with_what_it_got(
    namespaces: Namespaces, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ready, "WINDOW_SECONDS", 3.0)
    desired = namespaces.new(probe=Probe(exec=Exec(command=("/ok",))))
    await namespaces.make(desired)
    pod = namespaces.break_pod(desired, state={"running": {}}, started=True)
    regarding = {"kind": "Pod", "name": pod["metadata"]["name"], "uid": pod["metadata"]["uid"]}
    namespaces.put(
        desired,
        {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": "probe"},
            "involvedObject": {**regarding, "namespace": namespace_of(desired)},
            "type": "Warning",
            "reason": "Unhealthy",
            "message": "Readiness probe failed: HTTP probe failed with statuscode: 503",
            "lastTimestamp": "2026-01-01T00:00:00Z",
        },
    )
    eventually(lambda: not available(namespaces.get(desired, "deployment")))
    failure = await namespaces.failure(desired)
    assert isinstance(failure, Retryable)
    assert failure.code == "ProbeFailed"
    assert "statuscode: 503" in failure.message
    assert "0 of 1 pods are available" in failure.message


async def test_a_pod_that_no_node_takes_is_told_with_the_schedulers_reason(namespaces: Namespaces) -> None:
    desired = namespaces.new(node_selector={"disk": "none-has-this"})
    failure = await namespaces.failure(desired)
    assert isinstance(failure, Retryable)
    assert failure.code == "Unschedulable"
    assert "didn't match Pod's node affinity/selector" in failure.message


@pytest.mark.parametrize(
    ("quota", "said"),
    [({"requests.cpu": "1"}, "requests.cpu (4 of 1)"), ({"pods": 1}, "pods (2 of 1)")],
)
async def test_more_than_the_quota_allows_is_hopeless_until_it_is_raised(
    namespaces: Namespaces, quota: dict[str, Quantity], said: str
) -> None:
    shape: dict[str, Any] = {
        "resources": Resources(requests=ResourceAmounts(cpu="2")),
        "replicas": 2,
    }
    desired = namespaces.new(quota=quota, **shape)
    failure = await namespaces.failure(desired)
    assert isinstance(failure, Terminal)
    assert failure.code == "QuotaExceeded"
    assert f"2 replicas need more than compute.kubernetes.quota allows: {said}" in failure.message
    assert namespaces.namespace(desired) == {}
    await namespaces.apply(namespaces.new(desired.tenant_id, quota={"requests.cpu": "4", "pods": 2}, **shape))


async def test_what_others_use_of_the_quota_may_pass(namespaces: Namespaces) -> None:
    resources = Resources(requests=ResourceAmounts(cpu="600m"))
    desired = namespaces.new(quota={"requests.cpu": "1"}, resources=resources)
    await run(namespaces.backend.apply(desired)[:2])
    container = {
        "name": "web",
        "image": "web:1",
        "resources": {"requests": {"cpu": "600m"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "runAsNonRoot": True,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }
    spec = {"containers": [container]}
    namespaces.put(desired, {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "theirs"}, "spec": spec})
    failure = await namespaces.failure(desired)
    assert isinstance(failure, Retryable)
    assert failure.code == "QuotaExceeded"


@pytest.mark.parametrize("quota", [{"pods": 2}, {"requests.cpu": "1"}], ids=["pods", "cpu"])
async def test_an_update_needs_no_more_of_the_quota_than_what_runs(
    namespaces: Namespaces, quota: dict[str, Quantity]
) -> None:
    shape: dict[str, Any] = {
        "quota": quota,
        "replicas": 2,
        "resources": Resources(limits=ResourceAmounts(cpu="500m")),
    }
    before = namespaces.new(image="registry.example.com/web:1", **shape)
    await namespaces.apply(before)
    after = namespaces.new(before.tenant_id, image="registry.example.com/web:2", **shape)
    await namespaces.apply(after)
    assert namespaces.get(after, "deployment")["spec"]["strategy"]["rollingUpdate"]["maxSurge"] == 0
    roomy = namespaces.new(before.tenant_id, image="registry.example.com/web:2", **shape | {"quota": {}})
    await namespaces.apply(roomy)
    assert namespaces.get(after, "deployment")["spec"]["strategy"]["rollingUpdate"]["maxSurge"] == "25%"


async def test_a_quota_on_what_no_container_names_is_met_by_defaults(namespaces: Namespaces) -> None:
    quota = {"requests.cpu": "1", "requests.memory": "1Gi", "limits.cpu": "1", "limits.memory": "1Gi"}
    await namespaces.apply(namespaces.new(quota=quota))


async def test_an_image_that_is_corrected_while_its_pod_fails_becomes_ready(namespaces: Namespaces) -> None:
    wrong = namespaces.new(image="registry.example.com/web:1")
    await namespaces.make(wrong)
    namespaces.break_pod(wrong, state={"waiting": {"reason": "ErrImagePull", "message": NOT_FOUND}})
    eventually(lambda: not available(namespaces.get(wrong, "deployment")))
    await namespaces.apply(namespaces.new(wrong.tenant_id, image="registry.example.com/web:2"))


async def test_what_runs_no_more_is_surveyed_as_unhealthy(namespaces: Namespaces) -> None:
    desired = namespaces.new()
    await namespaces.apply(desired)
    namespaces.break_pod(desired, **CRASHING, restartCount=1)
    eventually(lambda: not available(namespaces.get(desired, "deployment")))
    seen = (await namespaces.backend.survey())[desired.tenant_id]
    assert (seen.healthy, seen.spec_hash) == (False, desired.hash())
    assert seen.reason.startswith("CrashLooping: the container web exited with code 3")


def available(deployment: dict[str, Any]) -> bool:
    status = deployment["status"]
    return bool(status.get("availableReplicas") or not status.get("unavailableReplicas"))

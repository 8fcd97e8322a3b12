"""Which pods admission would make differently now."""

from typing import Any

import pytest

from landlord.backends.kubernetes.observed.admission import find_outdated

Object = dict[str, Any]


def pod(**spec: Any) -> Object:
    container = {"name": "web", "image": "web:1", "resources": {"limits": {"memory": "64Mi"}}}
    return {"metadata": {"name": "tenant-1"}, "spec": {"containers": [container], "priority": 0, **spec}}


def container(**fields: Any) -> Object:
    return {"containers": [{**pod()["spec"]["containers"][0], **fields}]}


@pytest.mark.parametrize(
    "now",
    [
        pytest.param({"imagePullSecrets": [{"name": "registry"}]}, id="a pull secret of the ServiceAccount"),
        pytest.param(container(resources={"limits": {"memory": "1Gi"}}), id="a LimitRange's default"),
        pytest.param({"priority": 1000, "priorityClassName": "high"}, id="the default priority class"),
        pytest.param({"preemptionPolicy": "Never"}, id="a priority class that was made again"),
        pytest.param({"runtimeClassName": "gvisor", "overhead": {"cpu": "1"}}, id="a runtime class"),
        pytest.param({"nodeSelector": {"pool": "tenants"}}, id="a namespace's node selector"),
        pytest.param({"tolerations": [{"key": "pool"}]}, id="a namespace's tolerations"),
        pytest.param({"securityContext": {"runAsUser": 1000}}, id="a user that a policy sets"),
        pytest.param(container(image="mirror.example.com/web:1"), id="a mirror that a webhook sets"),
        pytest.param({"initContainers": [{"name": "mesh", "image": "mesh:2"}]}, id="a sidecar"),
    ],
)
def test_a_pod_that_would_be_different_now_is_outdated_and_its_successor_is_not(now: Object) -> None:
    before, after = pod(), pod(**now)
    assert find_outdated([before, after], after) == [before]
    assert find_outdated([before, after], before) == [after]


@pytest.mark.parametrize(
    "since",
    [
        pytest.param({"nodeName": "node-1"}, id="its node"),
        pytest.param({"volumes": [{"name": "kube-api-access-x7k2p"}]}, id="a name by chance"),
        pytest.param(container(env=[{"name": "STARTED", "value": "now"}]), id="what a webhook counts"),
    ],
)
def test_what_differs_from_pod_to_pod_makes_none_outdated(since: Object) -> None:
    assert find_outdated([pod(**since)], pod()) == []

"""A survey says why a tenant that was once ready is unavailable, in the words of the step `ready`."""

from typing import Any

import pytest
from tests.contract.harness import observe
from tests.integration.backends.namespaces import Namespaces, namespace_of
from tests.support.polling import eventually, eventually_async
from tests.support.secrets import Owner, referring

from dev.kubectl import Kubectl
from landlord.api.request import Desired
from landlord.backends.cluster import kinds
from landlord.backends.cluster.client import Cluster
from landlord.backends.cluster.kinds import ObjectKind
from landlord.backends.contract import Observation
from landlord.backends.kubernetes import diagnosis
from landlord.kubernetes_api import KubeError

DENIED = (
    'failed to pull and unpack image "registry.example.com/web:1": failed to authorize: 401 Unauthorized: '
    "authentication required"
)
ENDED = {"exitCode": 3, "reason": "Error", "message": "starting\nwrong password: s3cret-of-mine\n"}
CRASHING = {"state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": {"terminated": ENDED}}
NO_PODS = {"apiVersion": "v1", "kind": "ResourceQuota", "spec": {"hard": {"pods": "0"}}}


async def unhealthy(namespaces: Namespaces, desired: Desired, words: str) -> Observation:
    async def seen() -> Observation | None:
        found = await observe(namespaces.backend, desired.tenant_id)
        assert found is not None
        assert words in found.reason, found.reason
        return found

    found = await eventually_async(seen, what=words)
    assert not found.healthy
    return found


@pytest.mark.parametrize(
    ("container", "words"),
    [
        (
            {"state": {"waiting": {"reason": "ErrImagePull", "message": DENIED}}},
            "ImageAccessDenied: can't pull web:1: failed to pull and unpack image",
        ),
        ({**CRASHING, "restartCount": 4}, "CrashLooping: the container web exited with code 3"),
    ],
    ids=["its image is refused", "it crashes"],
)
async def test_a_container_that_runs_no_more_is_surveyed_with_its_reason_and_what_to_do(
    namespaces: Namespaces, container: dict[str, Any], words: str
) -> None:
    desired = namespaces.new()
    await namespaces.apply(desired)
    namespaces.break_pod(desired, **container)
    found = await unhealthy(namespaces, desired, words)
    assert "\nFix: " in found.reason


async def test_pods_that_a_quota_refuses_are_told(namespaces: Namespaces) -> None:
    desired = namespaces.new()
    await namespaces.apply(desired)
    namespaces.put(desired, NO_PODS | {"metadata": {"name": "theirs"}})
    place = namespace_of(desired)
    eventually(lambda: "hard" in namespaces.get(desired, "resourcequota", "theirs").get("status", {}))
    namespaces.kubectl("delete", "pod", "--all", "--force", "-n", place)
    await unhealthy(namespaces, desired, "QuotaExceeded: ")


async def test_a_pod_that_fits_on_no_node_any_more_is_told(namespaces: Namespaces) -> None:
    desired = namespaces.new(node_selector={"disk": "none-has-this"})
    await namespaces.make(desired)
    await unhealthy(namespaces, desired, "Unschedulable: the pod fits on no node: ")


async def test_a_reason_does_not_contain_the_value_of_a_secret(
    namespaces: Namespaces, kubectl: Kubectl, namespace: str
) -> None:
    Owner(kubectl, namespace).put(password="s3cret-of-mine")
    desired = namespaces.new(env=(referring("PASSWORD"),), secrets_namespace=namespace)
    await namespaces.apply(desired)
    namespaces.break_pod(desired, **CRASHING, restartCount=4)
    found = await unhealthy(namespaces, desired, "CrashLooping: ")
    assert "wrong password: ***" in found.reason
    namespaces.edit(desired, "secret", {"metadata": {"annotations": {"landlord.dev/secrets-version": "x"}}})
    found = await unhealthy(namespaces, desired, "0 of 1 pods are available")
    assert found.reason == "0 of 1 pods are available"


async def test_a_survey_asks_about_a_few_and_the_same_ones_each_time(
    namespaces: Namespaces, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(diagnosis, "EXPLAINED", 1)
    tenants = [namespaces.new(node_selector={"disk": "none-has-this"}) for _ in range(2)]
    for each in tenants:
        await namespaces.make(each)
        await unhealthy(namespaces, each, "")
    surveyed = {each.tenant_id: Observation(False, None, "0 of 1 pods are available") for each in tenants}
    spaces = {each.tenant_id: namespace_of(each) for each in tenants}
    first, second = sorted(surveyed)
    cluster = Cluster()
    for _ in range(2):
        explained = await diagnosis.with_reasons(cluster, surveyed, spaces)
        assert explained[first].reason.startswith("Unschedulable: ")
        assert explained[second] == surveyed[second]
    await cluster.close()


async def test_a_survey_that_may_not_ask_why_says_how_many_pods_lack(
    namespaces: Namespaces, monkeypatch: pytest.MonkeyPatch
) -> None:
    desired = namespaces.new(node_selector={"disk": "none-has-this"})
    await namespaces.make(desired)
    await unhealthy(namespaces, desired, "Unschedulable: ")
    list_all = Cluster.list_all

    async def forbidden(self: Cluster, kind: ObjectKind, *args: Any, **query: Any) -> Any:
        if kind is kinds.POD:
            raise KubeError(403, "pods is forbidden")
        return await list_all(self, kind, *args, **query)

    monkeypatch.setattr(Cluster, "list_all", forbidden)
    found = await unhealthy(namespaces, desired, "pods")
    assert found.reason == "0 of 1 pods are available"

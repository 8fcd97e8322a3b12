"""Requests, limits and quotas as the API server's admission takes them."""

from itertools import product

import pytest
from tests.contract.harness import run
from tests.integration.backends.namespaces import Namespaces, namespace_of
from tests.support.polling import eventually

from landlord.api.amounts import Quantity
from landlord.api.request import Desired
from landlord.api.workload import ResourceAmounts, Resources
from landlord.backends.cluster import kinds
from landlord.backends.kubernetes.desired import limits, pods
from landlord.backends.quantity import parse_quantity
from landlord.errors import Stuck, Terminal
from landlord.kubernetes_api import KubeError

Amounts = dict[str, str]

REQUESTS: tuple[Amounts, ...] = (
    {},
    {"cpu": "10m", "memory": "16Mi"},
    {"cpu": "1"},
    {"memory": "1Gi"},
    {"cpu": "600m", "memory": "513Mi"},
)
LIMITS: tuple[Amounts, ...] = ({}, {"cpu": "20m", "memory": "32Mi"}, {"memory": "3Gi"}, {"cpu": "2"})
CONSISTENT = [
    (requested, limited)
    for requested, limited in product(REQUESTS, LIMITS)
    if all(
        parse_quantity(requested[name]) <= parse_quantity(limited[name])
        for name in requested.keys() & limited.keys()
    )
]
QUOTAS: tuple[dict[str, Quantity], ...] = (
    {},
    {"pods": 1},
    {"cpu": "1", "requests.memory": "1Gi"},
    {"limits.cpu": "1"},
    {"limits.memory": "1Gi"},
    {"limits.cpu": "2", "limits.memory": "2Gi", "requests.cpu": "100m"},
    {"limits.memory": "256Mi", "memory": "128Mi"},
)


@pytest.mark.parametrize("quota", QUOTAS, ids=str)
async def test_a_spec_is_refused_exactly_if_admission_would_refuse_its_pod(
    namespaces: Namespaces, quota: dict[str, Quantity]
) -> None:
    place = namespaces.new(quota=quota, resources=shape({}, {"cpu": "1m", "memory": "1Mi"}))
    await run(namespaces.backend.apply(place)[:2])
    namespaces.put(place, {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "tenant"}})
    for requested, limited in CONSISTENT:
        desired = namespaces.new(place.tenant_id, quota=quota, resources=shape(requested, limited))
        given = f"requests {requested}, limits {limited}"
        assert await ask_admission(namespaces, desired) == ask_landlord(desired), given


LARGE: Amounts = {"cpu": "600m", "memory": "1Gi"}


@pytest.mark.parametrize(
    "quota",
    [{"limits.cpu": "8", "limits.memory": "8Gi"}, {"limits.memory": "1Gi"}, {"limits.cpu": "1"}],
    ids=str,
)
async def test_a_request_above_the_default_limit_runs_with_a_quota_on_limits(
    namespaces: Namespaces, quota: dict[str, Quantity]
) -> None:
    await namespaces.apply(namespaces.new(quota=quota, resources=shape(LARGE, {})))


async def test_a_quota_that_comes_later_replaces_pods_that_it_would_not_admit_again(
    namespaces: Namespaces,
) -> None:
    before = namespaces.new(resources=shape({"memory": "1Gi"}, {}))
    await namespaces.apply(before)
    after = namespaces.new(
        before.tenant_id, resources=shape({"memory": "1Gi"}, {}), quota={"limits.memory": "8Gi"}
    )
    await namespaces.apply(after)
    (pod,) = [each for each in namespaces.pods(after) if "deletionTimestamp" not in each["metadata"]]
    assert pod["spec"]["containers"][0]["resources"]["limits"] == {"memory": "1Gi"}
    namespaces.kubectl("delete", "pod", pod["metadata"]["name"], "-n", namespace_of(after))
    eventually(lambda: namespaces.running_pod(after)["metadata"]["uid"] != pod["metadata"]["uid"])
    await namespaces.apply(after)


async def test_a_quota_that_comes_later_and_is_too_small_is_refused_before_anything_changes(
    namespaces: Namespaces,
) -> None:
    before = namespaces.new()
    await namespaces.apply(before)
    tight = namespaces.new(before.tenant_id, quota={"limits.memory": "256Mi"})
    failure = await namespaces.failure(tight)
    assert (type(failure), failure.code) == (Terminal, "QuotaExceeded")
    assert "limits.memory (536870912 of 256Mi)" in failure.message
    assert "set smaller resources.requests and resources.limits" in failure.fix
    assert namespaces.get(before, "resourcequota") == {}
    smaller = shape({}, {"memory": "128Mi"})
    await namespaces.apply(
        namespaces.new(before.tenant_id, quota={"limits.memory": "256Mi"}, resources=smaller)
    )


async def test_a_limit_range_of_somebody_else_that_makes_pods_invalid_is_named_and_its_advice_helps(
    namespaces: Namespaces,
) -> None:
    desired = namespaces.new(resources=shape({"memory": "1Gi"}, {}))
    await run(namespaces.backend.apply(desired)[:1])
    limit = {"type": "Container", "default": {"memory": "512Mi"}}
    theirs = {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "theirs"}}
    namespaces.put(desired, theirs | {"spec": {"limits": [limit]}})
    failure = await namespaces.failure(desired)
    assert (type(failure), failure.code) == (Stuck, "PodsRefused")
    assert "must be less than or equal to memory limit of 512Mi" in failure.message
    assert failure.fix.startswith("set resources.requests and resources.limits")
    await namespaces.apply(
        namespaces.new(desired.tenant_id, resources=shape({"memory": "1Gi"}, {"memory": "1Gi"}))
    )


def shape(requested: Amounts, limited: Amounts) -> Resources:
    return Resources(
        requests=ResourceAmounts.model_validate(requested), limits=ResourceAmounts.model_validate(limited)
    )


def ask_landlord(desired: Desired) -> str:
    """Whether landlord would create anything for the spec."""
    try:
        limits.check_quota(desired)
    except Terminal as refusal:
        return refusal.code
    return "admitted"


async def ask_admission(namespaces: Namespaces, desired: Desired) -> str:
    """Whether the API server would admit the pod. Raises KubeError for any other objection than a quota."""
    template = pods.build_deployment(desired)["spec"]["template"]
    pod = template | {"apiVersion": "v1", "kind": "Pod"}
    pod["metadata"] = template["metadata"] | {"name": "sample"}
    path = kinds.POD.path(namespace_of(desired))
    try:
        await namespaces.backend._cluster.call("POST", path, pod, query={"dryRun": "All"})
    except KubeError as error:
        if "exceeded quota" in str(error):
            return "QuotaExceeded"
        raise
    return "admitted"

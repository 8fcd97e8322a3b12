"""What the API server refuses under compute.kubernetes, and with which words."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from dev.kubectl import Kubectl
from landlord.api.names import API_VERSION, KIND

Manifest = dict[str, Any]
Change = Callable[[Manifest], object]

KUBERNETES: Manifest = {
    "namespace": {"name": "acme-prod", "labels": {"cost-center": "4711"}, "annotations": {"owner": "blue"}},
    "quota": {"requests.cpu": "4", "requests.memory": "8Gi", "pods": 20},
    "podSecurity": "baseline",
    "networkIsolation": "IngressOnly",
    "exposure": "LoadBalancer",
    "nodeSelector": {"pool": "tenants"},
}


def a_tenant(namespace: str = "default", kubernetes: Manifest | None = None) -> Manifest:
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {"name": "acme", "namespace": namespace},
        "spec": {
            "compute": {"kubernetes": copy.deepcopy(KUBERNETES) if kubernetes is None else kubernetes},
            "workload": {
                "replicas": 3,
                "containers": [{"name": "app", "image": "app:1"}, {"name": "side", "image": "side:1"}],
            },
        },
    }


def kubernetes(tenant: Manifest) -> Manifest:
    settings: Manifest = tenant["spec"]["compute"]["kubernetes"]
    return settings


BAD: dict[str, tuple[Change, str]] = {
    "a namespace of the cluster": (
        lambda t: kubernetes(t)["namespace"].update(name="kube-system"),
        "must not be default or start with kube-: these belong to the cluster",
    ),
    "the default namespace": (
        lambda t: kubernetes(t)["namespace"].update(name="default"),
        "must not be default or start with kube-: these belong to the cluster",
    ),
    "a namespace that can't be a name": (
        lambda t: kubernetes(t)["namespace"].update(name="Acme"),
        "namespace name must be lower-case letters, digits and '-'",
    ),
    "a label that landlord sets": (
        lambda t: kubernetes(t)["namespace"]["labels"].update({"landlord.dev/tenant-id": "other"}),
        "namespace.labels must not contain landlord.dev/…",
    ),
    "a Pod Security level by label": (
        lambda t: kubernetes(t)["namespace"]["labels"].update(
            {"pod-security.kubernetes.io/enforce": "privileged"}
        ),
        "for the latter use compute.kubernetes.podSecurity",
    ),
    "an annotation that landlord sets": (
        lambda t: kubernetes(t)["namespace"]["annotations"].update({"landlord.dev/origin": "made"}),
        "namespace.annotations must not contain landlord.dev/…",
    ),
    "an unknown Pod Security level": (
        lambda t: kubernetes(t).update(podSecurity="none"),
        'supported values: "restricted", "baseline", "privileged"',
    ),
    "a load balancer that nobody gets through": (
        lambda t: kubernetes(t).update(networkIsolation="Isolated"),
        "exposure LoadBalancer can't reach pods in an Isolated network",
    ),
    "a load balancer in the network that is the default": (
        lambda t: kubernetes(t).pop("networkIsolation"),
        "exposure LoadBalancer can't reach pods in an Isolated network",
    ),
    "no replicas": (
        lambda t: t["spec"]["workload"].update(replicas=0),
        "should be greater than or equal to 1",
    ),
    "replicas on docker": (
        lambda t: (
            t["spec"]["compute"].update(provider="docker"),
            t["spec"]["workload"]["containers"].pop(),
        ),
        "a Tenant on the docker backend must have exactly one replica",
    ),
    "an unknown way to adopt": (
        lambda t: t["spec"].update(management={"adoption": "Always"}),
        'supported values: "Never", "IfUnowned"',
    ),
}


@pytest.mark.parametrize("case", BAD, ids=str)
def test_refuses(case: str, kubectl: Kubectl) -> None:
    change, words = BAD[case]
    tenant = a_tenant()
    change(tenant)
    refused = kubectl.run("apply", "--dry-run=server", "-f", "-", stdin=json.dumps(tenant))
    assert refused.returncode != 0
    assert words in refused.stderr


def test_fills_in_defaults_and_only_those_that_mean_something(kubectl: Kubectl) -> None:
    tenant = json.dumps(a_tenant(kubernetes={}))
    answer = kubectl.run("create", "--dry-run=server", "-o", "json", "-f", "-", stdin=tenant)
    assert json.loads(answer.stdout)["spec"]["compute"]["kubernetes"] == {
        "podSecurity": "restricted",
        "networkIsolation": "Isolated",
        "exposure": "ClusterIP",
    }


NAMED: Manifest = {"namespace": {"name": "a"}}
OTHER: Manifest = {"namespace": {"name": "b"}}
UNNAMED: Manifest = {"namespace": {}}


@pytest.mark.parametrize(
    ("before", "after"),
    [(NAMED, OTHER), (NAMED, UNNAMED), (NAMED, {}), ({}, NAMED), (UNNAMED, NAMED)],
    ids=["renamed", "name-removed", "block-removed", "block-added", "name-added"],
)
def test_keeps_the_namespace(before: Manifest, after: Manifest, kubectl: Kubectl, namespace: str) -> None:
    kubectl.api.apply(json.dumps(a_tenant(namespace, before)))
    refused = kubectl.run("replace", "-f", "-", stdin=json.dumps(a_tenant(namespace, after)))
    assert refused.returncode != 0
    assert "namespace.name can't be changed: create a new Tenant instead" in refused.stderr

"""What others remove or change of a tenant is seen in the lists, told in depth by field, and put back."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import pytest
import yaml
from tests.contract.harness import observe
from tests.integration.backends.namespaces import Namespaces, namespace_of
from tests.support.polling import eventually
from tests.support.rbac import administrator

from dev.cluster import ControlPlane
from landlord.api import names
from landlord.api.request import Desired
from landlord.api.workload import EnvVar
from landlord.backends.cluster import kinds
from landlord.backends.cluster.client import Cluster
from landlord.backends.cluster.kinds import ObjectKind
from landlord.backends.kubernetes.backend import KubernetesBackend

Edit = Callable[[Namespaces, Desired], None]
SECRET = "a-password-of-theirs"
MEANT = "another-password"


async def drift(namespaces: Namespaces, desired: Desired) -> str:
    seen = await observe(namespaces.backend, desired.tenant_id)
    assert seen is not None
    assert seen.state == "Active"
    return seen.drift


def patched(kind: str, patch: Any, how: str = "merge") -> Edit:
    def edit(namespaces: Namespaces, desired: Desired) -> None:
        arguments = ("-n", namespace_of(desired), f"--type={how}", f"-p={json.dumps(patch)}")
        namespaces.kubectl("patch", kind, "tenant", *arguments)

    return edit


def deleted(kind: str) -> Edit:
    return lambda namespaces, desired: namespaces.kubectl.run(
        "delete", kind, "tenant", "-n", namespace_of(desired)
    ).check_returncode()


def labelled(label: str, value: str | None) -> Edit:
    change = {"metadata": {"labels": {label: value}}}
    return lambda namespaces, desired: namespaces.edit(desired, "namespace", change, namespace_of(desired))


def scaled(namespaces: Namespaces, desired: Desired) -> None:
    namespaces.kubectl("scale", "deployment/tenant", "--replicas=3", "-n", namespace_of(desired))


def replaced(path: str, value: Any) -> Any:
    return [{"op": "replace", "path": path, "value": value}]


DEPLOYMENT_CHANGED = "somebody changed the Deployment (generation 2)"
CHANGED_TWICE = "somebody changed the Deployment (generation 3)"
CONTAINER = "/spec/template/spec/containers/0"
SEEN_IN_THE_LISTS: dict[str, tuple[Edit, str, str]] = {
    "scaled": (
        scaled,
        DEPLOYMENT_CHANGED,
        "Deployment tenant: spec.replicas is 3, should be 1",
    ),
    "stopped": (
        patched("deployment", {"spec": {"replicas": 0}}),
        DEPLOYMENT_CHANGED,
        "Deployment tenant: spec.replicas is 0, should be 1",
    ),
    "another image": (
        patched("deployment", replaced(f"{CONTAINER}/image", "evil:1"), "json"),
        DEPLOYMENT_CHANGED,
        "Deployment tenant: spec.template.spec.containers[web].image is evil:1, should be web:1",
    ),
    "another value of a variable": (
        patched("deployment", replaced(f"{CONTAINER}/env/0/value", SECRET), "json"),
        DEPLOYMENT_CHANGED,
        "Deployment tenant: spec.template.spec.containers[web].env[PASSWORD].value differs",
    ),
    "no such variable": (
        patched("deployment", [{"op": "remove", "path": f"{CONTAINER}/env"}], "json"),
        DEPLOYMENT_CHANGED,
        "Deployment tenant: spec.template.spec.containers[web].env is missing",
    ),
    "another container in its place": (
        patched("deployment", replaced(f"{CONTAINER}/name", "theirs"), "json"),
        DEPLOYMENT_CHANGED,
        "Deployment tenant: spec.template.spec.containers[web] is missing",
    ),
    "an open network": (
        patched("networkpolicy", {"spec": {"ingress": [{}]}}),
        "somebody changed the NetworkPolicy (generation 2)",
        'NetworkPolicy tenant: spec.ingress is [{}], should be [{"from": [{"podSelector": {}}]}]',
    ),
    "no Deployment": (deleted("deployment"), "the Deployment is missing", "Deployment tenant is missing"),
    "no Service": (deleted("service"), "the Service is missing", "Service tenant is missing"),
    "no policy": (
        deleted("networkpolicy"),
        "the NetworkPolicy is missing",
        "NetworkPolicy tenant is missing",
    ),
    "no quota": (deleted("resourcequota"), "the ResourceQuota is missing", "ResourceQuota tenant is missing"),
    "no limits": (deleted("limitrange"), "the LimitRange is missing", "LimitRange tenant is missing"),
    "no account": (
        deleted("serviceaccount"),
        "the ServiceAccount is missing",
        "ServiceAccount tenant is missing",
    ),
    "a Service that leads elsewhere": (
        patched("service", replaced("/spec/ports/0/targetPort", 1), "json"),
        "somebody changed the Service: spec.ports[0].targetPort is 1, should be 8080",
        "Service tenant: spec.ports[8080,TCP].targetPort is 1, should be 8080",
    ),
    "a Service of another kind": (
        patched("service", {"spec": {"type": "NodePort"}}),
        "somebody changed the Service: spec.type is NodePort, should be ClusterIP",
        "Service tenant: spec.type is NodePort, should be ClusterIP",
    ),
    "a greater quota": (
        patched("resourcequota", {"spec": {"hard": {"pods": "100"}}}),
        "somebody changed the ResourceQuota: spec.hard.pods is 100, should be 5",
        "ResourceQuota tenant: spec.hard.pods is 100, should be 5",
    ),
    "no such limit": (
        patched("resourcequota", {"spec": {"hard": {"pods": None}}}),
        "somebody changed the ResourceQuota: spec.hard is missing",
        "ResourceQuota tenant: spec.hard is missing",
    ),
    "other defaults": (
        patched("limitrange", replaced("/spec/limits/0/defaultRequest/cpu", "9"), "json"),
        "somebody changed the LimitRange: spec.limits[0].defaultRequest.cpu is 9, should be 50m",
        "LimitRange tenant: spec.limits is ",
    ),
    "an account with a token": (
        patched("serviceaccount", {"automountServiceAccountToken": True}),
        "somebody changed the ServiceAccount: automountServiceAccountToken is true, should be false",
        "ServiceAccount tenant: automountServiceAccountToken is true, should be false",
    ),
    "another Pod Security level": (
        labelled("pod-security.kubernetes.io/enforce", "privileged"),
        "somebody changed the Namespace: metadata.labels[pod-security.kubernetes.io/enforce] is "
        "privileged, should be restricted",
        "metadata.labels[pod-security.kubernetes.io/enforce] is privileged, should be restricted",
    ),
    "no Pod Security level": (
        labelled("pod-security.kubernetes.io/warn", None),
        "somebody changed the Namespace: metadata.labels[pod-security.kubernetes.io/warn] is missing",
        "metadata.labels[pod-security.kubernetes.io/warn] is missing",
    ),
}


async def settled(namespaces: Namespaces) -> Desired:
    desired = namespaces.new(quota={"pods": "5"}, env=(EnvVar(name="PASSWORD", value=MEANT),))
    await namespaces.apply(desired)
    assert await drift(namespaces, desired) == ""
    assert await namespaces.backend.inspect(desired) == []
    return desired


@pytest.mark.parametrize("case", SEEN_IN_THE_LISTS)
async def test_what_the_lists_tell_is_told_in_depth_and_put_back(namespaces: Namespaces, case: str) -> None:
    edit, listed, inspected = SEEN_IN_THE_LISTS[case]
    desired = await settled(namespaces)
    edit(namespaces, desired)
    assert await drift(namespaces, desired) == listed
    lines = await namespaces.backend.inspect(desired)
    consequences = ("another container in its place", "a Service of another kind")
    assert len(lines) == (2 if case in consequences else 1)
    assert inspected in lines[0]
    assert await drift(namespaces, desired) == listed, "the look itself has changed nothing"
    assert not any(password in line for line in lines for password in (SECRET, MEANT))
    await namespaces.apply(desired)
    assert await drift(namespaces, desired) == ""
    assert await namespaces.backend.inspect(desired) == []


async def test_a_tenant_that_is_scaled_to_zero_by_hand_is_not_healthy(namespaces: Namespaces) -> None:
    desired = await settled(namespaces)
    namespaces.edit(desired, "deployment", {"spec": {"replicas": 0}})
    eventually(lambda: namespaces.pods(desired) == [])
    seen = await observe(namespaces.backend, desired.tenant_id)
    assert seen is not None
    assert (seen.healthy, seen.reason) == (False, "the Deployment is scaled to zero")


async def test_an_unhealthy_tenant_that_nobody_has_changed_has_no_drift(namespaces: Namespaces) -> None:
    desired = await settled(namespaces)
    namespaces.break_pod(desired, state={"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}})

    eventually(lambda: "availableReplicas" not in namespaces.get(desired, "deployment")["status"])
    seen = await observe(namespaces.backend, desired.tenant_id)
    assert seen is not None
    assert (seen.healthy, seen.drift) == (False, "")


async def test_fields_that_others_set_for_themselves_are_drift_until_the_next_look_in_depth(
    namespaces: Namespaces,
) -> None:
    desired = await settled(namespaces)
    place = ("-n", namespace_of(desired))
    namespaces.kubectl("rollout", "restart", "deployment/tenant", *place)
    namespaces.kubectl("annotate", "deployment/tenant", "theirs=note", *place)
    assert await drift(namespaces, desired) == CHANGED_TWICE
    assert await namespaces.backend.inspect(desired) == []
    assert await drift(namespaces, desired) == ""
    annotations = namespaces.get(desired, "deployment")["spec"]["template"]["metadata"]["annotations"]
    assert "kubectl.kubernetes.io/restartedAt" in annotations


async def test_a_look_in_depth_undoes_nothing_that_somebody_changes_meanwhile(
    namespaces: Namespaces, monkeypatch: pytest.MonkeyPatch
) -> None:
    desired = await settled(namespaces)
    namespaces.kubectl("rollout", "restart", "deployment/tenant", "-n", namespace_of(desired))
    preview = Cluster.preview

    async def with_a_change_after_it(self: Cluster, kind: ObjectKind, manifest: Any) -> Any:
        previewed = await preview(self, kind, manifest)
        if kind is kinds.DEPLOYMENT:
            scaled(namespaces, desired)
        return previewed

    monkeypatch.setattr(Cluster, "preview", with_a_change_after_it)
    assert await namespaces.backend.inspect(desired) == []
    assert namespaces.get(desired, "deployment")["spec"]["replicas"] == 3
    assert await drift(namespaces, desired) == CHANGED_TWICE


async def test_labels_that_others_add_to_the_namespace_are_theirs(namespaces: Namespaces) -> None:
    desired = await settled(namespaces)
    labelled("theirs", "note")(namespaces, desired)
    assert await drift(namespaces, desired) == ""
    assert await namespaces.backend.inspect(desired) == []


async def test_amounts_may_be_kept_in_another_form(namespaces: Namespaces) -> None:
    desired = namespaces.new(quota={"requests.cpu": "1500m", "limits.memory": "1024Mi", "pods": "5"})
    await namespaces.apply(desired)
    assert await drift(namespaces, desired) == ""


async def test_what_an_admission_policy_makes_of_an_object_is_no_drift(namespaces: Namespaces) -> None:
    desired = await settled(namespaces)
    labels = {names.LABEL_TENANT: desired.tenant_id}
    name = f"tokens-{desired.tenant_id}"
    mutation = {"op": '"replace"', "path": '"/automountServiceAccountToken"', "value": "true"}
    patch = "[JSONPatch{" + ", ".join(f"{field}: {value}" for field, value in mutation.items()) + "}]"
    policy = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingAdmissionPolicy",
        "metadata": {"name": name},
        "spec": {
            "matchConstraints": {
                "objectSelector": {"matchLabels": labels},
                "resourceRules": [
                    {
                        "apiGroups": [""],
                        "apiVersions": ["v1"],
                        "operations": ["CREATE", "UPDATE"],
                        "resources": ["serviceaccounts"],
                    }
                ],
            },
            "reinvocationPolicy": "Never",
            "mutations": [{"patchType": "JSONPatch", "jsonPatch": {"expression": patch}}],
        },
    }
    binding = policy | {"kind": "MutatingAdmissionPolicyBinding", "spec": {"policyName": name}}
    namespaces.kubectl.api.apply(yaml.safe_dump_all([policy, binding]))
    account = ("serviceaccount", "tenant", "-n", namespace_of(desired))

    def in_force() -> bool:
        namespaces.kubectl("annotate", *account, "theirs=note", "--overwrite")
        return bool(namespaces.get(desired, "serviceaccount")["automountServiceAccountToken"])

    try:
        eventually(in_force, what="the policy")
        assert "automountServiceAccountToken is true" in await drift(namespaces, desired)
        await namespaces.apply(desired)
        assert namespaces.get(desired, "serviceaccount")["automountServiceAccountToken"] is True
        assert await drift(namespaces, desired) == "", "there is nothing that could be put right"
        assert await namespaces.backend.inspect(desired) == []
    finally:
        for kind in (binding, policy):
            namespaces.kubectl("delete", str(kind["kind"]), name)


async def test_fields_that_others_set_for_themselves_are_no_drift_after_an_apply(
    namespaces: Namespaces,
) -> None:
    desired = await settled(namespaces)
    namespaces.kubectl("rollout", "restart", "deployment/tenant", "-n", namespace_of(desired))
    await namespaces.apply(desired)
    assert await drift(namespaces, desired) == ""


async def test_an_update_of_limits_alone_leaves_no_drift(namespaces: Namespaces) -> None:
    desired = await settled(namespaces)
    generation = namespaces.get(desired, "deployment")["metadata"]["generation"]
    more = namespaces.new(desired.tenant_id, quota={"pods": "6"}, env=desired.workload.containers[0].env)
    await namespaces.apply(more)
    assert await drift(namespaces, more) == ""
    deployment = namespaces.get(more, "deployment")
    assert deployment["metadata"]["labels"][names.LABEL_GENERATION] == str(
        deployment["metadata"]["generation"]
    )
    assert deployment["metadata"]["generation"] == generation + 1, "for the annotation with the spec's hash"
    assert namespaces.get(more, "networkpolicy")["metadata"]["generation"] == 1


async def test_what_is_no_longer_wanted_is_not_missed_and_what_should_not_be_there_is_told(
    namespaces: Namespaces,
) -> None:
    desired = await settled(namespaces)
    less = namespaces.new(desired.tenant_id, exposure="None", network_isolation="Open")
    lines = await namespaces.backend.inspect(less)
    assert {
        "ResourceQuota tenant exists, and should not",
        "Service tenant exists, and should not",
    } < {*lines}
    await namespaces.apply(less)
    assert await drift(namespaces, less) == ""
    assert await namespaces.backend.inspect(less) == []


async def test_an_inspection_of_a_tenant_without_a_namespace_says_that_all_is_missing(
    namespaces: Namespaces,
) -> None:
    desired = namespaces.new()
    lines = await namespaces.backend.inspect(desired)
    assert lines[0] == f"Namespace {namespace_of(desired)} is missing"
    assert all(line.endswith(" is missing") for line in lines)
    assert namespaces.namespace(desired) == {}


async def test_creating_and_applying_again_write_each_object_once(
    namespaces: Namespaces, control_plane: ControlPlane
) -> None:
    desired = namespaces.new()
    await namespaces.apply(desired)
    await namespaces.apply(desired)
    patches = [
        event["objectRef"]["resource"]
        for event in control_plane.audited(namespace_of(desired))
        if event["verb"] == "patch" and event["objectRef"].get("namespace") == namespace_of(desired)
        and event["objectRef"].get("name") == "tenant"
        and event["objectRef"]["resource"] in ("deployments", "networkpolicies")
        and not event["objectRef"].get("subresource")
    ]  # fmt: skip
    assert sorted(patches) == ["deployments"] * 2 + ["networkpolicies"] * 2


async def test_a_survey_takes_one_list_of_each_kind_however_many_tenants_there_are(
    namespaces: Namespaces, control_plane: ControlPlane, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kubeconfig = administrator(control_plane, namespace, "surveyor")
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig))
    backend = KubernetesBackend()
    asked = []
    for _ in range(2):
        await namespaces.make(namespaces.new())
        before = calls_by_label(control_plane, namespace)
        await backend.survey()
        asked.append(calls_by_label(control_plane, namespace)[len(before) :])
    await backend.close()
    assert asked[0] == asked[1]
    assert sorted(asked[0]) == sorted(("list", kind.plural) for kind in {kinds.NAMESPACE, *kinds.CREATED})


def calls_by_label(control_plane: ControlPlane, namespace: str) -> list[tuple[str, str]]:
    """What the surveyor has asked of all that landlord has made, as (verb, resource)."""
    label = f"{names.LABEL_MANAGED_BY}={names.MANAGED_BY}"
    return [
        (event["verb"], event["objectRef"]["resource"])
        for event in control_plane.audited(f"system:serviceaccount:{namespace}:surveyor")
        if label in unquote(event["requestURI"]) and "namespace" not in event["objectRef"]
    ]

"""A tenant's objects are what its spec says, whoever created or changed them.

Somebody restores the objects from a backup, replaces them or hands them over; the spec then gets smaller.
"""

from collections.abc import Callable
from typing import Any

import pytest
import yaml
from tests.contract.harness import observe
from tests.integration.backends.namespaces import HTTP, Namespaces, namespace_of
from tests.support.polling import eventually, eventually_async
from tests.support.secrets import Owner, referring

from dev.kubectl import Kubectl
from landlord.api.request import Desired
from landlord.api.workload import Container, EnvVar, Port
from landlord.backends.contract import Observation

Object = dict[str, Any]
Restore = Callable[[Namespaces, Desired, Object], None]
KINDS = ("deployment", "service", "resourcequota", "limitrange", "networkpolicy", "secret")
METRICS = Port(name="metrics", container_port=9090, app_protocol="http")


def replaced(namespaces: Namespaces, desired: Desired, found: Object) -> None:
    namespaces.kubectl("replace", "--force", "-f", "-", stdin=yaml.safe_dump(found))


def created(namespaces: Namespaces, desired: Desired, found: Object) -> None:
    del found["metadata"]["managedFields"]
    namespaces.kubectl("delete", found["kind"], "tenant", "-n", namespace_of(desired))
    del found["metadata"]["resourceVersion"], found["metadata"]["uid"]
    manager = "--field-manager=velero-server"
    namespaces.kubectl("create", manager, "-f", "-", stdin=yaml.safe_dump(found))


def applied_by_another(namespaces: Namespaces, desired: Desired, found: Object) -> None:
    del found["metadata"]["managedFields"]
    namespaces.kubectl("delete", found["kind"], "tenant", "-n", namespace_of(desired))
    del found["metadata"]["resourceVersion"], found["metadata"]["uid"]
    how = ("--server-side", "--field-manager=gitops")
    namespaces.kubectl("apply", *how, "-f", "-", stdin=yaml.safe_dump(found))


def without_labels(namespaces: Namespaces, desired: Desired, found: Object) -> None:
    found["metadata"]["labels"] = {}
    replaced(namespaces, desired, found)


def large(namespaces: Namespaces, secrets_namespace: str) -> Desired:
    debug = Container(name="debug", image="debug:1")
    env = (EnvVar(name="OLD", value="1"), EnvVar(name="KEPT", value="1"), referring("PASSWORD"))
    return namespaces.new(
        env=env,
        ports=(HTTP, METRICS),
        containers=(debug,),
        node_selector={"type": "kwok"},
        quota={"pods": "5", "requests.cpu": "2"},
        secrets_namespace=secrets_namespace,
        network_isolation="IngressOnly",
        adoption="IfUnowned",
    )


def small(namespaces: Namespaces, tenant_id: str | None = None) -> Desired:
    env = (EnvVar(name="KEPT", value="1"),)
    return namespaces.new(tenant_id, env=env, quota={"pods": "5"}, adoption="IfUnowned")


async def seen(namespaces: Namespaces, desired: Desired) -> Observation:
    found = await observe(namespaces.backend, desired.tenant_id)
    assert found is not None
    return found


def content(namespaces: Namespaces, desired: Desired) -> dict[str, Object]:
    """What the tenant's objects say, but for what differs between any two tenants."""
    contents = {}
    for kind in KINDS:
        found = namespaces.get(desired, kind)
        spec: Object = found.get("spec", {}) | found.get("data", {})
        for own in ("clusterIP", "clusterIPs"):
            spec.pop(own, None)
        annotations = spec.get("template", {}).get("metadata", {}).get("annotations")
        text = yaml.safe_dump([spec, annotations]).replace(desired.tenant_id, "ID")
        contents[kind] = yaml.safe_load(text)
    return contents


@pytest.mark.parametrize("restore", [replaced, created, applied_by_another, without_labels])
async def test_what_is_removed_from_the_spec_goes_whoever_has_created_the_objects(
    namespaces: Namespaces, kubectl: Kubectl, namespace: str, restore: Restore
) -> None:
    fresh = small(namespaces)
    await namespaces.apply(fresh)
    Owner(kubectl, namespace).put(password="first")
    before = large(namespaces, namespace)
    await namespaces.apply(before)
    for kind in KINDS:
        found = yaml.safe_load(
            namespaces.kubectl(
                "get", kind, "tenant", "-n", namespace_of(before), "-o", "yaml", "--show-managed-fields"
            )
        )
        restore(namespaces, before, found)
    after = small(namespaces, before.tenant_id)
    await namespaces.apply(after)
    found, expected = content(namespaces, after), content(namespaces, fresh)
    if restore is without_labels:  # then the Secret, which is no longer wanted, may be anybody's
        del found["secret"], expected["secret"]
    assert found == expected
    assert await namespaces.backend.inspect(after) == []
    assert (await seen(namespaces, after)).drift == ""


async def test_restored_objects_that_are_as_they_must_be_are_taken_over_without_a_difference(
    namespaces: Namespaces,
) -> None:
    desired = small(namespaces)
    await namespaces.apply(desired)
    for kind in KINDS[:-1]:
        replaced(namespaces, desired, namespaces.get(desired, kind))
    before = content(namespaces, desired)
    assert "set fields" in (await seen(namespaces, desired)).drift
    assert await namespaces.backend.inspect(desired) == []
    assert (await seen(namespaces, desired)).drift == ""
    assert content(namespaces, desired) == before


CONTAINERS = "/spec/template/spec/containers"
ADDED: dict[str, tuple[str, list[Object], str]] = {
    "a container": (
        "deployment",
        [{"op": "add", "path": f"{CONTAINERS}/-", "value": {"name": "debug", "image": "d", "env": []}}],
        "spec.template.spec.containers[debug] is set, should not be",
    ),
    "a variable": (
        "deployment",
        [{"op": "add", "path": f"{CONTAINERS}/0/env/-", "value": {"name": "OLD", "value": "s3cret"}}],
        "spec.template.spec.containers[web].env[OLD] is set, should not be",
    ),
    "a node selector": (
        "deployment",
        [{"op": "add", "path": "/spec/template/spec/nodeSelector", "value": {"type": "kwok"}}],
        "spec.template.spec.nodeSelector is set, should not be",
    ),
    "a shared process namespace": (
        "deployment",
        [{"op": "add", "path": "/spec/template/spec/shareProcessNamespace", "value": True}],
        "spec.template.spec.shareProcessNamespace is true, should not be set",
    ),
    "another default": (
        "deployment",
        [{"op": "replace", "path": "/spec/revisionHistoryLimit", "value": 1}],
        "spec.revisionHistoryLimit is 1, should be 10",
    ),
    "a port": (
        "service",
        [{"op": "add", "path": "/spec/ports/-", "value": {"name": "theirs", "port": 9000}}],
        "spec.ports[9000,TCP] is set, should not be",
    ),
    "addresses of pods that are not ready": (
        "service",
        [{"op": "add", "path": "/spec/publishNotReadyAddresses", "value": True}],
        "spec.publishNotReadyAddresses is true, should not be set",
    ),
    "an amount": (
        "resourcequota",
        [{"op": "add", "path": "/spec/hard/configmaps", "value": "9"}],
        "spec.hard.configmaps is 9, should not be set",
    ),
}


@pytest.mark.parametrize("case", ADDED)
async def test_what_somebody_adds_is_seen_told_and_removed(namespaces: Namespaces, case: str) -> None:
    kind, patch, line = ADDED[case]
    desired = small(namespaces)
    await namespaces.apply(desired)
    before = content(namespaces, desired)
    namespaces.api.patch(kind, "tenant", patch, namespace=namespace_of(desired))
    assert kind in (await seen(namespaces, desired)).drift.lower()
    lines = await namespaces.backend.inspect(desired)
    assert [each.partition(": ")[2] for each in lines] == [line]
    assert (await seen(namespaces, desired)).drift, "the inspection itself changes nothing"
    await namespaces.apply(desired)
    assert content(namespaces, desired) == before
    assert (await seen(namespaces, desired)).drift == ""


async def test_pull_secrets_and_notes_that_somebody_adds_stay(namespaces: Namespaces) -> None:
    desired = small(namespaces)
    await namespaces.apply(desired)
    namespaces.edit(desired, "serviceaccount", {"imagePullSecrets": [{"name": "login"}]})
    for kind in KINDS[:-1]:
        namespaces.edit(desired, kind, {"metadata": {"annotations": {"theirs": "note"}}})
    note = {"metadata": {"annotations": {"theirs": "note"}}}
    namespaces.edit(desired, "deployment", {"spec": {"template": note}})
    for _ in range(2):
        await namespaces.apply(desired)
        assert namespaces.get(desired, "serviceaccount")["imagePullSecrets"] == [{"name": "login"}]
        assert namespaces.get(desired, "service")["metadata"]["annotations"]["theirs"] == "note"
        template = namespaces.get(desired, "deployment")["spec"]["template"]
        assert template["metadata"]["annotations"]["theirs"] == "note"
    assert (await seen(namespaces, desired)).drift == ""


async def test_replicas_are_left_to_an_autoscaler_and_taken_back_from_anybody_else(
    namespaces: Namespaces,
) -> None:
    desired = small(namespaces)
    await namespaces.apply(desired)
    place = ("-n", namespace_of(desired))
    namespaces.kubectl("autoscale", "deployment/tenant", "--min=3", "--max=5", "--cpu=50%", *place)

    def replicas() -> int:
        return int(namespaces.get(desired, "deployment")["spec"]["replicas"])

    eventually(lambda: replicas() == 3, what="the autoscaler has scaled the tenant")

    async def settled() -> bool:  # an inspection records nothing while controllers change the object
        assert await namespaces.backend.inspect(desired) == []
        return (await seen(namespaces, desired)).drift == ""

    await eventually_async(settled)
    found = await seen(namespaces, desired)
    assert found.left == "kube-controller-manager sets spec.replicas of the Deployment"
    await namespaces.apply(desired)
    assert replicas() == 3
    namespaces.kubectl("delete", "hpa", "tenant", *place)
    namespaces.kubectl("scale", "deployment/tenant", "--replicas=2", *place)
    assert await namespaces.backend.inspect(desired) == ["Deployment tenant: spec.replicas is 2, should be 1"]
    await namespaces.apply(desired)
    assert replicas() == 1
    assert (await seen(namespaces, desired)).left == ""


async def test_a_secret_that_is_rewritten_with_the_same_values_is_outdated_until_the_next_inspection(
    namespaces: Namespaces, kubectl: Kubectl, namespace: str
) -> None:
    owner = Owner(kubectl, namespace)
    owner.put(password="first", other="1")
    desired = namespaces.new(env=(referring("PASSWORD"),), secrets_namespace=namespace)
    await namespaces.apply(desired)
    template = namespaces.get(desired, "deployment")["spec"]["template"]
    for touched in (True, False):
        owner.touch() if touched else owner.put(password="first", other="2")
        assert "has changed" in (await seen(namespaces, desired)).outdated
        assert await namespaces.backend.inspect(desired) == []
        found = await seen(namespaces, desired)
        assert (found.outdated, found.drift) == ("", "")
    assert namespaces.get(desired, "deployment")["spec"]["template"] == template
    owner.put(password="second")
    assert await namespaces.backend.inspect(desired) == [
        "Secret tenant: web.PASSWORD differs from its source"
    ]
    assert "has changed" in (await seen(namespaces, desired)).outdated


@pytest.mark.parametrize("adopted", [False, True])
async def test_labels_of_the_namespace_that_the_spec_no_longer_has_go_unless_it_was_somebody_else_s(
    namespaces: Namespaces, adopted: bool
) -> None:
    settings = {"labels": {"team": "x"}, "annotations": {"note": "x"}}
    before = namespaces.new(namespace=settings, adoption="IfUnowned")
    name = namespace_of(before)
    if adopted:
        namespaces.put_namespace(before)
    await namespaces.apply(before)
    theirs = settings | {"labels": {"team": "x", "theirs": "1"}}
    restored = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, **theirs}}
    how = ("--server-side", "--force-conflicts", "--field-manager=velero-server")
    namespaces.kubectl("apply", *how, "-f", "-", stdin=yaml.safe_dump(restored))
    namespaces.edit(before, "namespace", {"metadata": {"annotations": {"note": "theirs"}}}, name)
    assert "metadata.annotations.note is theirs, should be x" in (await seen(namespaces, before)).drift
    await namespaces.apply(before)
    await namespaces.apply(namespaces.new(before.tenant_id, adoption="IfUnowned"))
    metadata = namespaces.namespace(before)["metadata"]
    assert metadata["labels"]["theirs"] == "1"
    assert metadata["labels"].get("team") == ("x" if adopted else None)
    assert metadata["annotations"].get("note") is None

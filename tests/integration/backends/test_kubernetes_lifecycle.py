"""A tenant at rest on Kubernetes: nothing of it runs, and what its data needs is kept."""

import json
from typing import Any

import pytest
from tests.contract.harness import observe, run
from tests.integration.backends.namespaces import Namespaces, config_map, namespace_of
from tests.support.polling import eventually

from landlord.api import names
from landlord.api.compute import NamespaceSettings
from landlord.api.request import Desired
from landlord.api.workload import Container
from landlord.backends.kubernetes import stopping
from landlord.errors import Retryable

CLAIM = {
    "apiVersion": "v1",
    "kind": "PersistentVolumeClaim",
    "metadata": {"name": "theirs"},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
}
MADE = ("deployment", "service", "networkpolicy", "resourcequota", "limitrange", "serviceaccount")


def specs(namespaces: Namespaces, desired: Desired) -> dict[str, Any]:
    """What counts of all that was made for a tenant."""
    found = {kind: namespaces.get(desired, kind) for kind in MADE}
    content = {kind: each.get("spec", each["metadata"]["labels"]) for kind, each in found.items()}
    return content | {"namespace": namespaces.namespace(desired)["metadata"]["labels"]}


async def test_a_suspended_tenant_has_no_pods_and_comes_back_exactly_as_it_was(
    namespaces: Namespaces,
) -> None:
    desired = namespaces.new(replicas=2, quota={"pods": "5"})
    made = await namespaces.apply(desired)
    namespaces.put(desired, config_map("theirs"), CLAIM)
    before = specs(namespaces, desired)

    kept = await run(namespaces.backend.suspend(desired.tenant_id))
    assert namespaces.pods(desired) == []
    assert {each.kind for each in kept.resources} == {each.kind for each in made.resources}
    seen = await observe(namespaces.backend, desired.tenant_id)
    assert seen is not None
    assert (seen.state, seen.healthy, seen.drift) == ("Suspended", True, "")
    assert seen.spec_hash == desired.hash()
    assert namespaces.get(desired, "configmap", "theirs")
    assert namespaces.get(desired, "persistentvolumeclaim", "theirs")

    assert await namespaces.apply(desired) == made
    assert specs(namespaces, desired) == before
    seen = await observe(namespaces.backend, desired.tenant_id)
    assert seen is not None
    assert (seen.state, seen.healthy, seen.drift) == ("Active", True, "")
    assert await namespaces.backend.inspect(desired) == []


async def test_replicas_are_landlord_s_again_after_a_resume(namespaces: Namespaces) -> None:
    desired = namespaces.new(replicas=2)
    await namespaces.apply(desired)
    await run(namespaces.backend.suspend(desired.tenant_id))
    await namespaces.apply(desired)
    fewer = namespaces.new(desired.tenant_id, replicas=1)
    await namespaces.apply(fewer)
    assert namespaces.get(desired, "deployment")["spec"]["replicas"] == 1
    namespaces.edit(desired, "deployment", {"spec": {"replicas": 3}})
    await namespaces.apply(fewer)
    assert namespaces.get(desired, "deployment")["spec"]["replicas"] == 1


async def test_an_archived_tenant_keeps_what_others_put_there_and_is_as_closed_as_before(
    namespaces: Namespaces,
) -> None:
    desired = namespaces.new(quota={"pods": "5"})
    made = await namespaces.apply(desired)
    namespaces.put(desired, config_map("theirs"), CLAIM)
    before = specs(namespaces, desired)

    kept = await run(namespaces.backend.archive(desired.tenant_id))
    assert [(each.kind, each.name) for each in kept.resources] == [("Namespace", namespace_of(desired))]
    assert namespaces.pods(desired) == []
    left = {kind for kind in MADE if namespaces.get(desired, kind)}
    assert left == {"networkpolicy", "resourcequota", "limitrange", "serviceaccount"}
    assert namespaces.get(desired, "configmap", "theirs")
    assert namespaces.get(desired, "persistentvolumeclaim", "theirs")
    seen = await observe(namespaces.backend, desired.tenant_id)
    assert seen is not None
    assert (seen.state, seen.healthy, seen.drift) == ("Archived", True, "")

    assert await namespaces.apply(desired) == made
    assert {kind: each for kind, each in specs(namespaces, desired).items() if kind != "service"} == {
        kind: each for kind, each in before.items() if kind != "service"
    }
    assert namespaces.get(desired, "service")["spec"]["ports"] == before["service"]["ports"]
    seen = await observe(namespaces.backend, desired.tenant_id)
    assert seen is not None
    assert (seen.state, seen.healthy, seen.drift) == ("Active", True, "")


async def test_until_its_deployment_is_applied_a_resumed_tenant_is_suspended(namespaces: Namespaces) -> None:
    desired = namespaces.new()
    await namespaces.apply(desired)
    await run(namespaces.backend.suspend(desired.tenant_id))
    for step in namespaces.backend.apply(desired)[:-2]:
        await step.run()
        seen = await observe(namespaces.backend, desired.tenant_id)
        assert seen is not None
        assert seen.state == "Suspended", step.name


async def test_until_its_deployment_is_applied_a_restored_tenant_lacks_it(namespaces: Namespaces) -> None:
    desired = namespaces.new()
    await namespaces.apply(desired)
    await run(namespaces.backend.archive(desired.tenant_id))
    for step in namespaces.backend.apply(desired)[:-2]:
        await step.run()
        seen = await observe(namespaces.backend, desired.tenant_id)
        assert seen is not None
        assert (seen.state, seen.healthy) == ("Active", False), step.name
        assert "the Deployment is missing" in seen.drift


async def test_a_tenant_that_is_marked_and_still_runs_is_not_as_it_should_be(namespaces: Namespaces) -> None:
    for state in ("Suspended", "Archived"):
        desired = namespaces.new()
        await namespaces.apply(desired)
        mark = {"metadata": {"labels": {names.LABEL_STATE: state}}}
        namespaces.edit(desired, "namespace", mark, namespace_of(desired))
        seen = await observe(namespaces.backend, desired.tenant_id)
        assert seen is not None
        assert (seen.state, seen.healthy) == (state, False)
        assert seen.drift == f"it is {state.lower()}, but its Deployment has 1 replicas"


async def test_a_suspended_tenant_that_somebody_starts_is_drift_and_can_be_suspended_again(
    namespaces: Namespaces,
) -> None:
    desired = namespaces.new()
    await namespaces.apply(desired)
    await run(namespaces.backend.suspend(desired.tenant_id))
    namespaces.kubectl("scale", "deployment/tenant", "--replicas=2", "-n", namespace_of(desired))
    seen = await observe(namespaces.backend, desired.tenant_id)
    assert seen is not None
    assert (seen.state, seen.healthy) == ("Suspended", False)
    assert "2 replicas" in seen.drift
    await run(namespaces.backend.suspend(desired.tenant_id))
    seen = await observe(namespaces.backend, desired.tenant_id)
    assert seen is not None
    assert (seen.state, seen.healthy, seen.drift) == ("Suspended", True, "")


async def test_a_suspended_tenant_whose_deployment_is_removed_is_still_suspended(
    namespaces: Namespaces,
) -> None:
    desired = namespaces.new()
    await namespaces.apply(desired)
    await run(namespaces.backend.suspend(desired.tenant_id))
    namespaces.kubectl("delete", "deployment", "tenant", "-n", namespace_of(desired))
    seen = await observe(namespaces.backend, desired.tenant_id)
    assert seen is not None
    assert (seen.state, seen.healthy, seen.spec_hash) == ("Suspended", True, desired.hash())


async def test_an_archived_tenant_can_be_suspended_and_a_suspended_one_archived(
    namespaces: Namespaces,
) -> None:
    desired = namespaces.new()
    await namespaces.apply(desired)
    for operation, state in (("suspend", "Suspended"), ("archive", "Archived"), ("suspend", "Suspended")):
        kept = await run(getattr(namespaces.backend, operation)(desired.tenant_id))
        seen = await observe(namespaces.backend, desired.tenant_id)
        assert seen is not None
        assert (seen.state, seen.healthy, seen.drift) == (state, True, "")
    assert {each.kind for each in kept.resources}.isdisjoint({"Deployment", "Service"})


@pytest.mark.parametrize("operation", ["suspend", "archive"])
async def test_a_namespace_that_the_manifest_names_is_found_and_one_taken_over_is_given_back_unmarked(
    namespaces: Namespaces, operation: str
) -> None:
    desired = namespaces.new()
    own = f"own-{desired.tenant_id}"
    desired = namespaces.new(desired.tenant_id, namespace=NamespaceSettings(name=own), adoption="IfUnowned")
    namespaces.put_namespace(desired)
    await namespaces.apply(desired)
    await run(getattr(namespaces.backend, operation)(desired.tenant_id))
    assert namespaces.pods(desired) == []
    await namespaces.remove(desired)
    left = namespaces.namespace(desired)["metadata"]
    assert not any(names.GROUP in key for key in (*left["labels"], *left.get("annotations", {})))


@pytest.mark.parametrize("operation", ["suspend", "archive"])
async def test_a_pod_that_does_not_go_is_named(
    namespaces: Namespaces, operation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stopping, "WINDOW_SECONDS", 2.0)
    desired = namespaces.new(containers=(Container(name="second", image="any:1"),))
    await namespaces.apply(desired)
    (pod,) = namespaces.pods(desired)
    name = pod["metadata"]["name"]
    namespaces.edit(desired, "pod", {"metadata": {"finalizers": ["example.com/hold"]}}, name)
    with pytest.raises(Retryable, match=rf"pods/{name} \(example.com/hold\)"):
        await run(getattr(namespaces.backend, operation)(desired.tenant_id))
    namespaces.edit(desired, "pod", {"metadata": {"finalizers": None}}, name)
    await run(getattr(namespaces.backend, operation)(desired.tenant_id))
    eventually(lambda: namespaces.pods(desired) == [])


async def test_suspending_again_changes_nothing(namespaces: Namespaces) -> None:
    desired = namespaces.new()
    await namespaces.apply(desired)
    await run(namespaces.backend.suspend(desired.tenant_id))

    def versions() -> str:
        found = (namespaces.namespace(desired), namespaces.get(desired, "deployment"))
        return json.dumps([each["metadata"]["resourceVersion"] for each in found])

    before = versions()
    await run(namespaces.backend.suspend(desired.tenant_id))
    assert versions() == before

"""What is not the tenant's is never touched, unless it may be taken over; what is landlord's is put back."""

import asyncio
import json
from typing import Any

import pytest
from tests.contract.harness import new_tenant_id, run
from tests.integration.backends.namespaces import Namespaces, config_map, namespace_of

from landlord.api import names
from landlord.errors import StepError, Terminal


def service(name: str, *ports: dict[str, Any]) -> dict[str, Any]:
    spec = {"ports": ports or ({"port": 80},), "selector": {"app": "other"}}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


async def test_a_namespace_of_somebody_else_is_a_conflict_and_left_as_it_is(namespaces: Namespaces) -> None:
    desired = namespaces.new()
    namespaces.put_namespace(desired)
    before = namespaces.namespace(desired)
    failure = await namespaces.failure(desired)
    assert isinstance(failure, Terminal)
    assert failure.code == "Conflict"
    assert "IfUnowned" in failure.fix
    await namespaces.remove(desired)
    assert namespaces.namespace(desired) == before


async def test_a_namespace_that_is_taken_over_outlives_the_tenant_and_what_others_have_in_it(
    namespaces: Namespaces,
) -> None:
    desired = namespaces.new(adoption="IfUnowned", quota={"pods": 5})
    security = {f"pod-security.kubernetes.io/{mode}": "baseline" for mode in ("enforce", "warn")}
    namespaces.put_namespace(desired, **security)
    namespaces.put(desired, config_map("theirs"), service("theirs"))
    await namespaces.apply(desired)
    await namespaces.apply(desired)
    assert (
        names.labels(desired.tenant_id).items() <= namespaces.namespace(desired)["metadata"]["labels"].items()
    )

    await namespaces.remove(desired)
    metadata = namespaces.namespace(desired)["metadata"]
    assert "deletionTimestamp" not in metadata
    assert metadata["labels"] == {
        "owner": "somebody",
        **security,
        "kubernetes.io/metadata.name": namespace_of(desired),
    }
    assert not any(key.startswith(names.GROUP) for key in metadata.get("annotations", {}))
    for kind in ("deployment", "service", "serviceaccount", "networkpolicy", "limitrange", "resourcequota"):
        assert namespaces.get(desired, kind) == {}, kind
    assert namespaces.get(desired, "configmap", "theirs")
    assert namespaces.get(desired, "service", "theirs")


async def test_a_copy_of_a_tenant_s_namespace_is_left_as_it_is(namespaces: Namespaces) -> None:
    desired = namespaces.new()
    await namespaces.apply(desired)
    copy = namespaces.new()
    for found in (namespaces.namespace(desired), namespaces.get(desired, "serviceaccount")):
        for set_by_the_server in ("uid", "resourceVersion", "managedFields", "creationTimestamp"):
            found["metadata"].pop(set_by_the_server, None)
        copied = json.dumps(found).replace(namespace_of(desired), namespace_of(copy))
        namespaces.kubectl.api.apply(copied)
    before = namespaces.namespace(copy)["metadata"]

    await run(namespaces.backend.suspend(desired.tenant_id))
    await run(namespaces.backend.archive(desired.tenant_id))
    await namespaces.remove(desired)
    assert namespaces.namespace(desired) == {}
    assert namespaces.namespace(copy)["metadata"] == before
    assert namespaces.get(copy, "serviceaccount")
    assert desired.tenant_id not in await namespaces.backend.survey()


async def test_a_namespace_that_nobody_knows_who_made_is_not_deleted(namespaces: Namespaces) -> None:
    desired = namespaces.new()
    await namespaces.apply(desired)
    lost = {"metadata": {"annotations": {names.ANNOTATION_ORIGIN: None}}}
    namespaces.edit(desired, "namespace", lost, namespace_of(desired))
    labels = {"metadata": {"labels": names.labels(desired.tenant_id)}}
    namespaces.edit(desired, "namespace", labels, namespace_of(desired))
    await namespaces.remove(desired)
    metadata = namespaces.namespace(desired)["metadata"]
    assert "deletionTimestamp" not in metadata
    assert not any(key.startswith(names.GROUP) for key in metadata["labels"])
    assert namespaces.get(desired, "deployment") == {}


async def test_a_tenant_that_has_a_namespace_gets_no_other(namespaces: Namespaces) -> None:
    retained = namespaces.new(namespace={"name": new_tenant_id("first")})
    await namespaces.make(retained)
    heir = namespaces.new(retained.tenant_id)
    failure = await namespaces.failure(heir)
    assert (type(failure), failure.code) == (Terminal, "Conflict")
    assert f"already has the namespace {namespace_of(retained)}" in failure.message
    assert namespaces.namespace(heir) == {}
    await namespaces.make(namespaces.new(retained.tenant_id, namespace={"name": namespace_of(retained)}))


async def test_what_another_tenant_has_is_not_taken_over(namespaces: Namespaces) -> None:
    first = namespaces.new()
    await namespaces.make(first)
    second = namespaces.new(adoption="IfUnowned", namespace={"name": namespace_of(first)})
    failure = await namespaces.failure(second)
    assert isinstance(failure, Terminal)
    assert f"belongs to the tenant {first.tenant_id}" in failure.message
    await namespaces.remove(second)
    assert namespaces.get(first, "deployment")


@pytest.mark.parametrize("there", [False, True])
async def test_of_two_tenants_that_want_one_namespace_at_once_one_gets_it(
    namespaces: Namespaces, there: bool
) -> None:
    first = namespaces.new(adoption="IfUnowned")
    second = namespaces.new(adoption="IfUnowned", namespace={"name": namespace_of(first)})
    if there:
        namespaces.put_namespace(first)

    async def attempt(number: int) -> StepError | None:
        step = namespaces.backend.apply((first, second)[number % 2])[0]
        try:
            await step.run()
        except StepError as error:
            return error
        return None

    outcomes = await asyncio.gather(*(attempt(number) for number in range(2)))
    assert outcomes.count(None) == 1, outcomes
    winner = (first, second)[outcomes.index(None)]
    labels = namespaces.namespace(first)["metadata"]["labels"]
    assert labels[names.LABEL_TENANT] == winner.tenant_id
    assert labels[names.LABEL_SPEC_HASH] == winner.hash()


async def test_an_object_of_somebody_else_in_the_tenants_namespace_is_a_conflict(
    namespaces: Namespaces,
) -> None:
    desired = namespaces.new()
    steps = namespaces.backend.apply(desired)
    await run(steps[:3])
    namespaces.put(desired, service("tenant"))
    before = namespaces.get(desired, "service")
    with pytest.raises(Terminal, match="a Service named tenant exists and does not belong to this tenant"):
        await steps[3].run()
    assert namespaces.get(desired, "service") == before
    await namespaces.make(namespaces.new(desired.tenant_id, exposure="None"))
    assert namespaces.get(desired, "service") == before, "not wanted, and not ours to remove"


async def test_an_object_is_taken_over_where_the_tenant_lets_it(namespaces: Namespaces) -> None:
    desired = namespaces.new(adoption="IfUnowned")
    await run(namespaces.backend.apply(desired)[:3])
    namespaces.put(desired, service("tenant", {"name": "old", "port": 80}))
    await namespaces.apply(desired)
    found = namespaces.get(desired, "service")
    assert found["metadata"]["labels"][names.LABEL_TENANT] == desired.tenant_id
    assert 8080 in [port["port"] for port in found["spec"]["ports"]]


async def test_what_cant_be_made_the_tenants_is_a_conflict_and_left_as_it_is(namespaces: Namespaces) -> None:
    desired = namespaces.new(adoption="IfUnowned")
    await run(namespaces.backend.apply(desired)[:3])
    namespaces.put(desired, service("tenant", {"port": 80}))
    before = namespaces.get(desired, "service")
    failure = await namespaces.failure(desired)
    assert isinstance(failure, Terminal)
    assert "can't adopt it" in failure.message
    assert "spec.ports[0].name: Required value" in failure.message
    assert namespaces.get(desired, "service") == before


async def test_fields_of_landlord_are_put_back_and_those_of_others_left_alone(namespaces: Namespaces) -> None:
    desired = namespaces.new(quota={"pods": 5})
    await namespaces.apply(desired)
    namespaces.edit(
        desired,
        "deployment",
        {"metadata": {"labels": {"theirs": "yes"}}, "spec": {"replicas": 3}},
    )
    namespaces.edit(desired, "resourcequota", {"spec": {"hard": {"pods": "50"}}})
    namespaces.edit(desired, "serviceaccount", {"automountServiceAccountToken": True})
    unsafe = {"labels": {"pod-security.kubernetes.io/enforce": "privileged", "theirs": "yes"}}
    namespaces.edit(desired, "namespace", {"metadata": unsafe}, namespace_of(desired))

    await namespaces.apply(desired)
    deployment = namespaces.get(desired, "deployment")
    assert deployment["spec"]["replicas"] == 1
    assert deployment["metadata"]["labels"]["theirs"] == "yes"
    assert namespaces.get(desired, "resourcequota")["spec"]["hard"] == {"pods": "5"}
    assert namespaces.get(desired, "serviceaccount")["automountServiceAccountToken"] is False
    labels = namespaces.namespace(desired)["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    assert labels["theirs"] == "yes"


async def test_applying_the_same_again_writes_nothing_new(namespaces: Namespaces) -> None:
    desired = namespaces.new(quota={"pods": 5, "requests.cpu": "0.5"})
    made = await namespaces.apply(desired)

    def generations() -> dict[str, str]:
        return {
            ref.kind: namespaces.get(desired, ref.kind, ref.name)["metadata"]["resourceVersion"]
            for ref in made.resources
            if ref.kind not in ("Deployment", "ResourceQuota")  # their controllers write status
        }

    before = generations()
    await namespaces.apply(desired)
    assert generations() == before


async def test_a_namespace_that_vanishes_between_steps_is_made_again(namespaces: Namespaces) -> None:
    desired = namespaces.new()
    steps = namespaces.backend.apply(desired)
    await run(steps[:2])
    namespaces.kubectl("delete", "namespace", namespace_of(desired), "--timeout=60s")
    await run(steps[2:])
    assert namespaces.get(desired, "limitrange")


async def test_a_deployment_that_vanishes_before_it_is_ready_is_made_again(namespaces: Namespaces) -> None:
    desired = namespaces.new()
    await namespaces.make(desired)
    namespaces.kubectl("delete", "deployment", "tenant", "-n", namespace_of(desired))
    await namespaces.backend.apply(desired)[-1].run()
    assert namespaces.get(desired, "deployment")

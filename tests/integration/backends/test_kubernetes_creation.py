"""An object is created in one request with all of its metadata, as admission policies require."""

import asyncio
from contextlib import AbstractContextManager

import pytest
from tests.integration.backends.namespaces import Namespaces, namespace_of
from tests.support.policies import denying

from landlord.api import names
from landlord.api.request import Desired
from landlord.backends.cluster import kinds
from landlord.backends.cluster.kinds import ObjectKind
from landlord.errors import StepError, Stuck

OWNED = {"labels": {"owner": "team-blue"}, "annotations": {"example.com/cost-centre": "7"}}


def wanting_an_owner(namespaces: Namespaces, desired: Desired) -> AbstractContextManager[None]:
    """Deny each creation and update of the tenant's namespace without what the administrator requires."""
    return denying(
        namespaces.kubectl,
        f"owner-{desired.tenant_id}",
        resources=[],
        concerns=f"object.metadata.name == '{namespace_of(desired)}'",
        unless="'owner' in object.metadata.?labels.orValue({}) && "
        "'example.com/cost-centre' in object.metadata.?annotations.orValue({})",
        message="every namespace needs the label owner and a cost centre",
    )


async def test_a_policy_that_requires_labels_of_a_new_namespace_is_met(namespaces: Namespaces) -> None:
    desired = namespaces.new(namespace=OWNED)
    with wanting_an_owner(namespaces, desired):
        await namespaces.apply(desired)
        assert namespaces.namespace(desired)["metadata"]["labels"]["owner"] == "team-blue"


async def test_the_advice_of_a_denial_helps(namespaces: Namespaces) -> None:
    lacking = namespaces.new()
    with wanting_an_owner(namespaces, lacking):
        failure = await namespaces.failure(lacking)
        assert isinstance(failure, Stuck)
        assert "every namespace needs the label owner" in failure.message
        assert failure.fix == "change the spec, or the policy that denies it"
        assert namespaces.namespace(lacking) == {}
        await namespaces.apply(namespaces.new(lacking.tenant_id, namespace=OWNED))


async def test_every_kind_is_created_with_landlord_s_labels(namespaces: Namespaces) -> None:
    desired = namespaces.new(quota={"pods": 3})
    labels = names.labels(desired.tenant_id) | {names.LABEL_SPEC_HASH: desired.hash()}
    has_all = " && ".join(
        f"object.metadata.?labels['{key}'].orValue('') == '{value}'" for key, value in labels.items()
    )
    made = [kind.plural for kind in kinds.CREATED if kind is not kinds.SECRET]
    with denying(
        namespaces.kubectl,
        f"labels-{desired.tenant_id}",
        resources=made,
        concerns=f"object.metadata.name == '{namespace_of(desired)}' || "
        f"(object.metadata.name == 'tenant' && request.namespace == '{namespace_of(desired)}')",
        unless=has_all,
        message="an object of a tenant needs its labels",
    ):
        await namespaces.make(desired)


async def test_a_label_that_is_not_wanted_any_more_leaves_a_namespace_that_was_created_with_it(
    namespaces: Namespaces,
) -> None:
    before = namespaces.new(namespace=OWNED)
    await namespaces.make(before)
    (fields,) = (
        each
        for each in namespaces.namespace(before)["metadata"]["managedFields"]
        if "f:owner" in each["fieldsV1"]["f:metadata"].get("f:labels", {})
    )
    assert (fields["manager"], fields["operation"]) == (names.FIELD_MANAGER_OF_TENANTS, "Apply")
    await namespaces.make(namespaces.new(before.tenant_id))
    metadata = namespaces.namespace(before)["metadata"]
    assert "owner" not in metadata["labels"]
    assert "example.com/cost-centre" not in metadata["annotations"]


@pytest.mark.parametrize("kind", [kinds.NAMESPACE, kinds.SERVICE_ACCOUNT], ids=lambda kind: kind.name)
async def test_what_somebody_creates_at_the_same_moment_is_left_as_it_is(
    namespaces: Namespaces, monkeypatch: pytest.MonkeyPatch, kind: ObjectKind
) -> None:
    desired = namespaces.new()
    if kind is not kinds.NAMESPACE:
        await namespaces.backend.apply(desired)[0].run()
    cluster = namespaces.backend._cluster
    get = cluster.get

    async def just_before(of: ObjectKind, namespace: str | None, name: str) -> dict[str, object] | None:
        found = await get(of, namespace, name)
        if of is kind and found is None:
            metadata = {"name": name, "labels": {"owner": "somebody"}}
            manifest = {"apiVersion": of.api_version, "kind": of.name, "metadata": metadata}
            if namespace:
                metadata["namespace"] = namespace
            await asyncio.to_thread(namespaces.api.apply, manifest)
        return found

    monkeypatch.setattr(cluster, "get", just_before)
    with pytest.raises(StepError) as raised:
        await namespaces.make(desired)
    assert raised.value.code == "Changed"
    found = namespaces.namespace(desired) if kind is kinds.NAMESPACE else namespaces.get(desired, "sa")
    assert names.LABEL_TENANT not in found["metadata"].get("labels", {})

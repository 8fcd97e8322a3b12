"""Secrets that Tenants refer to: read by the worker of the manifests where a person allows it."""

import pytest
from tests.contract.harness import new_tenant_id, run, tenant
from tests.support.secrets import Owner, allow_reading, referring_to

from dev.cluster import ControlPlane
from landlord import metrics
from landlord.backends.kubernetes.backend import KubernetesBackend
from landlord.errors import Retryable


@pytest.fixture
def owner(cluster: ControlPlane) -> Owner:
    """The owner of a namespace whose Secrets nobody else may read."""
    owner = Owner(cluster.kubectl, new_tenant_id("owner"))
    cluster.kubectl.api.create_namespace(owner.namespace)
    owner.put(password="first")
    return owner


def unlisted() -> float | None:
    """What the worker's metrics say of it."""
    labels = {"backend": "kubernetes"}
    return metrics.WORKER.get_sample_value("landlord_secrets_unlisted_namespaces", labels)


async def test_where_it_may_not_read_them_the_command_that_allows_it_is_named_and_works(
    cluster: ControlPlane, backend: KubernetesBackend, owner: Owner
) -> None:
    desired = referring_to(owner, tenant(new_tenant_id(), "any/image:1"))
    with pytest.raises(
        Retryable, match=f"may not read the Secrets of the namespace {owner.namespace}"
    ) as failure:
        await run(backend.apply(desired))
    assert failure.value.code == "Forbidden"
    command = failure.value.fix.split("`")[1]
    cluster.kubectl(*command.removeprefix("kubectl ").split())
    await run(backend.apply(desired))


async def test_a_survey_that_may_not_read_them_tells_all_else_and_what_it_does_not_know(
    cluster: ControlPlane, backend: KubernetesBackend, owner: Owner, caplog: pytest.LogCaptureFixture
) -> None:
    plain = tenant(new_tenant_id(), "any/image:1")
    referring = referring_to(owner, tenant(new_tenant_id(), "any/image:1"))
    allow_reading(cluster.kubectl, owner.namespace)
    for each in (plain, referring):
        await run(backend.apply(each))
    cluster.kubectl("delete", "rolebinding", "landlord-secrets-reader", "-n", owner.namespace)
    owner.touch()
    for _ in range(2):
        seen = await backend.survey()
    assert (seen[referring.tenant_id].healthy, seen[referring.tenant_id].outdated) == (True, "")
    assert seen[plain.tenant_id].healthy
    assert unlisted() == 1
    told = [record.getMessage() for record in caplog.records]
    assert len([each for each in told if f"Secrets of {owner.namespace} go unnoticed" in each]) == 1
    allow_reading(cluster.kubectl, owner.namespace)
    assert (await backend.survey())[referring.tenant_id].outdated.endswith("acme-db has changed")
    assert unlisted() == 0

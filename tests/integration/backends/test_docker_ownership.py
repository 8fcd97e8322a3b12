"""What belongs to a tenant, how long it stays, and what is left alone."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress

import docker
import pytest
from docker.errors import APIError, NotFound
from docker.models.containers import Container
from tests.contract.harness import new_tenant_id, observe, run
from tests.integration.backends.files import read, write
from tests.integration.backends.tenants import Tenants

from landlord.api import names
from landlord.api.compute import Volume
from landlord.api.workload import EnvVar
from landlord.errors import Terminal

DATA = (Volume(name="data", mount_path="/data"),)


@pytest.fixture
def bystander(docker_engine: docker.DockerClient, web_image: str) -> Iterator[Container]:
    """A container that is somebody else's but has a name that a tenant may want."""
    container = docker_engine.containers.create(web_image, name=f"landlord-{new_tenant_id('bystander')}")
    yield container
    container.remove(force=True)


async def test_volume_keeps_its_data_over_updates_even_if_it_leaves_the_manifest(tenants: Tenants) -> None:
    first = tenants.new(volumes=DATA)
    without = tenants.new(first.tenant_id)
    again = tenants.new(first.tenant_id, volumes=DATA, env=(EnvVar(name="GREETING", value="again"),))
    await tenants.apply(first)
    write(tenants.container(first), b"kept")
    await tenants.apply(without)
    assert tenants.container(without).attrs["Mounts"] == []
    await tenants.apply(again)
    assert read(tenants.container(again)) == b"kept"


async def test_read_only_volume_can_not_be_written(tenants: Tenants) -> None:
    volume = Volume(name="data", mount_path="/data", read_only=True)
    desired = tenants.new(volumes=(volume,))
    await tenants.apply(desired)
    with pytest.raises(APIError, match="read-only"):
        write(tenants.container(desired), b"refused")


async def test_teardown_takes_container_volumes_and_unused_network(tenants: Tenants) -> None:
    network = new_tenant_id("net")
    desired = tenants.new(volumes=DATA, network=network)
    made = await tenants.apply(desired)
    assert {(resource.kind, resource.name) for resource in made.resources} == {
        ("network", network),
        ("volume", f"landlord-{desired.tenant_id}-data"),
        ("container", f"landlord-{desired.tenant_id}"),
    }
    await tenants.remove(desired)
    assert tenants.engine.networks.list(names=[network]) == []
    with pytest.raises(NotFound):
        tenants.engine.volumes.get(f"landlord-{desired.tenant_id}-data")
    with pytest.raises(NotFound):
        tenants.container(desired)


async def test_network_stays_while_another_tenant_uses_it_even_if_stopped(tenants: Tenants) -> None:
    network = new_tenant_id("net")
    leaver, stayer = tenants.new(network=network), tenants.new(network=network)
    await tenants.apply(leaver)
    await tenants.apply(stayer)
    tenants.container(stayer).stop(timeout=1)
    await tenants.remove(leaver)
    assert len(tenants.engine.networks.list(names=[network])) == 1
    await tenants.apply(stayer)


async def test_network_removed_after_its_step_is_made_again(tenants: Tenants) -> None:
    network = new_tenant_id("net")
    desired = tenants.new(network=network)
    image, join, container, ready = tenants.backend.apply(desired)
    await run((image, join))
    for each in tenants.engine.networks.list(names=[network]):
        with suppress(NotFound):  # a landlord of another test has just removed it, because nothing used it
            each.remove()
    await run((container, ready))
    assert network in tenants.container(desired).attrs["NetworkSettings"]["Networks"]


async def test_tenants_that_start_together_share_one_network(tenants: Tenants) -> None:
    network = new_tenant_id("net")
    together = [tenants.new(network=network) for _ in range(4)]
    await asyncio.gather(*(tenants.apply(desired) for desired in together))
    assert len(tenants.engine.networks.list(names=[network])) == 1


async def test_second_network_of_the_same_name_is_removed(tenants: Tenants) -> None:
    network = new_tenant_id("net")
    await tenants.apply(tenants.new(network=network))  # without it, landlords of other tests remove both
    (first,) = tenants.engine.networks.list(names=[network])
    tenants.engine.networks.create(network, labels={"landlord.dev/managed-by": "landlord"})
    await tenants.apply(tenants.new(network=network))
    assert [found.id for found in tenants.engine.networks.list(names=[network])] == [first.id]


@pytest.mark.parametrize(("network", "icc"), [(None, "false"), ("named", None)])
async def test_tenants_reach_each_other_only_on_a_network_they_name(
    tenants: Tenants, network: str | None, icc: str | None
) -> None:
    name = network and new_tenant_id(network)
    desired = tenants.new(network=name)
    await tenants.apply(desired)
    (found,) = tenants.engine.networks.list(names=[name or "landlord"])
    assert found.attrs["Options"].get("com.docker.network.bridge.enable_icc") == icc


async def test_container_of_somebody_else_is_a_conflict_and_untouched(
    tenants: Tenants, bystander: Container
) -> None:
    tenant_id = str(bystander.name).removeprefix("landlord-")
    failure = await tenants.failure(tenants.new(tenant_id))
    assert (type(failure), failure.code) == (Terminal, "Conflict")
    assert str(bystander.name) in failure.message.splitlines()[0]
    await run(tenants.backend.delete(tenant_id))
    bystander.reload()
    assert bystander.status == "created"
    assert await observe(tenants.backend, tenant_id) is None


async def test_volume_of_somebody_else_is_a_conflict_and_untouched(tenants: Tenants) -> None:
    desired = tenants.new(volumes=DATA)
    name = f"landlord-{desired.tenant_id}-data"
    theirs = tenants.engine.volumes.create(name)
    try:
        failure = await tenants.failure(desired)
        assert (type(failure), failure.code) == (Terminal, "Conflict")
        assert name in failure.message.splitlines()[0]
        await tenants.remove(desired)
        assert tenants.engine.volumes.get(name).attrs["Labels"] is None
    finally:
        theirs.remove()


async def test_two_tenants_whose_volumes_would_have_one_name_never_share_it(tenants: Tenants) -> None:
    first = tenants.new(volumes=(Volume(name="eu-data", mount_path="/data"),))
    await tenants.apply(first)
    write(tenants.container(first), b"of the first")
    second = tenants.new(f"{first.tenant_id}-eu", volumes=DATA)
    failure = await tenants.failure(second)
    assert (type(failure), failure.code) == (Terminal, "Conflict")
    await tenants.remove(second)
    assert read(tenants.container(first)) == b"of the first"


async def test_network_of_somebody_else_is_a_conflict_and_untouched(tenants: Tenants) -> None:
    theirs = tenants.engine.networks.create(new_tenant_id("net"))
    try:
        desired = tenants.new(network=str(theirs.name))
        failure = await tenants.failure(desired)
        assert (type(failure), failure.code) == (Terminal, "Conflict")
        await tenants.remove(desired)
        theirs.reload()
    finally:
        theirs.remove()


async def test_survey_leaves_out_what_only_looks_like_a_tenant(tenants: Tenants) -> None:
    desired = tenants.new()
    labels = {**names.labels(desired.tenant_id), names.LABEL_SPEC_HASH: "false"}
    copies = [f"copy-{number}-{desired.tenant_id}" for number in range(2)]
    tenants.engine.containers.create("landlord/web:local", name=copies[0], labels=labels)
    await tenants.apply(desired)
    tenants.engine.containers.create("landlord/web:local", name=copies[1], labels=labels)
    seen = await observe(tenants.backend, desired.tenant_id)
    assert seen is not None
    assert (seen.healthy, seen.spec_hash) == (True, desired.hash())

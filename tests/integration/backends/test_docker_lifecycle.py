"""What of a tenant stays the same container, and what somebody changed by hand on the engine."""

import re
import socket
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from docker.errors import NotFound
from docker.models.containers import Container
from tests.contract.harness import new_tenant_id, observe, run
from tests.integration.backends.files import read, write
from tests.integration.backends.tenants import Tenants, ask

from landlord.api.compute import Publish, Volume
from landlord.api.request import Desired
from landlord.api.workload import EnvVar, ResourceAmounts, Resources
from landlord.backends.contract import Observation
from landlord.backends.docker.desired import ports
from landlord.errors import Retryable, Terminal

DATA = (Volume(name="data", mount_path="/data"),)
LIMITS = Resources(limits=ResourceAmounts(cpu="500m", memory="64Mi"))


async def seen(tenants: Tenants, desired: Desired) -> Observation:
    observation = await observe(tenants.backend, desired.tenant_id)
    assert observation is not None
    return observation


async def suspend(tenants: Tenants, desired: Desired) -> Container:
    await run(tenants.backend.suspend(desired.tenant_id))
    return tenants.engine.containers.get(f"landlord-{desired.tenant_id}.suspended")


@pytest.mark.parametrize("policy", ["no", "always", "on-failure", "unless-stopped"])
async def test_suspended_container_stands_still_and_the_engine_will_not_raise_it(
    tenants: Tenants, policy: str
) -> None:
    desired = tenants.new(restart_policy=policy)
    await tenants.apply(desired)
    kept = (await suspend(tenants, desired)).attrs
    assert kept["State"]["Status"] == "exited"
    assert kept["HostConfig"]["RestartPolicy"]["Name"] == "no"


@pytest.mark.parametrize("policy", ["no", "always", "on-failure", "unless-stopped"])
async def test_resume_starts_the_very_same_container_with_all_that_it_had(
    tenants: Tenants, policy: str
) -> None:
    desired = tenants.new(
        restart_policy=policy, volumes=DATA, publish=(Publish(port="http"),), network=new_tenant_id("net")
    )
    made = await tenants.apply(desired)
    before = tenants.container(desired)
    write(before, b"in the volume")
    write(before, b"in the layer", "/")
    kept = await suspend(tenants, desired)
    assert kept.id == before.id
    assert await tenants.apply(desired) == made
    after = tenants.container(desired)
    assert (after.id, after.attrs["HostConfig"]) == (before.id, before.attrs["HostConfig"])
    assert (read(after), read(after, "/")) == (b"in the volume", b"in the layer")
    assert ask(made.endpoints[0].url)


async def test_resume_with_another_spec_makes_another_container_with_the_same_data_and_url(
    tenants: Tenants,
) -> None:
    published = (Publish(port="http"),)
    before = tenants.new(volumes=DATA, publish=published)
    after = tenants.new(
        before.tenant_id, volumes=DATA, publish=published, env=(EnvVar(name="GREETING", value="new"),)
    )
    url = (await tenants.apply(before)).endpoints[0].url
    write(tenants.container(before), b"kept")
    suspended = await suspend(tenants, before)
    assert (await tenants.apply(after)).endpoints[0].url == url
    assert ask(url)["greeting"] == "new"
    assert read(tenants.container(after)) == b"kept"
    with pytest.raises(NotFound):
        suspended.reload()


async def test_host_port_of_a_suspended_tenant_is_given_to_nobody_else(tenants: Tenants) -> None:
    sleeper = tenants.new(publish=(Publish(port="http"),))
    url = (await tenants.apply(sleeper)).endpoints[0].url
    await suspend(tenants, sleeper)
    other = tenants.new(rival_of(sleeper), publish=(Publish(port="http"),))
    assert (await tenants.apply(other)).endpoints[0].url != url
    assert (await tenants.apply(sleeper)).endpoints[0].url == url


async def test_a_container_whose_port_was_taken_meanwhile_is_kept_with_all_it_has_written(
    tenants: Tenants,
) -> None:
    desired = tenants.new(publish=(Publish(port="http"),))
    url = (await tenants.apply(desired)).endpoints[0].url
    write(tenants.container(desired), b"in the layer", "/")
    container = await suspend(tenants, desired)
    with socket.create_server(("127.0.0.1", int(url.rpartition(":")[2]))):
        failure = await tenants.failure(desired)
    assert (type(failure), failure.code) == (Retryable, "PortInUse")
    assert "another program took the host port" in failure.message
    assert (await tenants.apply(desired)).endpoints[0].url == url
    assert tenants.container(desired).id == container.id
    assert read(tenants.container(desired), "/") == b"in the layer"


def rival_of(desired: Desired) -> str:
    """A tenantID whose first choice of a host port is the same."""

    def choice(tenant_id: str) -> dict[str, int]:
        return ports.allot(desired.model_copy(update={"tenant_id": tenant_id}), {}, frozenset())

    rivals = (new_tenant_id("docker") for _ in count())
    return next(rival for rival in rivals if choice(rival) == choice(desired.tenant_id))


async def test_network_stays_while_a_suspended_tenant_is_on_it(tenants: Tenants) -> None:
    network = new_tenant_id("net")
    leaver, sleeper = tenants.new(network=network), tenants.new(network=network)
    await tenants.apply(leaver)
    await tenants.apply(sleeper)
    await suspend(tenants, sleeper)
    await tenants.remove(leaver)
    assert len(tenants.engine.networks.list(names=[network])) == 1


async def test_suspended_tenant_comes_back_though_its_network_was_pruned(tenants: Tenants) -> None:
    desired = tenants.new(network=new_tenant_id("net"))
    await tenants.apply(desired)
    suspended = await suspend(tenants, desired)
    tenants.engine.networks.get(str(desired.docker and desired.docker.network)).remove()
    await tenants.apply(desired)
    assert tenants.container(desired).id == suspended.id
    assert await tenants.backend.inspect(desired) == []


async def test_suspended_container_that_somebody_started_is_drift_until_it_is_suspended_again(
    tenants: Tenants,
) -> None:
    desired = tenants.new()
    await tenants.apply(desired)
    (await suspend(tenants, desired)).start()
    started = await seen(tenants, desired)
    assert (started.state, started.healthy) == ("Suspended", False)
    assert started.drift == f"container landlord-{desired.tenant_id}.suspended: it was started"
    await suspend(tenants, desired)
    again = await seen(tenants, desired)
    assert (again.state, again.healthy, again.drift) == ("Suspended", True, "")


async def test_suspended_container_that_somebody_started_is_resumed_as_it_runs(tenants: Tenants) -> None:
    desired = tenants.new()
    await tenants.apply(desired)
    suspended = await suspend(tenants, desired)
    suspended.start()
    await tenants.apply(desired)
    assert tenants.container(desired).id == suspended.id
    assert await tenants.backend.inspect(desired) == []


async def test_paused_container_can_be_suspended(tenants: Tenants) -> None:
    desired = tenants.new()
    await tenants.apply(desired)
    tenants.container(desired).pause()
    assert (await suspend(tenants, desired)).status == "exited"


async def test_suspending_takes_nothing_from_somebody_who_has_the_name(tenants: Tenants) -> None:
    desired = tenants.new()
    name = f"landlord-{desired.tenant_id}.suspended"
    theirs = tenants.engine.containers.create("landlord/web:local", name=name)
    try:
        failure = await tenants.failure(desired)
        assert (type(failure), failure.code) == (Terminal, "Conflict")
        assert name in failure.message.splitlines()[0]
        await tenants.remove(desired)
        theirs.reload()
    finally:
        theirs.remove()


async def test_archive_takes_container_and_network_and_keeps_each_volume(tenants: Tenants) -> None:
    network = new_tenant_id("net")
    more = (*DATA, Volume(name="cache", mount_path="/cache"))
    earlier = tenants.new(network=network, volumes=more)
    desired = tenants.new(earlier.tenant_id, network=network, volumes=DATA)
    await tenants.apply(earlier)
    await tenants.apply(desired)
    write(tenants.container(desired), b"kept")
    kept = await run(tenants.backend.archive(desired.tenant_id))
    stem = f"landlord-{desired.tenant_id}"
    names = [("volume", f"{stem}-cache"), ("volume", f"{stem}-data")]
    assert [(each.kind, each.name) for each in kept.resources] == names
    assert tenants.engine.networks.list(names=[network]) == []
    with pytest.raises(NotFound):
        tenants.container(desired)
    await tenants.apply(desired)
    assert read(tenants.container(desired)) == b"kept"


async def test_archived_tenant_without_volumes_leaves_nothing(tenants: Tenants) -> None:
    desired = tenants.new()
    await tenants.apply(desired)
    assert (await run(tenants.backend.archive(desired.tenant_id))).resources == ()
    assert await observe(tenants.backend, desired.tenant_id) is None


def update(**fields: Any) -> Callable[[Container], object]:
    """`docker update`."""
    return lambda container: container.update(**fields)


def leave_network(container: Container) -> None:
    network = container.attrs["HostConfig"]["NetworkMode"]
    container.client.networks.get(network).disconnect(container)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("edit", "found"),
    [
        pytest.param(Container.stop, ["it was stopped"], id="stopped"),
        pytest.param(Container.kill, ["it was stopped"], id="killed"),
        pytest.param(Container.pause, ["it is paused"], id="paused"),
        pytest.param(
            leave_network,
            ["it is not on the network landlord"],
            id="disconnected",
        ),
        pytest.param(
            update(mem_limit=2**25, memswap_limit=2**25),
            [
                f"HostConfig.Memory is {2**25}, should be {2**26}",
                f"HostConfig.MemorySwap is {2**25}, should be {2**26}",
            ],
            id="memory",
        ),
        pytest.param(
            update(restart_policy={"Name": "on-failure", "MaximumRetryCount": 3}),
            ["HostConfig.RestartPolicy is on-failure, should be unless-stopped"],
            id="restart-policy",
        ),
    ],
)
async def test_what_somebody_did_to_the_container_is_told_and_put_right_on_the_same_one(
    tenants: Tenants, edit: Callable[[Container], object], found: list[str]
) -> None:
    desired = tenants.new(resources=LIMITS, publish=(Publish(port="http"),))
    made = await tenants.apply(desired)
    before = tenants.container(desired)
    edit(before)
    name = f"container landlord-{desired.tenant_id}"
    assert (await seen(tenants, desired)).drift == f"{name}: {'; '.join(found)}"
    assert await tenants.backend.inspect(desired) == [f"{name}: {each}" for each in found]
    assert await tenants.apply(desired) == made
    assert await tenants.backend.inspect(desired) == []
    assert (await seen(tenants, desired)).drift == ""
    after = tenants.container(desired)
    assert (after.id, after.attrs["HostConfig"]) == (before.id, before.attrs["HostConfig"])
    assert ask(made.endpoints[0].url)


async def test_changed_cpu_limit_is_put_right(tenants: Tenants) -> None:
    desired = tenants.new(resources=LIMITS)
    await tenants.apply(desired)
    container = tenants.container(desired)
    api = tenants.engine.api
    address = f"{api.base_url}/v{api.api_version}/containers/{container.id}/update"
    assert api.post(address, json={"NanoCpus": 250_000_000}).ok  # as `docker update --cpus 0.25` does
    assert await tenants.backend.inspect(desired) == [
        f"container landlord-{desired.tenant_id}: HostConfig.NanoCpus is 250000000, should be 500000000"
    ]
    await tenants.apply(desired)
    assert await tenants.backend.inspect(desired) == []
    assert tenants.container(desired).id == container.id


async def test_container_that_somebody_made_anew_is_replaced(tenants: Tenants) -> None:
    desired = tenants.new(env=(EnvVar(name="GREETING", value="hello"),), command=("/web",), volumes=DATA)
    await tenants.apply(desired)
    before = tenants.container(desired)
    write(before, b"kept")
    before.remove(force=True)
    tenants.engine.containers.run(
        "landlord/web:local",
        ["-x"],
        name=before.name,
        labels=before.labels,
        environment={"GREETING": "a s3cret"},
        ports={"8080/tcp": None},
        entrypoint=["/web", "-y"],
        detach=True,
    )
    told = await tenants.backend.inspect(desired)
    name = f"container {before.name}: "
    assert {re.split(" is | differs", line.removeprefix(name))[0] for line in told} >= {
        "Config.Entrypoint",
        "Config.Env GREETING",
        "HostConfig.NetworkMode",
        "HostConfig.Mounts",
        "HostConfig.PortBindings",
        "HostConfig.RestartPolicy",
    }
    assert "s3cret" not in " ".join(told)
    await tenants.apply(desired)
    assert await tenants.backend.inspect(desired) == []
    assert read(tenants.container(desired)) == b"kept"


async def test_missing_objects_are_named_and_made_again(tenants: Tenants) -> None:
    network = new_tenant_id("net")
    desired = tenants.new(volumes=DATA, network=network)
    await tenants.apply(desired)
    tenants.container(desired).remove(force=True)
    tenants.engine.volumes.get(f"landlord-{desired.tenant_id}-data").remove()
    tenants.engine.networks.get(network).remove()
    assert await observe(tenants.backend, desired.tenant_id) is None
    assert await tenants.backend.inspect(desired) == [
        f"volume landlord-{desired.tenant_id}-data is missing",
        f"network {network} is missing",
        f"container landlord-{desired.tenant_id} is missing",
    ]
    await tenants.apply(desired)
    assert await tenants.backend.inspect(desired) == []


@pytest.mark.parametrize("policy", ["no", "on-failure"])
async def test_container_that_ended_by_itself_is_no_drift(
    tenants: Tenants, tools_image: str, policy: str
) -> None:
    desired = tenants.new(image=tools_image, command=("/etcd",), args=("--version",), restart_policy=policy)
    failure = await tenants.failure(desired)
    assert failure.code == "ContainerExited"
    ended = await seen(tenants, desired)
    assert (ended.healthy, ended.drift) == (False, "")

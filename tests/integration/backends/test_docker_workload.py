"""What of the manifest the engine has made true."""

import socket
from typing import Any

import pytest
from docker import APIClient
from tests.contract.harness import observe
from tests.integration.backends.tenants import HTTP, Tenants, ask

from dev.net import free_ports
from landlord.api.compute import Publish, Volume
from landlord.api.workload import EnvVar, Port, Probe, ResourceAmounts, Resources, TcpSocket

READY = Probe(tcp_socket=TcpSocket(port=8080))
PUBLISHED: dict[str, Any] = {"publish": (Publish(port="http"),), "probe": READY}


async def test_published_port_answers_at_the_endpoint_with_the_env_given(tenants: Tenants) -> None:
    desired = tenants.new(env=(EnvVar(name="GREETING", value="hello = $HOME"),), **PUBLISHED)
    made = await tenants.apply(desired)
    assert [endpoint.name for endpoint in made.endpoints] == ["http"]
    assert ask(made.endpoints[0].url)["greeting"] == "hello = $HOME"


async def test_published_port_is_bound_to_this_host_alone_by_default(tenants: Tenants) -> None:
    made = await tenants.apply(tenants.new(**PUBLISHED))
    assert made.endpoints[0].url.startswith("http://127.0.0.1:")
    port = int(made.endpoints[0].url.rpartition(":")[2])
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.2", port), timeout=2).close()


async def test_port_bound_to_all_addresses_is_named_by_one_that_can_be_used(tenants: Tenants) -> None:
    made = await tenants.apply(tenants.new(bind_address="0.0.0.0", **PUBLISHED))
    assert ask(made.endpoints[0].url.replace("127.0.0.1", "127.0.0.2"))
    assert made.endpoints[0].url.startswith("http://127.0.0.1:")


async def test_chosen_host_port_is_used(tenants: Tenants) -> None:
    (port,) = free_ports(1)
    desired = tenants.new(publish=(Publish(port="http", host_port=port),), probe=READY)
    made = await tenants.apply(desired)
    assert made.endpoints[0].url == f"http://127.0.0.1:{port}"


async def test_ports_that_are_not_published_have_no_endpoint(tenants: Tenants) -> None:
    other = Port(name="metrics", container_port=9090)
    made = await tenants.apply(tenants.new(ports=(HTTP, other), publish=(Publish(port="http"),)))
    assert [endpoint.name for endpoint in made.endpoints] == ["http"]


async def test_udp_port_is_published_as_udp(tenants: Tenants) -> None:
    dns = Port(name="dns", container_port=53, protocol="UDP")
    made = await tenants.apply(tenants.new(ports=(dns,), publish=(Publish(port="dns"),)))
    assert made.endpoints[0].url.startswith("udp://127.0.0.1:")


async def test_endpoint_survives_an_update_and_a_crash(tenants: Tenants) -> None:
    before = tenants.new(env=(EnvVar(name="GREETING", value="before"),), **PUBLISHED)
    after = tenants.new(before.tenant_id, env=(EnvVar(name="GREETING", value="after"),), **PUBLISHED)
    url = (await tenants.apply(before)).endpoints[0].url
    assert (await tenants.apply(after)).endpoints[0].url == url
    tenants.container(after).restart(timeout=1)
    assert (await tenants.apply(after)).endpoints[0].url == url
    assert ask(url)["greeting"] == "after"


async def test_free_port_that_something_else_has_is_passed_over_for_good(tenants: Tenants) -> None:
    desired = tenants.new(**PUBLISHED)
    update = tenants.new(desired.tenant_id, env=(EnvVar(name="GREETING", value="new"),), **PUBLISHED)
    first = (await tenants.apply(desired)).endpoints[0].url
    await tenants.remove(desired)
    with socket.create_server(("127.0.0.1", int(first.rpartition(":")[2]))):
        second = (await tenants.apply(desired)).endpoints[0].url
    assert second != first
    assert (await tenants.apply(update)).endpoints[0].url == second
    assert ask(second)["greeting"] == "new"


async def test_limits_are_those_that_the_engine_enforces(tenants: Tenants) -> None:
    desired = tenants.new(
        resources=Resources(
            limits=ResourceAmounts(cpu="500m", memory="64Mi"),
            requests=ResourceAmounts(cpu="250m", memory="32Mi"),
        )
    )
    await tenants.apply(desired)
    enforced = tenants.container(desired).attrs["HostConfig"]
    assert enforced["NanoCpus"] == 500_000_000
    assert enforced["Memory"] == enforced["MemorySwap"] == 64 * 2**20
    assert enforced["CpuShares"] == 256
    assert enforced["MemoryReservation"] == 32 * 2**20


async def test_command_args_and_restart_policy_reach_the_container(
    tenants: Tenants, tools_image: str
) -> None:
    desired = tenants.new(
        image=tools_image, command=("/etcd",), args=("--data-dir", "/tmp/a b"), restart_policy="on-failure"
    )
    await tenants.apply(desired)
    container = tenants.container(desired).attrs
    assert [container["Path"], *container["Args"]] == ["/etcd", "--data-dir", "/tmp/a b"]
    assert container["HostConfig"]["RestartPolicy"]["Name"] == "on-failure"


async def test_container_gets_nothing_of_the_host(tenants: Tenants) -> None:
    desired = tenants.new(volumes=(Volume(name="data", mount_path="/data"),), **PUBLISHED)
    await tenants.apply(desired)
    container = tenants.container(desired).attrs
    settings = container["HostConfig"]
    given = [name for name in ("Binds", "CapAdd", "Devices", "VolumesFrom", "PidMode") if settings[name]]
    assert given == []
    assert not settings["Privileged"]
    assert settings["NetworkMode"] == "landlord"
    assert settings["IpcMode"] == "private"
    assert {mount["Type"] for mount in container["Mounts"]} == {"volume"}
    assert settings["SecurityOpt"] == ["no-new-privileges"]


async def test_unchanged_tenant_keeps_its_running_container(tenants: Tenants) -> None:
    desired = tenants.new(**PUBLISHED)
    await tenants.apply(desired)
    before = tenants.container(desired)
    await tenants.apply(desired)
    after = tenants.container(desired)
    assert (after.id, after.attrs["State"]["StartedAt"]) == (before.id, before.attrs["State"]["StartedAt"])


async def test_stopped_container_is_unhealthy_and_the_next_apply_starts_the_same_one(
    tenants: Tenants,
) -> None:
    desired = tenants.new(**PUBLISHED)
    await tenants.apply(desired)
    container = tenants.container(desired)
    container.stop(timeout=1)
    seen = await observe(tenants.backend, desired.tenant_id)
    assert seen is not None
    assert not seen.healthy
    assert seen.reason == seen.drift == f"container landlord-{desired.tenant_id}: it was stopped"
    await tenants.apply(desired)
    assert tenants.container(desired).id == container.id
    assert tenants.container(desired).status == "running"


async def test_paused_container_goes_on(tenants: Tenants) -> None:
    desired = tenants.new(**PUBLISHED)
    await tenants.apply(desired)
    tenants.container(desired).pause()
    await tenants.apply(desired)
    assert tenants.container(desired).status == "running"


async def test_paused_container_can_be_torn_down(tenants: Tenants) -> None:
    desired = tenants.new(**PUBLISHED)
    await tenants.apply(desired)
    tenants.container(desired).pause()
    await tenants.remove(desired)
    assert await observe(tenants.backend, desired.tenant_id) is None


async def test_container_removed_behind_our_back_during_the_last_step_is_made_again(
    tenants: Tenants,
) -> None:
    desired = tenants.new(**PUBLISHED)
    await tenants.apply(desired)
    tenants.container(desired).remove(force=True)
    *_, last = tenants.backend.apply(desired)
    made = await last.run()
    assert ask(made.endpoints[0].url)


async def test_what_the_engine_warns_of_is_logged(
    tenants: Tenants, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    create: Any = APIClient.create_container_from_config

    def warned(*args: Any) -> Any:
        return create(*args) | {"Warnings": ["memory limited without swap"]}

    monkeypatch.setattr(APIClient, "create_container_from_config", warned)
    desired = tenants.new()
    await tenants.apply(desired)
    assert f"landlord-{desired.tenant_id}: memory limited without swap" in caplog.text

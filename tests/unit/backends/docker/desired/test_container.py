from typing import Any

import pytest
from tests.unit.backends.docker.desires import WEB, desired

from landlord.api.compute import Volume
from landlord.api.workload import Container, ResourceAmounts, Resources
from landlord.backends.docker.desired.container import build_container_config


def host_config(container: Container = WEB, **docker: Any) -> dict[str, Any]:
    config: dict[str, Any] = build_container_config(desired(container, **docker), {})["HostConfig"]
    return config


@pytest.mark.parametrize(
    ("resources", "settings"),
    [
        (None, {}),
        (Resources(limits=ResourceAmounts(cpu="500m")), {"NanoCpus": 500_000_000}),
        (Resources(limits=ResourceAmounts(cpu=2)), {"NanoCpus": 2_000_000_000}),
        (Resources(limits=ResourceAmounts(memory="64Mi")), {"Memory": 67108864, "MemorySwap": 67108864}),
        (Resources(requests=ResourceAmounts(cpu="250m")), {"CpuShares": 256}),
        (Resources(requests=ResourceAmounts(cpu="1m")), {"CpuShares": 2}),
        (Resources(requests=ResourceAmounts(memory="32M")), {"MemoryReservation": 32_000_000}),
    ],
)
def test_resources_become_the_engines_settings(resources: Resources | None, settings: dict[str, int]) -> None:
    config = host_config(WEB.model_copy(update={"resources": resources}))
    names = {"NanoCpus", "Memory", "MemorySwap", "CpuShares", "MemoryReservation"}
    assert {name: config[name] for name in names & config.keys()} == settings


def test_tenant_gets_nothing_of_the_host() -> None:
    config = host_config(volumes=(Volume(name="data", mount_path="/data"),))
    assert not config.keys() & {
        "Privileged",
        "Binds",
        "Devices",
        "CapAdd",
        "PidMode",
        "IpcMode",
        "UsernsMode",
    }
    assert config["NetworkMode"] == "landlord"
    assert [mount["Type"] for mount in config["Mounts"]] == ["volume"]
    assert config["SecurityOpt"] == ["no-new-privileges"]
    assert "NET_RAW" in config["CapDrop"]


def test_command_replaces_the_entry_point_and_args_the_command() -> None:
    container = WEB.model_copy(update={"command": ("/web",), "args": ("-v", "x y")})
    config = build_container_config(desired(container), {})
    assert (config["Entrypoint"], config["Cmd"]) == (["/web"], ["-v", "x y"])


def test_without_command_and_args_the_image_decides() -> None:
    config = build_container_config(desired(), {})
    assert (config["Entrypoint"], config["Cmd"]) == (None, None)


def test_container_carries_owner_hash_and_what_the_engine_s_list_does_not_tell() -> None:
    tenant = desired()
    assert build_container_config(tenant, {"80/tcp": 20001, "53/udp": 20002})["Labels"] == {
        "landlord.dev/tenant-id": "acme",
        "landlord.dev/managed-by": "landlord",
        "landlord.dev/spec-hash": tenant.hash(),
        "landlord.dev/host-config": '{"RestartPolicy": {"Name": "unless-stopped"}}',
        "landlord.dev/host-ports": "20001,20002",
    }

from typing import Any

import pytest

from landlord.api.compute import DockerCompute, Publish, Volume
from landlord.api.request import Desired
from landlord.api.workload import Container, EnvVar, Port, ResourceAmounts, Resources, Workload
from landlord.backends.docker import ownership
from landlord.backends.docker.backend import DockerBackend
from landlord.backends.docker.desired.container import container_config
from landlord.errors import Terminal

WEB = Container(name="web", image="web:1", ports=(Port(name="http", container_port=8080),))


def desired(*containers: Container, tenant_id: str = "acme", **docker: Any) -> Desired:
    return Desired(
        tenant_id=tenant_id,
        workload=Workload(containers=containers or (WEB,)),
        docker=DockerCompute(**docker),
    )


def test_one_host_port_may_be_published_for_each_protocol() -> None:
    udp = Port(name="quic", container_port=8443, protocol="UDP")
    both = (Publish(port="http", host_port=443), Publish(port="quic", host_port=443))
    assert DockerBackend().steps(desired(WEB.model_copy(update={"ports": (*WEB.ports, udp)}), publish=both))


def host_config(container: Container = WEB, **docker: Any) -> dict[str, Any]:
    config: dict[str, Any] = container_config(desired(container, **docker), {})["HostConfig"]
    return config


@pytest.mark.parametrize(
    ("wrong", "code", "message"),
    [
        pytest.param(
            desired(WEB, WEB), "Unsupported", "exactly one container, workload.containers has 2", id="two"
        ),
        pytest.param(
            desired().model_copy(update={"workload": Workload(containers=(WEB,), replicas=2)}),
            "Unsupported",
            "exactly one replica, workload.replicas is 2",
            id="replicas",
        ),
        pytest.param(
            desired(publish=(Publish(port="https"),)),
            "InvalidSpec",
            "names the port 'https', which the container does not have; its ports: http",
            id="unknown-port",
        ),
        pytest.param(
            desired(
                WEB.model_copy(update={"ports": (*WEB.ports, Port(name="admin", container_port=9090))}),
                publish=(Publish(port="http", host_port=9000), Publish(port="admin", host_port=9000)),
            ),
            "InvalidSpec",
            "gives the host port 9000/TCP to 2 ports",
            id="host-port-twice",
        ),
        pytest.param(desired(network="host"), "InvalidSpec", "network 'host' is reserved", id="host-network"),
        pytest.param(desired(network="container:db"), "InvalidSpec", "not a name", id="joined-container"),
        pytest.param(desired(network="landlord"), "InvalidSpec", "'landlord' is reserved", id="isolated"),
        pytest.param(desired(bind_address="home"), "InvalidSpec", "'home' is no IP address", id="address"),
        pytest.param(
            desired(volumes=(Volume(name="/etc", mount_path="/x"),)),
            "InvalidSpec",
            "'/etc' is not a name for a volume",
            id="host-path",
        ),
        pytest.param(
            desired(WEB.model_copy(update={"env": (EnvVar(name="A=B"),)})),
            "InvalidSpec",
            "'A=B' is not a name for an environment variable",
            id="env",
        ),
        pytest.param(
            desired(WEB.model_copy(update={"ports": (*WEB.ports, Port(name="also", container_port=8080))})),
            "InvalidSpec",
            "two ports have the number 8080/TCP",
            id="ports-of-one-number",
        ),
        *(
            pytest.param(
                desired(WEB.model_copy(update={"resources": Resources(requests=request, limits=limit)})),
                "InvalidSpec",
                message,
                id=f"requests-{name}",
            )
            for name, request, limit, message in (
                (
                    "cpu",
                    ResourceAmounts(cpu=2),
                    ResourceAmounts(cpu="1500m"),
                    "requests.cpu is 2, more than limits.cpu, 1500m",
                ),
                (
                    "memory",
                    ResourceAmounts(memory="1Gi"),
                    ResourceAmounts(memory="1G"),
                    "requests.memory is 1Gi, more than limits.memory, 1G",
                ),
            )
        ),
        pytest.param(desired(tenant_id="../x"), "InvalidSpec", "tenantID '../x'", id="tenant-id"),
        pytest.param(
            desired(WEB.model_copy(update={"resources": Resources(limits=ResourceAmounts(memory="much"))})),
            "InvalidSpec",
            "limits.memory: 'much' is not a quantity",
            id="quantity",
        ),
    ],
)
def test_what_the_backend_can_not_run_is_refused_before_anything_is_made(
    wrong: Desired, code: str, message: str
) -> None:
    with pytest.raises(Terminal) as failure:
        DockerBackend().steps(wrong)
    assert failure.value.code == code
    assert message in failure.value.message


def test_steps_are_those_that_the_desired_state_needs() -> None:
    plain, with_data = desired(), desired(volumes=(Volume(name="data", mount_path="/data"),))
    assert [step.name for step in DockerBackend().steps(plain)] == ["image", "network", "container", "ready"]
    assert [step.name for step in DockerBackend().steps(with_data)] == [
        "image",
        "network",
        "volumes",
        "container",
        "ready",
    ]


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
    config = container_config(desired(container), {})
    assert (config["Entrypoint"], config["Cmd"]) == (["/web"], ["-v", "x y"])


def test_without_command_and_args_the_image_decides() -> None:
    config = container_config(desired(), {})
    assert (config["Entrypoint"], config["Cmd"]) == (None, None)


def test_container_carries_owner_hash_and_what_the_engine_s_list_does_not_tell() -> None:
    tenant = desired()
    assert container_config(tenant, {"80/tcp": 20001, "53/udp": 20002})["Labels"] == {
        "landlord.dev/tenant-id": "acme",
        "landlord.dev/managed-by": "landlord",
        "landlord.dev/spec-hash": tenant.hash(),
        "landlord.dev/host-config": '{"RestartPolicy": {"Name": "unless-stopped"}}',
        "landlord.dev/host-ports": "20001,20002",
    }


@pytest.mark.parametrize(
    ("labels", "mine"),
    [
        (None, False),
        ({}, False),
        ({"landlord.dev/managed-by": "landlord"}, False),
        ({"landlord.dev/tenant-id": "acme"}, False),
        ({"landlord.dev/tenant-id": "other", "landlord.dev/managed-by": "landlord"}, False),
        ({"landlord.dev/tenant-id": "acme", "landlord.dev/managed-by": "other"}, False),
        ({"landlord.dev/tenant-id": "acme", "landlord.dev/managed-by": "landlord", "x": "y"}, True),
    ],
)
def test_owned_is_what_carries_both_labels(labels: dict[str, str] | None, mine: bool) -> None:
    assert ownership.owned(labels, "acme") == mine

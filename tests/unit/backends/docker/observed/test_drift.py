from collections.abc import Callable
from typing import Any

import pytest

from landlord.api.compute import DockerCompute, Publish, Volume
from landlord.api.request import Desired
from landlord.api.workload import (
    Container,
    EnvSource,
    EnvVar,
    Port,
    ResourceAmounts,
    Resources,
    SecretKeyRef,
    Workload,
)
from landlord.backends.docker.desired.container import build_changeable, build_container_config
from landlord.backends.docker.observed import drift

WEB = Container(
    name="web",
    image="web:1",
    command=("/web",),
    env=(EnvVar(name="TOKEN", value="s3cret"),),
    ports=(Port(name="http", container_port=8080), Port(name="admin", container_port=9090)),
    resources=Resources(limits=ResourceAmounts(cpu="500m", memory="64Mi")),
)
DOCKER = DockerCompute(
    bind_address="::1",
    publish=(Publish(port="http"), Publish(port="admin", host_port=9000)),
    volumes=(
        Volume(name="data", mount_path="/data"),
        Volume(name="config", mount_path="/config", read_only=True),
    ),
)
DESIRED = Desired(tenant_id="acme", workload=Workload(containers=(WEB,)), docker=DOCKER)


def described(desired: Desired = DESIRED) -> dict[str, Any]:
    """What the engine tells of a container that was made as desired: more than it was asked for."""
    config = build_container_config(desired, {"8080/tcp": 20123, "9090/tcp": 9000})
    host = config.pop("HostConfig")
    for mount in host["Mounts"]:
        if not mount["ReadOnly"]:
            del mount["ReadOnly"]
    return {
        "Config": config | {"Env": [*config["Env"], "PATH=/bin"], "Cmd": config["Cmd"] or ["--image"]},
        "HostConfig": {"MemoryReservation": 0, "CpuShares": 0} | host,
        "NetworkSettings": {"Networks": {"landlord": {}}},
    }


def test_container_as_it_was_made_differs_in_nothing() -> None:
    plain = Desired(tenant_id="acme", workload=Workload(containers=(Container(name="web", image="web:1"),)))
    bare = described(plain)
    bare["HostConfig"]["PortBindings"] = None
    del bare["HostConfig"]["Mounts"]
    for found, desired in ((described(), DESIRED), (bare, plain)):
        assert drift.compare_fixed(found, desired) == []
        assert drift.compare_changeable(found["HostConfig"], build_changeable(desired)) == []
        assert drift.compare_network(found, "landlord") == ""


@pytest.mark.parametrize(
    ("edit", "line"),
    [
        (lambda found: found["Config"].update(Image="web:2"), "Config.Image"),
        (lambda found: found["Config"].update(Entrypoint=["/sh"]), "Config.Entrypoint"),
        (lambda found: found["Config"].update(Env=["TOKEN=gu3ss"]), "Config.Env TOKEN"),
        (lambda found: found["Config"].update(Env=None), "Config.Env TOKEN"),
        (lambda found: found["HostConfig"].update(NetworkMode="host"), "HostConfig.NetworkMode"),
        (lambda found: found["HostConfig"].update(Mounts=None), "HostConfig.Mounts"),
        (
            lambda found: found["HostConfig"]["Mounts"][1].update(ReadOnly=False),
            "HostConfig.Mounts",
        ),
        (
            lambda found: found["HostConfig"]["PortBindings"].pop("8080/tcp"),
            "HostConfig.PortBindings",
        ),
        (
            lambda found: found["HostConfig"]["PortBindings"]["8080/tcp"][0].update(HostIp=""),
            "HostConfig.PortBindings",
        ),
        (
            lambda found: found["HostConfig"]["PortBindings"]["9090/tcp"][0].update(HostPort="9001"),
            "HostConfig.PortBindings",
        ),
    ],
)
def test_field_that_no_container_can_change_is_named_without_its_value(
    edit: Callable[[dict[str, Any]], object], line: str
) -> None:
    found = described()
    edit(found)
    assert drift.compare_fixed(found, DESIRED) == [f"{line} differs"]
    assert drift.compare_changeable(found["HostConfig"], build_changeable(DESIRED)) == []


@pytest.mark.parametrize(
    ("field", "value", "lines"),
    [
        ("NanoCpus", 250000000, ["HostConfig.NanoCpus is 250000000, should be 500000000"]),
        ("Memory", 2**20, [f"HostConfig.Memory is {2**20}, should be {64 * 2**20}"]),
        (
            "RestartPolicy",
            {"Name": "always", "MaximumRetryCount": 0},
            ["HostConfig.RestartPolicy is always, should be unless-stopped"],
        ),
        ("MemorySwap", -1, []),
        ("Memory", 0, []),
        ("CpuShares", 512, []),
    ],
)
def test_field_that_can_be_changed_is_told_with_both_values_if_it_is_set_and_enforced(
    field: str, value: object, lines: list[str]
) -> None:
    found = described()
    found["HostConfig"][field] = value
    assert drift.compare_changeable(found["HostConfig"], build_changeable(DESIRED)) == lines
    assert drift.compare_fixed(found, DESIRED) == []


def test_free_port_may_be_any_and_an_address_may_be_written_in_another_way() -> None:
    found = described()
    (http,) = found["HostConfig"]["PortBindings"]["8080/tcp"]
    http |= {"HostIp": "0:0:0:0:0:0:0:1", "HostPort": "20999"}
    assert drift.compare_fixed(found, DESIRED) == []


@pytest.mark.parametrize(
    ("optional", "env", "lines"),
    [
        (False, ["TOKEN=whatever"], []),
        (False, ["TOKENS=other"], ["Config.Env TOKEN differs"]),
        (True, ["TOKENS=other"], []),
    ],
)
def test_of_a_variable_from_a_secret_only_its_presence_counts(
    optional: bool, env: list[str], lines: list[str]
) -> None:
    reference = SecretKeyRef(name="db", key="token", optional=optional)
    variable = EnvVar(name="TOKEN", value_from=EnvSource(secret_key_ref=reference))
    container = WEB.model_copy(update={"env": (variable,)})
    desired = Desired(
        tenant_id="acme",
        workload=Workload(containers=(container,)),
        docker=DOCKER,
        secrets_namespace="team-a",
    )
    found = described(desired)
    found["Config"]["Env"] = env
    assert drift.compare_fixed(found, desired) == lines

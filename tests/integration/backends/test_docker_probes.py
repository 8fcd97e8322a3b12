"""A tenant is ready when its probe succeeds, and not before; and healthy for as long as it does."""

import io
import tarfile
import time
from typing import Any

import pytest
from tests.integration.backends.tenants import HTTP, Tenants

from landlord.api.compute import Publish
from landlord.api.request import Desired
from landlord.api.workload import EnvVar, Exec, HttpGet, Probe, TcpSocket
from landlord.backends.contract import Observation
from landlord.errors import Retryable

SLOW = (EnvVar(name="START_DELAY", value="4"),)
"""Longer than one step waits."""
FAILING = (EnvVar(name="FAIL", value="1"),)
GET = Probe(http_get=HttpGet(port=8080))
TCP = Probe(tcp_socket=TcpSocket(port=8080))
CLOSED = Probe(tcp_socket=TcpSocket(port=81))


@pytest.mark.parametrize("publish", [(), (Publish(port="http"),)], ids=["unpublished", "published"])
@pytest.mark.parametrize("probe", [GET, TCP], ids=["http", "tcp"])
async def test_server_that_starts_slowly_is_ready_once_it_listens(
    tenants: Tenants, probe: Probe, publish: tuple[Publish, ...]
) -> None:
    desired = tenants.new(env=SLOW, probe=probe, publish=publish)
    failure = await tenants.failure(desired)
    assert (type(failure), failure.code) == (Retryable, "ProbeFailed")
    assert "8080" in failure.message.splitlines()[0]
    await tenants.apply(desired)


@pytest.mark.parametrize(
    ("probe", "fields", "gist"),
    [
        pytest.param(
            GET,
            {"env": FAILING},
            "GET / on port 8080: answered 500 Internal Server Error",
            id="http-status",
        ),
        pytest.param(
            CLOSED,
            {"ports": (HTTP,)},
            "connection to port 81: Connect call failed",
            id="tcp-refused",
        ),
    ],
)
async def test_probe_that_never_succeeds_tells_its_own_reason(
    tenants: Tenants, probe: Probe, fields: dict[str, Any], gist: str
) -> None:
    failure = await tenants.failure(tenants.new(probe=probe, **fields))
    assert (type(failure), failure.code) == (Retryable, "ProbeFailed")
    assert failure.message.startswith(gist), failure.message
    assert failure.fix


async def test_command_that_ends_well_makes_ready(tenants: Tenants, tools_image: str) -> None:
    probe = Probe(exec=Exec(command=("/etcd", "--version")))
    await tenants.apply(tenants.new(image=tools_image, probe=probe))


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (("/etcd", "--no-such-flag"), "command /etcd --no-such-flag: exited with 2"),
        (("/no/such/program",), "no such file or directory"),
    ],
)
async def test_command_that_fails_does_not(
    tenants: Tenants, tools_image: str, command: tuple[str, ...], reason: str
) -> None:
    failure = await tenants.failure(tenants.new(image=tools_image, probe=Probe(exec=Exec(command=command))))
    assert (type(failure), failure.code) == (Retryable, "ProbeFailed")
    assert reason in failure.message


async def test_command_that_hangs_fails_in_time_and_is_not_started_again_and_again(
    tenants: Tenants, tools_image: str
) -> None:
    probe = Probe(exec=Exec(command=("/etcd", "--data-dir=/tmp/probe")), timeout_seconds=1)
    desired = tenants.new(image=tools_image, probe=probe)
    started = time.monotonic()
    for _ in range(2):
        failure = await tenants.failure(desired)
        assert "no success within 1 s" in failure.message
    assert time.monotonic() - started < 20
    assert len(tenants.container(desired).attrs["ExecIDs"]) == 1


@pytest.mark.parametrize(
    "probe",
    [
        pytest.param(Probe(http_get=HttpGet(port=8080), timeout_seconds=1), id="told soon"),
        pytest.param(Probe(http_get=HttpGet(port=8080), timeout_seconds=5), id="told by a later survey"),
    ],
)
@pytest.mark.parametrize("publish", [(), (Publish(port="http"),)], ids=["unpublished", "published"])
async def test_what_hangs_is_seen_to_run_and_not_to_serve_until_it_serves_again(
    tenants: Tenants, probe: Probe, publish: tuple[Publish, ...]
) -> None:
    desired = tenants.new(probe=probe, publish=publish)
    await tenants.apply(desired)
    assert (await seen(tenants, desired)).healthy

    tenants.container(desired).kill(signal="SIGSTOP")
    gist = f"GET / on port 8080: no success within {probe.timeout_seconds} s"
    hangs = f"the container is running, and its probe fails: {gist}"
    assert await until(tenants, desired, healthy=False) == Observation(False, desired.hash(), hangs)
    tenants.container(desired).kill(signal="SIGCONT")
    assert (await until(tenants, desired, healthy=True)).reason == "the container is running"


async def test_a_command_that_fails_later_is_seen(tenants: Tenants, tools_image: str) -> None:
    probe = Probe(exec=Exec(command=("/etcd", "--version")))
    desired = tenants.new(image=tools_image, probe=probe)
    await tenants.apply(desired)
    assert (await seen(tenants, desired)).healthy

    with io.BytesIO() as buffer:
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            archive.addfile(tarfile.TarInfo("etcd"))
        tenants.container(desired).put_archive("/", buffer.getvalue())
    fails = await until(tenants, desired, healthy=False)
    assert "its probe fails: command /etcd --version: " in fails.reason
    assert "permission denied" in fails.reason


async def seen(tenants: Tenants, desired: Desired) -> Observation:
    return (await tenants.backend.survey())[desired.tenant_id]


async def until(tenants: Tenants, desired: Desired, *, healthy: bool) -> Observation:
    """The first such observation of surveys that follow each other."""
    for _ in range(10):
        observation = await seen(tenants, desired)
        if observation.healthy is healthy:
            return observation
    raise AssertionError(f"it stays {observation}")

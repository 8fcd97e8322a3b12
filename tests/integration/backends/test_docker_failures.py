"""What goes wrong on a real engine, and what a person is told."""

import re
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tests.integration.backends.tenants import Tenants, ask
from tests.support.polling import eventually_async

from landlord.api.amounts import LEAST_CPU_LIMIT, LEAST_MEMORY
from landlord.api.compute import Publish
from landlord.api.workload import EnvVar, ResourceAmounts, Resources
from landlord.backends.docker import containers
from landlord.backends.docker.backend import DockerBackend
from landlord.backends.docker.desired.container import build_container_config
from landlord.errors import Retryable, StepError, Stuck, Terminal

BAD_PORT = (EnvVar(name="PORT", value="no-port"),)
"""The web server exits at once with it."""


def gist(failure: StepError) -> str:
    return failure.message.splitlines()[0]


@pytest.mark.parametrize(
    ("image", "policy", "kind", "code", "reason"),
    [
        ("Upper/Case:1", "IfNotPresent", Terminal, "InvalidImage", "repository name must be lowercase"),
        ("web:bad:tag", "IfNotPresent", Terminal, "InvalidImage", "invalid reference format"),
        ("https://example.com/x", "IfNotPresent", Terminal, "InvalidImage", "invalid reference format"),
        ("landlord/no-such:1", "Never", Stuck, "ImageNotFound", "imagePullPolicy is Never"),
        ("127.0.0.1:9/app:1", "IfNotPresent", Retryable, "RegistryUnreachable", "connection refused"),
        ("127.0.0.1:9/app:1", "Always", Retryable, "RegistryUnreachable", "connection refused"),
        ("no-such.invalid/app:1", "IfNotPresent", Retryable, "RegistryUnreachable", "no such host"),
    ],
)
async def test_image_that_can_not_be_had(
    tenants: Tenants, image: str, policy: str, kind: type[StepError], code: str, reason: str
) -> None:
    failure = await tenants.failure(tenants.new(image=image, image_pull_policy=policy))
    assert (type(failure), failure.code) == (kind, code)
    assert reason in gist(failure)
    assert failure.fix


async def test_image_removed_after_its_step_is_missed_with_its_own_reason(tenants: Tenants) -> None:
    tag = "127.0.0.1:9/landlord-test:gone"
    tenants.engine.images.get("landlord/web:local").tag(tag)
    image, network, container, _ = tenants.backend.apply(tenants.new(image=tag))
    await image.run()
    await network.run()
    tenants.engine.images.remove(tag)
    with pytest.raises(Retryable, match=r"can't pull 127\.0\.0\.1:9/landlord-test:gone"):
        await container.run()


async def test_container_that_exits_tells_its_code_and_last_words(tenants: Tenants) -> None:
    failure = await tenants.failure(tenants.new(env=BAD_PORT, restart_policy="no"))
    assert isinstance(failure, Retryable)
    assert failure.code == "ContainerExited"
    assert gist(failure).startswith("the container exited with code 1: ")
    assert "unknown port" in gist(failure)


async def test_container_that_exits_again_and_again_is_crash_looping(tenants: Tenants) -> None:
    desired = tenants.new(env=BAD_PORT)
    await tenants.failure(desired)

    async def looping() -> bool:
        failure = await tenants.failure(desired)
        assert isinstance(failure, Retryable)
        return failure.code == "CrashLooping" and "exited with code 1 (restarted" in gist(failure)

    await eventually_async(looping, what="told as a crash loop")


async def test_container_that_ended_is_started_by_each_new_try(tenants: Tenants) -> None:
    desired = tenants.new(env=BAD_PORT, restart_policy="no")
    await tenants.failure(desired)
    before = tenants.container(desired).attrs["State"]["StartedAt"]
    *_, last = tenants.backend.apply(desired)

    async def has_ended() -> bool:
        try:
            await last.run()
        except Retryable:
            return True
        return False  # on a busy machine it may end only after the step's short look

    await eventually_async(has_ended, what="the container ends")
    assert tenants.container(desired).attrs["State"]["StartedAt"] != before


async def test_container_that_needs_more_memory_than_its_limit_is_told_so(
    tenants: Tenants, tools_image: str
) -> None:
    few = Resources(limits=ResourceAmounts(memory="6Mi"))
    desired = tenants.new(
        image=tools_image,
        command=("/etcd", "--data-dir=/tmp/etcd"),
        resources=few,
        restart_policy="no",
    )

    async def out_of_memory() -> bool:
        failure = await tenants.failure(desired)
        return failure.code == "OutOfMemory" and "6 MiB" in gist(failure)

    # At its limit, etcd swaps pages of its own program in and out for a minute before the kernel ends it.
    await eventually_async(out_of_memory, within=480, what="told as out of memory")


async def test_host_port_in_use_is_named_and_taken_once_it_is_free(tenants: Tenants) -> None:
    with socket.create_server(("127.0.0.1", 0)) as occupant:
        port = occupant.getsockname()[1]
        desired = tenants.new(publish=(Publish(port="http", host_port=port),))
        failure = await tenants.failure(desired)
        assert (type(failure), failure.code) == (Retryable, "PortInUse")
        assert gist(failure) == f"the host port {port} of 127.0.0.1 is in use"
    made = await tenants.apply(desired)
    assert ask(made.endpoints[0].url)


async def test_host_port_of_another_tenant_is_in_use_too(tenants: Tenants) -> None:
    first = tenants.new(publish=(Publish(port="http"),))
    port = int((await tenants.apply(first)).endpoints[0].url.rpartition(":")[2])
    failure = await tenants.failure(tenants.new(publish=(Publish(port="http", host_port=port),)))
    assert (type(failure), failure.code) == (Retryable, "PortInUse")
    assert str(port) in gist(failure)


async def test_address_that_the_host_does_not_have_is_hopeless(tenants: Tenants) -> None:
    desired = tenants.new(publish=(Publish(port="http"),), bind_address="192.0.2.1")
    failure = await tenants.failure(desired)
    assert (type(failure), failure.code) == (Terminal, "InvalidSpec")
    assert "bindAddress" in failure.fix


async def test_command_that_is_not_in_the_image_is_hopeless(tenants: Tenants) -> None:
    failure = await tenants.failure(tenants.new(command=("/no/such/program",)))
    assert (type(failure), failure.code) == (Terminal, "CannotStart")
    assert "no such file or directory" in gist(failure)


async def test_a_log_that_cant_be_read_hides_no_crash(
    tenants: Tenants, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without_log(*arguments: Any) -> dict[str, Any]:
        config = build_container_config(*arguments)
        return config | {"HostConfig": config["HostConfig"] | {"LogConfig": {"Type": "none"}}}

    monkeypatch.setattr(containers, "build_container_config", without_log)  # as by the engine's own settings
    failure = await tenants.failure(tenants.new(env=BAD_PORT, restart_policy="no"))
    assert (type(failure), failure.code) == (Retryable, "ContainerExited")
    assert re.search(
        r"exited with code \d+: \(its log can't be read: configured logging driver", gist(failure)
    )


async def test_a_limit_that_the_engine_refuses_is_hopeless(tenants: Tenants) -> None:
    limits = ResourceAmounts(cpu="10000")
    failure = await tenants.failure(tenants.new(resources=Resources(limits=limits)))
    assert (type(failure), failure.code) == (Terminal, "InvalidSpec")
    assert "Range of CPUs" in gist(failure)


async def test_the_engine_enforces_the_least_limits_that_a_manifest_may_have(tenants: Tenants) -> None:
    least = ResourceAmounts(cpu=LEAST_CPU_LIMIT, memory=LEAST_MEMORY)
    desired = tenants.new(resources=Resources(limits=least, requests=least), restart_policy="no")
    for step in DockerBackend().apply(desired)[:-1]:  # whether the program runs with so little is its affair
        await step.run()
    config = tenants.container(desired).attrs["HostConfig"]
    assert (config["NanoCpus"], config["Memory"]) == (10_000_000, 6 * 2**20)


async def away(call: Callable[[], Awaitable[object]]) -> tuple[str, str]:
    """Code and text of the Retryable failure that the call ends with."""
    with pytest.raises(Retryable) as failure:
        await call()
    return failure.value.code, str(failure.value)


@pytest.mark.parametrize("host", ["tcp://127.0.0.1:9", "unix:///no/such/docker.sock"])
async def test_engine_that_is_away_may_come_back(
    tenants: Tenants, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    desired = tenants.new()
    backend = DockerBackend()
    steps = (*backend.apply(desired), *backend.delete(desired.tenant_id))
    with monkeypatch.context() as environment:
        environment.setenv("DOCKER_HOST", host)
        told = {await away(call) for call in (*(step.run for step in steps), backend.survey)}
    ((code, message),) = told
    assert code == "EngineUnavailable"
    assert message.startswith(f"the Docker engine at {host} (DOCKER_HOST) does not answer: ")
    assert message.endswith("\nFix: start the engine, or choose another by DOCKER_HOST or DOCKER_CONTEXT")
    await backend.survey()
    await backend.close()

import asyncio

import pytest
from tests.support.secrets import referring

from landlord.api.outcome import Endpoint
from landlord.api.request import Desired
from landlord.api.workload import Container, EnvVar, Port, Workload
from landlord.backends.contract import Backend
from landlord.backends.memory import MemoryBackend
from landlord.errors import Retryable, StepError, Terminal


def desired(*containers: Container, **env: str) -> Desired:
    variables = tuple(EnvVar(name=name, value=value) for name, value in env.items())
    first = Container(name="web", image="any", env=variables, ports=(Port(name="http", container_port=80),))
    return Desired(tenant_id="acme", workload=Workload(containers=(first, *containers)))


async def test_endpoints_name_every_port_of_every_container() -> None:
    second = Container(name="db", image="any", ports=(Port(name="sql", container_port=5432),))
    _, ready = MemoryBackend().apply(desired(second))
    assert (await ready.run()).endpoints == (
        Endpoint(name="http", url="memory://acme/http"),
        Endpoint(name="sql", url="memory://acme/sql"),
    )


async def test_tenant_is_unhealthy_until_it_is_ready() -> None:
    backend: Backend = MemoryBackend()
    create, ready = backend.apply(desired())
    await create.run()
    assert not (await backend.survey())["acme"].healthy
    await ready.run()
    assert (await backend.survey())["acme"].healthy


async def test_delay_makes_ready_slow_once_and_blocks_nobody() -> None:
    _, ready = MemoryBackend().apply(desired(MEMORY_DELAY="0.05"))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(ready.run(), 0.01)
    await ready.run()
    await asyncio.wait_for(ready.run(), 0.01)


async def test_tenant_that_was_suspended_is_delayed_again() -> None:
    backend = MemoryBackend()
    _, ready = backend.apply(desired(MEMORY_DELAY="0.05"))
    await ready.run()
    for step in backend.suspend("acme"):
        await step.run()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(ready.run(), 0.01)
    assert await backend.inspect(desired(MEMORY_DELAY="0.05")) == [
        "memory acme: ready is False, should be True"
    ]


@pytest.mark.parametrize(("variable", "kind"), [("MEMORY_ERROR", Retryable), ("MEMORY_TERMINAL", Terminal)])
async def test_rehearsed_failure_comes_each_time(variable: str, kind: type[StepError]) -> None:
    backend = MemoryBackend()
    create, ready = backend.apply(desired(**{variable: "the disk is full"}))
    await create.run()
    for _ in range(2):
        with pytest.raises(kind) as failure:
            await ready.run()
        assert (failure.value.code, failure.value.message) == ("Rehearsed", "the disk is full")
    assert not (await backend.survey())["acme"].healthy


@pytest.mark.parametrize("delay", ["soon", "", "-1", "nan", "inf", "51"])
def test_delay_that_is_no_time_is_refused_at_once(delay: str) -> None:
    with pytest.raises(
        Terminal, match=r"MEMORY_DELAY is .*; it must be a number of seconds from 0 to 50"
    ) as failure:
        MemoryBackend().apply(desired(MEMORY_DELAY=delay))
    assert failure.value.code == "InvalidSpec"


async def test_ready_works_in_a_process_that_did_not_create() -> None:
    backend = MemoryBackend()
    _, ready = backend.apply(desired())
    await ready.run()
    assert (await backend.survey())["acme"].healthy


async def test_a_variable_that_refers_to_a_secret_is_accepted_and_reads_nothing() -> None:
    workload = Workload(containers=(Container(name="web", image="any", env=(referring("PASSWORD"),)),))
    tenant = Desired(tenant_id="acme", workload=workload, secrets_namespace="team")
    for step in MemoryBackend().apply(tenant):
        await step.run()

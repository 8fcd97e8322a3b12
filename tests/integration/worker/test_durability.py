"""What Restate and the worker make of crashes, cancellation and bad requests."""

import asyncio
import re
import secrets
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator

import pytest
from tests.support.polling import eventually, eventually_async
from tests.support.requests import request
from tests.support.served import Served, restate_engine, running

from landlord.api.outcome import Outcome
from landlord.api.request import Request
from landlord.engines.contract import WorkflowEngine
from landlord.errors import EngineError


@pytest.fixture
def tenant() -> str:
    return f"acme-{secrets.token_hex(4)}"


@pytest.fixture
async def engine(served: Served) -> AsyncIterator[WorkflowEngine]:
    engine = restate_engine(served)
    async with running(engine):
        yield engine


def perform(engine: WorkflowEngine, asked: Request) -> asyncio.Task[Outcome]:
    """Submit it, and again while the engine can't say what became of it, as an operator does."""

    async def work() -> Outcome:
        while True:
            try:
                return await engine.perform(asked)
            except EngineError:
                await asyncio.sleep(0.1)

    return asyncio.create_task(work())


async def wrote(served: Served, tenant: str, entry: str, *, times: int = 1) -> None:
    async def seen() -> bool:
        return served.ledger.entries(tenant).count(entry) >= times

    await eventually_async(seen, what=f"{entry!r} of {tenant} {times} times")


async def test_worker_killed_in_a_step_goes_on_there_after_its_restart(
    served: Served, engine: WorkflowEngine, tenant: str
) -> None:
    work = perform(engine, request(tenant, provider="ledger", HOLD="two"))
    await wrote(served, tenant, "two begins")
    served.worker.kill()
    served.ledger.release(tenant)
    served.worker.start()
    assert (await work).result == "Succeeded"
    assert served.ledger.entries(tenant).count("two begins") == 2
    assert served.ledger.effects(tenant) == ["one", "two", "three"]


async def test_restate_killed_in_a_step_goes_on_there_after_its_restart(
    served: Served, engine: WorkflowEngine, tenant: str
) -> None:
    work = perform(engine, request(tenant, provider="ledger", HOLD="two"))
    await wrote(served, tenant, "two begins")
    served.restate.kill()
    served.ledger.release(tenant)
    served.restate.start()
    assert (await work).result == "Succeeded"
    effects = served.ledger.effects(tenant)
    assert list(dict.fromkeys(effects)) == ["one", "two", "three"]
    assert (effects.count("one"), effects.count("three")) == (1, 1)


async def test_deadline_counts_from_the_start_whatever_was_killed_since(
    served: Served, engine: WorkflowEngine, tenant: str
) -> None:
    begun = time.monotonic()
    work = perform(engine, request(tenant, provider="ledger", timeout=4, FAIL="one:99"))
    await wrote(served, tenant, "one fails", times=4)
    served.worker.kill()
    served.worker.start()
    failure = (await work).failure
    assert failure is not None
    assert failure.code == "NotYet"
    said = re.fullmatch(r"one needs another try \(tried for (\d+) s\)", failure.message)
    assert said is not None
    assert time.monotonic() - begun - 2 < int(said[1]) < time.monotonic() - begun + 1


async def test_worker_told_to_stop_lets_an_invocation_complete(
    served: Served, engine: WorkflowEngine, tenant: str
) -> None:
    work = perform(engine, request(tenant, provider="ledger", HOLD="two"))
    await wrote(served, tenant, "two begins")
    stopping = asyncio.create_task(asyncio.to_thread(served.worker.stop))
    await asyncio.sleep(0.3)  # it must go on while it is told to stop
    assert not stopping.done()
    served.ledger.release(tenant)
    await stopping
    assert served.ledger.effects(tenant) == ["one", "two", "three"]
    assert (await work).result == "Succeeded"
    assert served.ledger.entries(tenant).count("two begins") == 1


async def test_cancelled_work_ends_at_once_and_another_attempt_makes_it_whole(
    served: Served, engine: WorkflowEngine, tenant: str
) -> None:
    work = perform(engine, request(tenant, provider="ledger", HOLD="two"))
    await wrote(served, tenant, "two begins")
    served.admin("PATCH", f"/invocations/{served.invocation(tenant)['id']}/cancel")
    failure = (await work).failure
    assert failure is not None
    assert (failure.code, failure.retryable) == ("Cancelled", True)
    assert served.ledger.effects(tenant) == ["one"]
    served.ledger.release(tenant)
    again = await engine.perform(request(tenant, attempt=2, provider="ledger", HOLD="two"))
    assert again.result == "Succeeded"
    assert served.ledger.effects(tenant) == ["one", "one", "two", "three"]


async def test_restate_shows_the_step_that_fails_and_its_reason(
    served: Served, engine: WorkflowEngine, tenant: str
) -> None:
    work = perform(engine, request(tenant, provider="ledger", timeout=600, FAIL="two:99"))
    await wrote(served, tenant, "two fails", times=3)

    def backing_off() -> dict[str, str]:
        columns = "status, last_failure, last_failure_related_command_name"
        return served.query(
            f"SELECT {columns} FROM sys_invocation WHERE target_service_key = '{tenant}' "
            "AND status = 'backing-off'"
        )[0]

    seen = await asyncio.to_thread(eventually, backing_off, what="the invocation to back off")
    assert seen["last_failure_related_command_name"] == "2/3 two"
    assert seen["last_failure"].splitlines()[0] == "[500 Internal] NotYet: two needs another try"
    work.cancel()


async def test_an_invocation_costs_few_journal_entries(
    served: Served, engine: WorkflowEngine, tenant: str
) -> None:
    await engine.perform(request(tenant))
    rows = served.query(
        "SELECT j.index, j.entry_type, j.name FROM sys_journal j JOIN sys_invocation i ON i.id = j.id "
        f"WHERE i.target_service_key = '{tenant}' ORDER BY j.index"
    )
    commands = [
        f"{row['entry_type'].removeprefix('Command: ')} {row['name']}".strip()
        for row in rows
        if row["entry_type"].startswith("Command: ")
    ]
    assert commands == [
        "Input",
        "GetEagerState",
        "SetState",
        "Run started",
        "Run 1/2 create",
        "Run 2/2 ready",
        "Output",
    ]
    assert len(rows) == len(commands) + 3  # the results of the runs


@pytest.mark.parametrize(
    ("key", "body", "says"),
    [
        ("acme", "{}", "not a Request: tenantID: Field required"),
        ("acme", "nonsense", "not a Request: body: Invalid JSON"),
        ("acme", request("other").model_dump_json(), "the object acme received a request for other"),
        (
            "acme",
            request("acme", "delete").model_dump_json(),
            "the handler apply received a request to delete",
        ),
    ],
)
async def test_bad_request_is_refused_at_once_with_the_reason(
    shared: Served, key: str, body: str, says: str
) -> None:
    engine = restate_engine(shared)
    async with running(engine):
        call = urllib.request.Request(
            f"{shared.restate.ingress_url}/TenantProvisioning/{key}/apply",
            data=body.encode(),
            headers={"content-type": "application/json"},
        )
        with pytest.raises(urllib.error.HTTPError) as refused:
            await asyncio.to_thread(urllib.request.urlopen, call, timeout=10)
        with refused.value as answer:
            assert says in answer.read().decode()

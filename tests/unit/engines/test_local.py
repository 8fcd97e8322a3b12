"""What is peculiar to the local engine; what it shares with others is in the scenarios."""

import asyncio
from pathlib import Path

import pytest
from tests.support.ledger import LedgerBackend
from tests.support.polling import eventually_async
from tests.support.requests import request

from landlord.api.outcome import Outcome
from landlord.api.request import Request
from landlord.engines import local
from landlord.engines.local import LocalEngine
from landlord.errors import EngineUnreachable


@pytest.fixture
def ledger(tmp_path: Path) -> LedgerBackend:
    return LedgerBackend(tmp_path)


@pytest.fixture
def engine(ledger: LedgerBackend) -> LocalEngine:
    return LocalEngine({"ledger": ledger})


def start(engine: LocalEngine, asked: Request) -> asyncio.Task[Outcome]:
    return asyncio.create_task(engine.perform(asked))


async def wrote(ledger: LedgerBackend, entry: str) -> None:
    async def seen() -> bool:
        return entry in ledger.entries("acme")

    await eventually_async(seen, what=entry)


async def test_caller_who_goes_away_does_not_stop_the_work(
    engine: LocalEngine, ledger: LedgerBackend
) -> None:
    asked = request(provider="ledger", HOLD="two")
    caller = start(engine, asked)
    await wrote(ledger, "two begins")
    caller.cancel()
    ledger.release("acme")
    assert (await engine.perform(asked)).result == "Succeeded"
    assert ledger.entries("acme").count("two begins") == 1


async def test_closing_ends_the_work_and_says_that_nothing_is_known_of_it(
    engine: LocalEngine, ledger: LedgerBackend
) -> None:
    caller = start(engine, request(provider="ledger", HOLD="two"))
    await wrote(ledger, "two begins")
    await engine.close()
    with pytest.raises(EngineUnreachable, match="closed while the workflow ran"):
        await caller
    with pytest.raises(EngineUnreachable, match="the local engine is closed"):
        await engine.perform(request(provider="ledger"))


async def test_request_that_is_outdated_before_its_turn_is_not_begun(
    engine: LocalEngine, ledger: LedgerBackend
) -> None:
    first = start(engine, request(provider="ledger", HOLD="two"))
    await wrote(ledger, "two begins")
    second, third = (start(engine, request(provider="ledger", generation=number)) for number in (2, 3))
    await asyncio.sleep(0)  # let both be submitted
    ledger.release("acme")
    outcomes = [await first, await second, await third]
    assert [outcome.result for outcome in outcomes] == ["Succeeded", "Failed", "Succeeded"]
    assert ledger.effects("acme") == ["one", "two", "three"] * 2


async def test_only_so_many_deleted_tenants_are_remembered(
    engine: LocalEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "DELETED_REMEMBERED", 2)
    for tenant in ("a", "b", "c"):
        await engine.perform(request(tenant, "delete", provider="ledger", generation=2))
    late = [await engine.perform(request(tenant, provider="ledger", generation=2)) for tenant in ("a", "c")]
    assert [outcome.result for outcome in late] == ["Succeeded", "Superseded"]


async def test_there_is_nothing_to_register(engine: LocalEngine) -> None:
    registration = engine.registration
    assert (registration.ready, registration.reason) == (True, "Registered")
    assert registration.backends == frozenset({"ledger"})

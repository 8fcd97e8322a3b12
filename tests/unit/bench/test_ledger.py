import asyncio
from pathlib import Path

import pytest
from bench.ledger import LEDGER, WORK, Ledger, LedgerBackend, LedgerEntry, count_duplicates, find_first_begin
from tests.support.polling import eventually_async

from landlord.api.request import Desired
from landlord.api.workload import Container, EnvVar, Workload


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ledger:
    monkeypatch.setenv(LEDGER, str(tmp_path))
    return Ledger(tmp_path)


def desired(release: str = "1", work: str = "0.01") -> Desired:
    env = (EnvVar(name=WORK, value=work), EnvVar(name="RELEASE", value=release))
    return Desired(
        tenant_id="acme", workload=Workload(containers=(Container(name="web", image="web", env=env),))
    )


async def provision(wanted: Desired) -> None:
    for step in LedgerBackend().apply(wanted):
        await step.run()


def made(ledger: Ledger) -> list[str]:
    return [each.resource for each in ledger.entries("acme") if each.what == "made"]


async def test_what_is_there_is_not_made_again(ledger: Ledger) -> None:
    await provision(desired())
    await provision(desired())
    assert made(ledger) == ["disk", "server"]
    assert count_duplicates(ledger.entries("acme")) == 0


async def test_another_generation_is_made_anew(ledger: Ledger) -> None:
    await provision(desired("1"))
    await provision(desired("2"))
    assert made(ledger) == ["disk", "server"] * 2
    assert count_duplicates(ledger.entries("acme")) == 0


async def test_work_that_runs_twice_at_once_shows_as_a_duplicate(ledger: Ledger) -> None:
    await asyncio.gather(provision(desired()), provision(desired()))
    assert count_duplicates(ledger.entries("acme")) >= 1


async def test_work_that_is_cut_off_has_made_nothing(ledger: Ledger) -> None:
    work = asyncio.create_task(provision(desired(work="60")))

    async def at_work_on_the_server() -> bool:
        return any(each.resource == "server" for each in ledger.entries("acme"))

    await eventually_async(at_work_on_the_server)
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    assert made(ledger) == ["disk"]
    assert ledger.tenants() == ["acme"]


def test_work_begun_after_a_moment_is_found_by_its_first_line() -> None:
    entries = [
        LedgerEntry(at, what, "disk", "a")
        for at, what in [(1, "begun"), (2, "made"), (3, "begun"), (4, "begun")]
    ]
    assert [find_first_begin(entries, since) for since in (0, 1.5, 4)] == [1, 3, None]

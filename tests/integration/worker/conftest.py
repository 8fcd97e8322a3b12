"""The engines that run workflows, and a Restate with a worker for tests that disturb them."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from tests.support.ledger import LedgerBackend
from tests.support.served import Recorder, Served, restate_engine, running, serving
from tests.support.session import Session

from landlord.backends.memory import MemoryBackend
from landlord.engines.contract import WorkflowEngine
from landlord.engines.local import LocalEngine


@pytest.fixture(scope="module")
def shared(session: Session) -> Iterator[Served]:
    """One for all tests of a module that do not disturb it."""
    with serving(session) as served:
        yield served


@pytest.fixture
def served(session: Session) -> Iterator[Served]:
    """One for a test that stops and kills its parts."""
    with serving(session) as served:
        yield served


class World:
    """An engine and what its backends did."""

    def __init__(self, engine: WorkflowEngine, heard: Recorder, ledger: LedgerBackend) -> None:
        self.engine = engine
        self.heard = heard
        self.ledger = ledger


@pytest.fixture(params=["local", "restate"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    """Each scenario is true of each engine."""
    if request.param == "local":
        ledger = LedgerBackend(tmp_path)
        engine: WorkflowEngine = LocalEngine({"memory": MemoryBackend(), "ledger": ledger})
    else:
        served = request.getfixturevalue("shared")
        ledger = served.ledger
        engine = restate_engine(served)
    async with running(engine) as heard:
        yield World(engine, heard, ledger)

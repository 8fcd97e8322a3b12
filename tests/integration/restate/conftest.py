"""The engine against a real Restate and a worker to command.

`engine` shares both with other tests, whose tests use a `tenant` each; `own_engine` has them to itself
and may stop, kill and wipe them.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator

import pytest
from tests.integration.restate.parts import RunningEngine, ScriptedWorker, running
from tests.integration.restate.world import World
from tests.support.session import Session

from dev.restate import RestateServer
from landlord.engines.restate.http import HttpClient

pytest.register_assert_rewrite("tests.integration.restate.table")


@pytest.fixture(scope="session")
def shared_restate(session: Session) -> RestateServer:
    """A running Restate for tests that leave it alone."""
    server = session.restate()
    server.start()
    return server


@pytest.fixture(scope="session")
def shared_worker(session: Session) -> ScriptedWorker:
    """A running worker for tests that leave it alone."""
    worker = ScriptedWorker(session.folder("shared-worker"), session.mark)
    worker.start()
    return worker


@pytest.fixture
async def engine(
    shared_restate: RestateServer, shared_worker: ScriptedWorker
) -> AsyncIterator[RunningEngine]:
    """An engine that runs and has registered the worker; its Restate and worker are shared."""
    async with running(shared_restate, shared_worker) as engine:
        await engine.until("Registered")
        yield engine


@pytest.fixture
async def admin(engine: RunningEngine) -> AsyncIterator[HttpClient]:
    """The admin API of the shared Restate, for what a person does by hand."""
    client = HttpClient("Restate", engine.restate.admin_url)
    yield client
    await client.close()


@pytest.fixture
def tenant() -> str:
    """A tenantID that no other test uses."""
    return f"tenant-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def worker(session: Session) -> Iterator[ScriptedWorker]:
    """A running worker of the test's own."""
    worker = ScriptedWorker(session.folder("scripted-worker"), session.mark)
    worker.start()
    yield worker
    worker.kill()


@pytest.fixture(scope="session")
def spare_parts(session: Session) -> tuple[RestateServer, ScriptedWorker, ScriptedWorker]:
    """What `world` is made of."""
    workers = [ScriptedWorker(session.folder(name), session.mark) for name in ("worker", "other-worker")]
    return session.restate(), workers[0], workers[1]


@pytest.fixture
async def world(
    spare_parts: tuple[RestateServer, ScriptedWorker, ScriptedWorker], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[World]:
    """Parts that may be ill-treated, as new for each test: an empty Restate, and two workers that run."""
    restate, *workers = spare_parts
    await asyncio.to_thread(restate.kill)
    await asyncio.to_thread(restate.wipe)
    restate.node_name = "local"
    await asyncio.to_thread(restate.start)
    for worker in workers:
        if worker.as_new():
            worker.thaw()
        else:
            await asyncio.to_thread(worker.kill)
            await asyncio.to_thread(worker.start)
    world = World(restate, workers[0], workers[1], monkeypatch)
    await world.proxies.start()
    yield world
    await world.proxies.stop()


@pytest.fixture
async def own_engine(restate: RestateServer, worker: ScriptedWorker) -> AsyncIterator[RunningEngine]:
    """An engine that runs and has registered the worker; its Restate and worker are the test's own."""
    async with running(restate, worker) as engine:
        await engine.until("Registered")
        yield engine

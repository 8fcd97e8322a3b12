"""The worker as a real process with a plug-in of its own, and engines that run workflows."""

import asyncio
import contextlib
import json
import urllib.request
from collections.abc import AsyncIterator, Iterator
from typing import Any

from tests.support.ledger import LedgerBackend
from tests.support.polling import eventually_async
from tests.support.session import Session

from dev.net import free_ports
from dev.plugin import write_plugin
from dev.programs import Program, worker
from dev.restate import RestateServer
from landlord.api.request import Request
from landlord.engines.contract import Progress, Registration, WorkflowEngine
from landlord.engines.restate.clients import Clients
from landlord.engines.restate.engine import RestateEngine


class Recorder:
    """A listener that keeps what it hears."""

    def __init__(self) -> None:
        self.registrations: list[Registration] = []
        self.progress: list[tuple[Request, Progress]] = []

    def registration_changed(self, registration: Registration) -> None:
        self.registrations.append(registration)

    def progressed(self, request: Request, progress: Progress) -> None:
        self.progress.append((request, progress))

    def of(self, request: Request) -> list[Progress]:
        """What was heard about one request."""
        return [progress for about, progress in self.progress if about == request]


class Served:
    """A Restate server with a worker registered, and the ledger of the worker's plug-in."""

    def __init__(self, restate: RestateServer, program: Program, ledger: LedgerBackend) -> None:
        self.restate = restate
        self.worker = program
        self.ledger = ledger

    def query(self, sql: str) -> list[dict[str, Any]]:
        """Rows of Restate's own tables."""
        answer = self.admin("POST", "/query", {"query": sql})
        rows: list[dict[str, Any]] = answer["rows"]
        return rows

    def admin(self, method: str, path: str, body: object = None) -> Any:
        """One call of Restate's admin API."""
        call = urllib.request.Request(
            self.restate.admin_url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"content-type": "application/json", "accept": "application/json"},
        )
        with urllib.request.urlopen(call, timeout=10) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def invocation(self, tenant_id: str, columns: str = "id, status") -> dict[str, Any]:
        """The newest invocation of a tenant."""
        rows = self.query(
            f"SELECT {columns} FROM sys_invocation WHERE target_service_key = '{tenant_id}' "
            "ORDER BY created_at DESC LIMIT 1"
        )
        return rows[0] if rows else {}


@contextlib.contextmanager
def serving(session: Session, **settings: str) -> Iterator[Served]:
    """Start Restate and a worker with the memory and the ledger backend, not registered yet."""
    restate = session.restate(partitions=4)
    folder = session.folder("worker")
    ledger = session.folder("ledger")
    program = worker(
        folder,
        mark=session.mark,
        port=free_ports(1)[0],
        settings={"LANDLORD_BACKENDS": "memory,ledger", "LEDGER": str(ledger)}
        | write_plugin(folder / "plugin", LedgerBackend)
        | settings,
    )
    restate.start()
    program.start()
    yield Served(restate, program, LedgerBackend(ledger))
    program.stop()
    restate.wipe()


@contextlib.asynccontextmanager
async def running(engine: WorkflowEngine) -> AsyncIterator[Recorder]:
    """Serve the engine until work can be submitted, and to the end of the block."""
    recorder = Recorder()
    serve = asyncio.create_task(engine.serve(recorder))

    async def registered() -> bool:
        assert not serve.done(), serve
        return engine.registration.ready

    await eventually_async(registered, what="the workflow to be registered")
    yield recorder
    serve.cancel()
    await asyncio.gather(serve, return_exceptions=True)
    await engine.close()


def restate_engine(served: Served, *, worker_url: str | None = None) -> RestateEngine:
    """An engine of its own on a server, and on its worker or the one at the URL."""
    return RestateEngine(
        Clients(served.restate.admin_url, served.restate.ingress_url, worker_url or served.worker.url)
    )

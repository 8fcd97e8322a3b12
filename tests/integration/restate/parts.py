"""What tests of the Restate engine are made of: a worker to command, an engine that runs, and requests."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import psutil
from tests.support.polling import eventually_async

from dev.net import LOOPBACK, free_ports, status_of, wait_until
from dev.paths import CHECKOUT
from dev.process import OneProcess, spawn
from dev.restate import RestateServer
from landlord.api.request import Desired, Operation, Request
from landlord.api.workload import Container, Workload
from landlord.engines.contract import Progress, Registration
from landlord.engines.restate.access import Access
from landlord.engines.restate.clients import Clients
from landlord.engines.restate.engine import RestateEngine
from landlord.engines.restate.verdict import Policy

PROGRAM = "tests.integration.restate.scripted_worker"
STEPS = ["network", "container", "health"]
"""What the scripted backend does for a tenant by default."""


class Addresses(Protocol):
    """Where Restate is reached: the server itself, or what stands in front of it."""

    @property
    def admin_url(self) -> str: ...

    @property
    def ingress_url(self) -> str: ...


class ScriptedWorker(OneProcess):
    """A real worker process on a port that stays the same. Steps do as scripted."""

    def __init__(self, folder: Path, mark: str) -> None:
        self.folder = folder
        self.port = free_ports(1)[0]
        self.url = f"http://{LOOPBACK}:{self.port}"
        self._mark = mark
        self._options: dict[str, str] = {}

    def start(self, **options: str) -> None:
        """Start it; other backends give it another revision, and kind="…" makes it something else."""
        argv = [
            sys.executable,
            "-m",
            PROGRAM,
            "--bind",
            f"{LOOPBACK}:{self.port}",
            "--folder",
            str(self.folder),
        ]
        argv += [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", value)]
        log = self.folder / "worker.log"
        self.identity = spawn(argv, mark=self._mark, env={}, log=log, cwd=CHECKOUT)
        wait_until(
            lambda: status_of(f"{self.url}/healthz") == 200,
            timeout=30,
            what="the worker",
            log=log,
            alive=self.running,
        )
        self._options = options

    def as_new(self) -> bool:
        """Whether it runs as it does without options."""
        return self.running() and not self._options

    def freeze(self) -> None:
        """Let it hang: connections are accepted, and nothing is answered."""
        self._process().suspend()

    def thaw(self) -> None:
        """Let it go on."""
        self._process().resume()

    def _process(self) -> psutil.Process:
        process = self.identity.process() if self.identity else None
        assert process is not None
        return process

    def script(self, tenant_id: str, **steps: dict[str, Any]) -> None:
        """From the next try on, the tenant's steps are these, and do that."""
        file = self.folder / f"{tenant_id}.json"
        file.with_suffix(".new").write_text(json.dumps(steps))
        file.with_suffix(".new").rename(file)

    def ran(self, tenant_id: str) -> list[str]:
        """Names of the steps that were tried, in order."""
        file = self.folder / "ran"
        lines = file.read_text().splitlines() if file.exists() else []
        return [line.removeprefix(f"{tenant_id} ") for line in lines if line.startswith(f"{tenant_id} ")]


class Recorder:
    """Hears what an engine says."""

    def __init__(self) -> None:
        self.registrations: list[Registration] = []
        self.progress: list[tuple[Request, Progress]] = []

    def registration_changed(self, registration: Registration) -> None:
        self.registrations.append(registration)

    def progressed(self, request: Request, progress: Progress) -> None:
        self.progress.append((request, progress))

    @property
    def reasons(self) -> list[str]:
        """Reasons in the order of their first appearance after another."""
        reasons = [registration.reason for registration in self.registrations]
        return [reason for at, reason in enumerate(reasons) if at == 0 or reasons[at - 1] != reason]

    def latest(self, request: Request) -> Progress | None:
        return next((progress for about, progress in reversed(self.progress) if about == request), None)


class RunningEngine(RestateEngine):
    """The engine with its loops running, and what it said."""

    def __init__(
        self,
        restate: RestateServer,
        worker: ScriptedWorker,
        policy: Policy,
        through: Addresses | None,
        access: Access | None,
    ) -> None:
        at = through or restate
        super().__init__(Clients(at.admin_url, at.ingress_url, worker.url, access), policy)
        self.restate = restate
        self.worker = worker
        self.heard = Recorder()

    async def until(self, reason: str) -> Registration:
        """The registration once it has that reason."""

        async def seen() -> Registration | None:
            return self.registration if self.registration.reason == reason else None

        found = await eventually_async(seen, what=f"{reason}, now {self.registration}")
        assert found is not None
        return found

    async def until_progress(self, request: Request, sub_state: str) -> Progress:
        """The progress of the request once it has that state."""

        async def seen() -> Progress | None:
            progress = self.heard.latest(request)
            return progress if progress is not None and progress.sub_state == sub_state else None

        found = await eventually_async(seen, what=f"{sub_state} of {request.idempotency_key}")
        assert found is not None
        return found


@asynccontextmanager
async def running(
    restate: RestateServer,
    worker: ScriptedWorker,
    policy: Policy = "enforce",
    *,
    through: Addresses | None = None,
    access: Access | None = None,
) -> AsyncIterator[RunningEngine]:
    """An engine that keeps the worker registered in Restate, which it may have to reach through others."""
    engine = RunningEngine(restate, worker, policy, through, access)
    serving = asyncio.create_task(engine.serve(engine.heard))
    try:
        yield engine
    finally:
        serving.cancel()
        with suppress(asyncio.CancelledError):
            await serving
        await engine.close()


def request(
    tenant_id: str,
    *,
    uid: str = "5f0c",
    created: int = 1,
    generation: int = 1,
    attempt: int = 1,
    operation: Operation = "apply",
) -> Request:
    workload = Workload(containers=(Container(name="app", image="web:1"),))
    return Request(
        tenant_id=tenant_id,
        operation=operation,
        uid=uid,
        created_at=datetime(2026, 1, created, tzinfo=UTC),
        generation=generation,
        attempt=attempt,
        provider="scripted",
        timeout_seconds=120,
        desired=Desired(tenant_id=tenant_id, workload=workload) if operation == "apply" else None,
    )

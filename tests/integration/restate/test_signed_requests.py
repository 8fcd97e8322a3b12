"""A worker with identity keys does what its own Restate has signed, and nothing else."""

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.support.polling import eventually_async
from tests.support.requests import request
from tests.support.served import Recorder
from tests.support.session import Session

from dev.net import free_ports, status_of
from dev.programs import Program
from dev.programs import worker as worker_program
from dev.restate import RestateServer
from landlord.engines.restate.clients import Clients
from landlord.engines.restate.engine import RestateEngine

CLOCK = """
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *now) {
    long failed = syscall(SYS_clock_gettime, clock, now);
    if (!failed && clock == CLOCK_REALTIME) now->tv_sec += SECONDS;
    return failed;
}
"""


def clock_that_is_off(seconds: int, folder: Path) -> Path:
    """A library with the clock on the wall so far ahead, for a process that is started with it."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("there is no C compiler")
    source, library = folder / "clock.c", folder / "clock.so"
    source.write_text(CLOCK)
    argv = [compiler, "-shared", "-fPIC", f"-DSECONDS={seconds}", "-o", str(library), str(source)]
    subprocess.run(argv, check=True)
    return library


@pytest.fixture
def worker(session: Session) -> Iterator[Program]:
    """A worker that is not started yet, so that a test can say whom it trusts."""
    program = worker_program(
        session.folder("worker"),
        mark=session.mark,
        port=free_ports(1)[0],
        settings={"LANDLORD_BACKENDS": "memory"},
    )
    yield program
    program.kill()


async def trusts(worker: Program, *keys: str) -> None:
    """From now on it accepts what is signed with these keys."""
    worker.settings["LANDLORD_RESTATE_IDENTITY_KEYS"] = ",".join(keys)
    await asyncio.to_thread(worker.restart)


@asynccontextmanager
async def operated(restate: RestateServer, worker: Program) -> AsyncIterator[RestateEngine]:
    engine = RestateEngine(Clients(restate.admin_url, restate.ingress_url, worker.url))
    serving = asyncio.create_task(engine.serve(Recorder()))
    yield engine
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)
    await engine.close()


async def until(engine: RestateEngine, reason: str) -> str:
    async def seen() -> bool:
        return engine.registration.reason == reason

    await eventually_async(seen, what=f"{reason}, now {engine.registration}")
    return engine.registration.message


async def works(engine: RestateEngine, tenant_id: str) -> None:
    await until(engine, "Registered")
    assert (await engine.perform(request(tenant_id))).result == "Succeeded"


async def test_what_its_restate_has_signed_is_done_and_what_nobody_has_is_refused(
    restate: RestateServer, worker: Program
) -> None:
    await trusts(worker, restate.identity_key)
    for path in ("/discover", "/invoke/TenantProvisioning/apply"):
        assert await asyncio.to_thread(status_of, f"{worker.url}{path}", json_body="{}") == 401
    async with operated(restate, worker) as engine:
        await works(engine, "signed")


async def test_what_another_restate_has_signed_is_refused_with_what_to_look_at(
    restate: RestateServer, session: Session, worker: Program
) -> None:
    await trusts(worker, session.restate().identity_key)
    async with operated(restate, worker) as engine:
        message = await until(engine, "RegistrationRejected")
        assert "LANDLORD_RESTATE_IDENTITY_KEYS" in message
        assert "clocks differ by less than a minute" in message
        await trusts(worker, restate.identity_key)
        await works(engine, "cured")


@pytest.mark.parametrize("seconds", [120, -120])
async def test_a_worker_whose_clock_is_off_refuses_until_it_is_set_right(
    restate: RestateServer, worker: Program, seconds: int, tmp_path: Path
) -> None:
    worker.settings["LD_PRELOAD"] = str(await asyncio.to_thread(clock_that_is_off, seconds, tmp_path))
    await trusts(worker, restate.identity_key)
    async with operated(restate, worker) as engine:
        message = await until(engine, "RegistrationRejected")
        assert "clocks differ by less than a minute" in message
        del worker.settings["LD_PRELOAD"]
        await asyncio.to_thread(worker.restart)
        await works(engine, "set-right")


async def test_a_key_is_replaced_while_work_goes_on(
    restate: RestateServer, session: Session, worker: Program
) -> None:
    old, successor = restate.identity_key, session.restate()
    await trusts(worker, old)
    async with operated(restate, worker) as engine:
        await works(engine, "before")
        await trusts(worker, old, successor.identity_key)
        await works(engine, "both-are-trusted")
        restate.private_key.write_bytes(successor.private_key.read_bytes())
        await asyncio.to_thread(restate.restart)
        await works(engine, "signed-with-the-new-key")
        await trusts(worker, restate.identity_key)
        await works(engine, "only-the-new-one-is-trusted")
        assert restate.identity_key != old

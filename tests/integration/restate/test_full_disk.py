"""A Restate whose disk is full: it answers, and lists the workflow, but records nothing."""

import asyncio
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.restate.parts import ScriptedWorker, request, running
from tests.support.session import Session

from dev.restate import RestateServer
from landlord.api.names import WORKFLOW_SERVICE
from landlord.engines.restate.http import HttpClient
from landlord.errors import EngineUnreachable

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small file system")


@pytest.fixture
def disk(session: Session) -> Iterator[tuple[RestateServer, Path]]:
    """A running Restate whose data is on a small file system, and that file system."""
    server = session.restate()
    data = server.log.parent / "data"
    data.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200m", "tmpfs", str(data)], check=True)
    try:
        server.start()
        yield server, data
    finally:
        server.kill()
        subprocess.run(["umount", "-l", str(data)], check=True)


def fill(file: Path) -> None:
    """Write until nothing more fits."""
    with file.open("ab", buffering=0) as ballast:
        try:
            while True:
                ballast.write(b"x" * 65536)
        except OSError:
            return


async def fill_until_nothing_is_recorded(server: RestateServer, data: Path) -> None:
    """Restate compacts its files for a while, so fill what that frees too."""
    somebody = HttpClient("Restate", server.ingress_url)
    try:
        for number in range(300):
            fill(data / "ballast")
            body = b'"' + b"x" * 900_000 + b'"'
            await somebody.request("POST", f"/{WORKFLOW_SERVICE}/junk{number}/apply/send", body=body)
    except EngineUnreachable:
        return
    finally:
        await somebody.close()
    pytest.fail("Restate still records requests")


async def test_a_restate_that_records_nothing_is_told_until_it_is_started_with_space(
    disk: tuple[RestateServer, Path], worker: ScriptedWorker, tenant: str
) -> None:
    server, data = disk
    async with running(server, worker) as engine:
        await engine.until("Registered")
        await fill_until_nothing_is_recorded(server, data)
        stuck = await engine.until("EngineStuck")
        assert stuck.status == "Unknown"
        assert "does not record requests: Restate's admin API at " in stuck.message
        assert "did not answer within 5 s\nFix: find the reason in Restate's log" in stuck.message
        with pytest.raises(EngineUnreachable, match="does not record requests"):
            await engine.perform(request(tenant))

        (data / "ballast").unlink()
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.start)
        await engine.until("Registered")
        assert (await engine.perform(request(tenant))).result == "Succeeded"
        assert "RegistrationLost" not in engine.heard.reasons

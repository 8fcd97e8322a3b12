"""A real Restate behind TLS and a proxy that asks for a header."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trustme
from aiohttp import web
from tests.integration.restate.parts import RunningEngine, ScriptedWorker, request, running
from tests.support.guarded import FIRST, SECOND, Guarded, guarded
from tests.support.polling import eventually_async
from tests.support.proxy import Proxy

from dev.restate import RestateServer
from landlord.engines.restate import access, probe
from landlord.engines.restate.access import Access, load_access
from landlord.engines.restate.clients import Clients
from landlord.engines.restate.seen import Worker
from landlord.settings import RestateSettings, load


@pytest.fixture
async def guard(restate: RestateServer, tmp_path: Path) -> AsyncIterator[Guarded]:
    async with guarded(restate, tmp_path) as guard:
        yield guard


@pytest.fixture(autouse=True)
def _read_again_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "REREAD_SECONDS", 0.05)


def with_all(guard: Guarded, **other: object) -> Access:
    """What landlord needs to get in, or other than that."""
    right = {"restate_auth_header_file": guard.header_file, "restate_ca_file": guard.ca_file}
    return load_access(load(RestateSettings, **(right | other)))


async def said(engine: RunningEngine, words: str) -> str:
    """What is said of the registration, once it has these words."""

    async def seen() -> str | None:
        return engine.registration.message if words in engine.registration.message else None

    message = await eventually_async(seen, what=f"{words}, now {engine.registration}")
    assert message is not None
    return message


async def test_registered_and_at_work_through_tls_and_with_the_header(
    restate: RestateServer, worker: ScriptedWorker, guard: Guarded, tenant: str
) -> None:
    async with running(restate, worker, through=guard, access=with_all(guard)) as engine:
        await engine.until("Registered")
        assert (await engine.perform(request(tenant))).result == "Succeeded"
        assert any("/deployments" in each for each in guard.admin.seen)
        assert any(f"/{tenant}/apply" in each for each in guard.ingress.seen)


async def test_an_end_of_the_held_connection_is_noticed_through_tls(
    restate: RestateServer, worker: ScriptedWorker, guard: Guarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("landlord.engines.restate.keeper.SETTLED_SECONDS", (3600.0, 3600.0))
    async with running(restate, worker, through=guard, access=with_all(guard)) as engine:
        await engine.until("Registered")
        await guard.stop()
        await engine.until("EngineUnreachable")
        await guard.start()
        await engine.until("Registered")


async def test_a_certificate_of_an_unknown_authority_is_said_to_be_refused(
    restate: RestateServer, worker: ScriptedWorker, guard: Guarded, tmp_path: Path
) -> None:
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(other)
    for wrong in (other, None):
        async with running(
            restate, worker, through=guard, access=with_all(guard, restate_ca_file=wrong)
        ) as engine:
            message = await said(engine, "its certificate is rejected")
            assert "unable to get local issuer certificate; LANDLORD_RESTATE_CA_FILE must" in message
    assert guard.admin.seen == guard.ingress.seen == []


@pytest.mark.parametrize("brought", [None, SECOND], ids=["nothing", "another secret"])
async def test_who_does_not_bring_the_secret_is_told_the_setting_and_never_the_secret(
    restate: RestateServer, worker: ScriptedWorker, guard: Guarded, brought: str | None
) -> None:
    header = {"restate_auth_header": f"Authorization: {brought}"} if brought else {}
    without = with_all(guard, restate_auth_header_file=None, **header)
    async with running(restate, worker, through=guard, access=without) as engine:
        message = await said(engine, "answered 401")
        assert "Fix: correct LANDLORD_RESTATE_AUTH_HEADER or LANDLORD_RESTATE_AUTH_HEADER_FILE" in message
        assert "I do not know" in message
        assert SECOND.split()[1] not in message
        assert engine.registration.status == "Unknown"


async def test_a_secret_that_is_replaced_in_its_file_is_used_without_a_restart(
    restate: RestateServer, worker: ScriptedWorker, guard: Guarded, tenant: str
) -> None:
    async with running(restate, worker, through=guard, access=with_all(guard)) as engine:
        await engine.until("Registered")
        guard.accepts = SECOND
        engine.kick()
        message = await said(engine, "answered 401")
        assert FIRST.split()[1] not in message
        guard.bring(SECOND)
        await engine.until("Registered")
        assert (await engine.perform(request(tenant))).result == "Succeeded"


async def test_a_header_file_that_goes_away_is_an_outage_with_its_reason(
    restate: RestateServer, worker: ScriptedWorker, guard: Guarded
) -> None:
    async with running(restate, worker, through=guard, access=with_all(guard)) as engine:
        await engine.until("Registered")
        guard.header_file.unlink()
        engine.kick()
        message = await said(engine, "LANDLORD_RESTATE_AUTH_HEADER_FILE")
        assert f"{guard.header_file}, which can't be read: No such file or directory" in message
        guard.bring(FIRST)
        await engine.until("Registered")


async def test_the_worker_never_sees_the_header_and_may_be_behind_tls_too(
    worker: ScriptedWorker, guard: Guarded
) -> None:
    proxy = Proxy(worker.url, guard.tls)
    brought: list[str] = []

    async def noting(asked: web.Request) -> web.StreamResponse:
        brought.extend(asked.headers.keys())
        return await proxy.passes_on(asked)

    proxy.does = noting
    await proxy.start()
    clients = Clients(guard.admin_url, guard.ingress_url, proxy.url, with_all(guard))
    assert isinstance(await probe.observe_worker(clients.worker), Worker)
    assert "Accept" in brought
    assert "Authorization" not in brought
    await clients.close()
    await proxy.stop()

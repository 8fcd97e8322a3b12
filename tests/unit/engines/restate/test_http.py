"""The client before servers and resolvers that take their time."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import pytest

from dev.net import LOOPBACK
from landlord.engines.restate import http
from landlord.engines.restate.http import HttpClient
from landlord.engines.restate.seen import TimedOut
from landlord.errors import EngineUnreachable

Speaks = Callable[[asyncio.StreamWriter], Awaitable[None]]


async def served(speaks: Speaks) -> tuple[asyncio.Server, str]:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        try:
            await speaks(writer)
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(connected, LOOPBACK, 0)
    return server, f"http://{LOOPBACK}:{server.sockets[0].getsockname()[1]}"


async def trickle(writer: asyncio.StreamWriter) -> None:
    """An answer of which a byte comes now and then, and the last one never."""
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.02)


@pytest.fixture
async def impatient(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Callable[[str], HttpClient]]:
    monkeypatch.setattr(http, "CONNECT_SECONDS", 0.1)
    monkeypatch.setattr(http, "REST_SECONDS", 0.1)
    clients: list[HttpClient] = []

    def client(url: str) -> HttpClient:
        clients.append(HttpClient("Restate", url))
        return clients[-1]

    yield client
    for each in clients:
        await each.close()


async def test_an_answer_that_only_trickles_is_given_up(impatient: Callable[[str], HttpClient]) -> None:
    server, url = await served(trickle)
    async with server, asyncio.timeout(5):
        with pytest.raises(TimedOut, match=f"Restate at {url} did not answer within 0.2 s"):
            await impatient(url).request("GET", "/", read_seconds=0.2)


async def test_an_answer_that_may_take_for_ever_is_waited_for(
    impatient: Callable[[str], HttpClient],
) -> None:
    async def late(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.6)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
        await writer.drain()

    server, url = await served(late)
    async with server, asyncio.timeout(5):
        assert (await impatient(url).request("GET", "/", read_seconds=None)).text == "ok"


@pytest.mark.parametrize("read_seconds", [0.2, None])
async def test_a_resolver_that_hangs_is_an_outage(
    impatient: Callable[[str], HttpClient], read_seconds: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang(*_: object, **__: object) -> list[object]:
        await asyncio.Event().wait()
        return []

    monkeypatch.setattr(aiohttp.ThreadedResolver, "resolve", hang)
    async with asyncio.timeout(5):
        with pytest.raises(EngineUnreachable, match="Restate at http://restate:1 can't be reached: no conn"):
            await impatient("http://restate:1").request("GET", "/", read_seconds=read_seconds)


async def test_a_name_is_resolved_anew_once_what_it_stood_for_may_be_gone(
    impatient: Callable[[str], HttpClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pod that is replaced behind a headless Service has another address."""
    asked: list[float] = []

    addresses: list[dict[str, object]] = [
        {"hostname": "restate", "host": LOOPBACK, "port": 1, "family": 2, "proto": 0, "flags": 0}
    ]

    async def refused(*_: object, **__: object) -> list[dict[str, object]]:
        asked.append(time.monotonic())
        return addresses

    monkeypatch.setattr(aiohttp.ThreadedResolver, "resolve", refused)
    monkeypatch.setattr(http, "DNS_SECONDS", 0.2)
    client = impatient("http://restate:1")
    for _ in range(2):
        with pytest.raises(EngineUnreachable, match="connection refused"):
            await client.request("GET", "/")
    assert len(asked) == 1
    await asyncio.sleep(0.25)
    with pytest.raises(EngineUnreachable):
        await client.request("GET", "/")
    assert len(asked) == 2

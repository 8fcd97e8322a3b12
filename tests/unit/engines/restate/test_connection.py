"""The held connection, against real sockets."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
import trustme
from tests.support.polling import eventually_async

from dev.net import LOOPBACK, free_ports
from landlord.engines.restate.connection import HeldConnection

OURS, OTHERS = trustme.CA(), trustme.CA()


class Peer:
    """A server that counts its connections, and closes each at once if it is told to."""

    def __init__(self, scheme: str = "http", *, closes: bool = False) -> None:
        port = free_ports(1)[0]
        self.url = f"{scheme}://{LOOPBACK}:{port}"
        self.writers: list[asyncio.StreamWriter] = []
        self._port = port
        self._tls: ssl.SSLContext | None = None
        if scheme == "https":
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            OURS.issue_cert(LOOPBACK).configure_cert(self._tls)
        self._closes = closes
        self._server: asyncio.Server | None = None

    async def _accept(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        if self._closes:
            writer.close()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, LOOPBACK, self._port, ssl=self._tls)

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self.writers:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()


@asynccontextmanager
async def held(peer: Peer, trusted: trustme.CA = OURS) -> AsyncIterator[list[str]]:
    heard: list[str] = []
    tls = ssl.create_default_context()
    trusted.configure_trust(tls)
    connection = HeldConnection(
        peer.url, tls, lambda: heard.append("ended"), lambda: heard.append("returned")
    )
    task = asyncio.create_task(connection.run())
    try:
        yield heard
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await peer.stop()


async def until(what: Callable[[], bool]) -> None:
    async def so() -> bool:
        return what()

    await eventually_async(so, within=10)


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_restart_is_heard_as_an_end_and_a_return(scheme: str) -> None:
    peer = Peer(scheme)
    await peer.start()
    async with held(peer) as heard:
        await until(lambda: len(peer.writers) == 1)
        assert heard == []
        await peer.stop()
        await until(lambda: heard == ["ended"])
        await peer.start()
        await until(lambda: heard == ["ended", "returned"])


async def test_a_server_that_was_away_at_the_start_is_heard_when_it_comes() -> None:
    peer = Peer()
    async with held(peer) as heard:
        await asyncio.sleep(0.3)
        await peer.start()
        await until(lambda: heard == ["returned"])


async def test_a_server_with_a_certificate_of_somebody_else_is_never_connected_to() -> None:
    peer = Peer("https")
    await peer.start()
    async with held(peer, trusted=OTHERS) as heard:
        await asyncio.sleep(1)
        assert (heard, peer.writers) == ([], [])


async def test_a_server_that_closes_idle_connections_at_once_is_not_connected_to_in_a_loop() -> None:
    peer = Peer(closes=True)
    await peer.start()
    async with held(peer):
        await until(lambda: len(peer.writers) >= 2)
        await asyncio.sleep(1)
        assert len(peer.writers) < 10


async def test_the_kernel_asks_soon_whether_a_silent_peer_is_still_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened: list[asyncio.StreamWriter] = []
    open_connection = asyncio.open_connection

    async def noting(*args: Any, **options: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await open_connection(*args, **options)
        opened.append(writer)
        return reader, writer

    monkeypatch.setattr(asyncio, "open_connection", noting)
    peer = Peer()
    await peer.start()

    async def connected() -> bool:
        return bool(peer.writers) and bool(opened)

    async with held(peer):
        await eventually_async(connected)
        await asyncio.sleep(0)
        kept = opened[0].get_extra_info("socket")
        assert kept.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert kept.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) <= 30
    await peer.stop()

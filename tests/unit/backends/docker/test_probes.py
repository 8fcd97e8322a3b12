"""What a probe says of a server that does not do as it should, and that it repeats none of its words."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest

from landlord.api.workload import HttpGet, Probe, TcpSocket
from landlord.backends.docker import probes
from landlord.backends.docker.engine import Engine

SECRET = b"a-password"


async def told(probe: Probe, answer: bytes | None) -> str | None:
    """What a probe says of a server that sends these bytes, and hangs up; or waits for ever, for None."""

    served = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if probe.http_get:
            await reader.readuntil(b"\r\n\r\n")
        if answer is None:
            await reader.read()
        else:
            writer.write(answer)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        served.set()

    engine = Engine()
    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        published: Any = {"8080/tcp": [{"HostIp": "0.0.0.0", "HostPort": str(port)}]}
        try:
            return await probes.try_probe(engine, probe, {"NetworkSettings": {"Ports": published}})
        finally:
            engine.close()
            await served.wait()


GET = Probe(http_get=HttpGet(port=8080), timeout_seconds=1)
TCP = Probe(tcp_socket=TcpSocket(port=8080), timeout_seconds=1)


@pytest.mark.parametrize(
    ("probe", "answer", "said"),
    [
        (GET, b"HTTP/1.1 200 OK\r\n\r\n", None),
        (GET, b"HTTP/1.1 302 Found\r\nLocation: http://elsewhere/\r\n\r\n", None),
        (GET, b"HTTP/1.1 503 " + SECRET + b"\r\n\r\n", "answered 503 Service Unavailable"),
        (GET, b"HTTP/1.1 599 " + SECRET + b"\r\n\r\n", "answered 599"),
        (GET, SECRET + b"\r\n\r\n", "no answer by HTTP (ClientResponseError)"),
        (GET, b"HTTP/1.1 200 OK\r\nX-Token: " + SECRET, "no answer by HTTP (ServerDisconnectedError)"),
        (GET, b"", "no answer by HTTP (ServerDisconnectedError)"),
        (GET, None, "no success within 1 s"),
        (TCP, None, None),
        (TCP, b"", "the connection was closed at once"),
    ],
)  # fmt: skip
async def test_a_probe_says_why_in_its_own_words(
    probe: Probe, answer: bytes | None, said: str | None
) -> None:
    what = "GET / on port 8080" if probe is GET else "connection to port 8080"
    assert await told(probe, answer) == (said and f"{what}: {said}")

"""What a probe says of a server that does not do as it should, and that it repeats none of its words."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from landlord.api.workload import HttpGet, Probe, TcpSocket
from landlord.backends.docker import probes
from landlord.backends.docker.engine import Engine
from landlord.backends.docker.observed import reach
from landlord.backends.docker.prober import Prober
from landlord.errors import Stuck

SECRET = b"a-password"
NETWORKS: Any = {"landlord": {"IPAddress": "127.0.0.1", "NetworkID": ""}}


@pytest.fixture(autouse=True)
def loopback_is_the_bridge(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "BRIDGE", "lo")


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
            return await probes.try_probe(
                engine, probe, {"NetworkSettings": {"Ports": published, "Networks": NETWORKS}}
            )
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


@pytest.mark.parametrize(
    "probe_of",
    [lambda port: Probe(http_get=HttpGet(port=port)), lambda port: Probe(tcp_socket=TcpSocket(port=port))],
    ids=["http", "tcp"],
)
async def test_a_stranger_at_the_address_of_a_container_elsewhere_makes_nobody_ready(
    probe_of: Callable[[int], Probe], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async def info(_: Any) -> dict[str, Any]:
        return {"OperatingSystem": "Debian GNU/Linux 12", "Name": "elsewhere"}

    engine = Engine()
    monkeypatch.setattr(engine, "run", info)
    async with await asyncio.start_server(serve, "127.0.0.1", 0) as stranger:
        port = stranger.sockets[0].getsockname()[1]
        asked = probe_of(port)
        networks = {"landlord": {"IPAddress": "127.0.0.1", "NetworkID": "f" * 64}}
        found: Any = {"Id": "c1", "NetworkSettings": {"Ports": {}, "Networks": networks}}
        with pytest.raises(Stuck, match=f"port {port} is not published") as refused:
            await probes.try_probe(engine, asked, found)
        assert "exec probe" in refused.value.fix
        problems = await Prober(engine).find_problems({"c1": (asked, found)})
    assert problems == {"c1": refused.value.message}

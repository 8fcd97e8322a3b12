"""An HTTP proxy that a client asks with CONNECT for a connection to somewhere else."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from dev.net import LOOPBACK, free_ports


class Tunnel:
    """`asked` has the "host:port" of each connection so far."""

    def __init__(self) -> None:
        self.port = free_ports(1)[0]
        self.url = f"http://{LOOPBACK}:{self.port}"
        self.asked: list[str] = []

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator["Tunnel"]:
        """Serve meanwhile."""
        server = await asyncio.start_server(self._connected, LOOPBACK, self.port)
        yield self
        server.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        method, target, _ = (await reader.readuntil(b"\r\n\r\n")).decode().split(" ", 2)
        assert method == "CONNECT"
        self.asked.append(target)
        host, _, port = target.rpartition(":")
        there, back = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        await asyncio.gather(_pump(reader, back), _pump(there, writer))


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()
    sink.close()

"""A relay of bytes in front of a real server, so that its connections can break as a network breaks them."""

import asyncio
import contextlib

from dev.net import LOOPBACK, free_ports


class Relay:
    """Passes on what comes, to and from a port of this machine."""

    def __init__(self, target: int) -> None:
        self.port = free_ports(1)[0]
        self._target = target
        self._server: asyncio.Server | None = None
        self._ends: set[asyncio.StreamWriter] = set()
        self._pumps: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Take connections, again on the same port."""
        self._server = await asyncio.start_server(self._connected, LOOPBACK, self.port)

    async def stop(self) -> None:
        """Break all connections and refuse further ones."""
        if self._server is not None:
            self._server.close()
        self.cut()
        await asyncio.gather(*self._pumps, return_exceptions=True)
        await asyncio.sleep(0)  # in which the event loop closes what was aborted

    def cut(self) -> None:
        """Break all connections; further ones are taken."""
        for end in self._ends:
            end.transport.abort()
        self._ends.clear()

    def freeze(self) -> None:
        """Pass nothing on any more over the present connections, which stay open."""
        for pump in self._pumps:
            pump.cancel()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(*await self._find_target(reader, writer))
        self._ends |= {writer, back}
        if self._server is None or not self._server.is_serving():  # stopped meanwhile
            self.cut()
            return
        for pump in (self._pump(reader, back), self._pump(there, writer)):
            task = asyncio.create_task(pump)
            self._pumps.add(task)
            task.add_done_callback(self._pumps.discard)

    async def _find_target(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> tuple[str, int]:
        """Return host and port to connect to."""
        return LOOPBACK, self._target

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65536):
                sink.write(data)
                await sink.drain()
            sink.close()

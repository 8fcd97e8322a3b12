"""An HTTP proxy that a client asks with CONNECT for a connection to somewhere else."""

import asyncio

from tests.support.relay import Relay

from dev.net import LOOPBACK


class Tunnel(Relay):
    """`asked` has the "host:port" of each connection so far."""

    def __init__(self) -> None:
        super().__init__(target=0)
        self.url = f"http://{LOOPBACK}:{self.port}"
        self.asked: list[str] = []

    async def _find_target(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> tuple[str, int]:
        method, target, _ = (await reader.readuntil(b"\r\n\r\n")).decode().split(" ", 2)
        assert method == "CONNECT"
        self.asked.append(target)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        host, _, port = target.rpartition(":")
        return host, int(port)

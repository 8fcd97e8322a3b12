"""One idle connection that tells of a server's restart in the millisecond in which it happens."""

import asyncio
import contextlib
import socket
import ssl
import time
from collections.abc import Callable
from urllib.parse import urlsplit

CONNECT_SECONDS = 2.0
FIRST_WAIT = 0.1
LONGEST_WAIT = 0.5
"""What a returned server waits at most to be noticed; an attempt costs less than a tenth of a millisecond."""

PROBES = {"TCP_KEEPIDLE": 15, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3}
"""A peer that vanishes is noticed after half a minute."""


class HeldConnection:
    """Calls `ended` when the connection ends, and `returned` when it can be opened again after that."""

    def __init__(
        self, url: str, tls: ssl.SSLContext, ended: Callable[[], None], returned: Callable[[], None]
    ) -> None:
        parts = urlsplit(url)
        self._host = parts.hostname or "localhost"
        # A server that waits for a handshake in vain hangs up.
        self._tls = tls if parts.scheme == "https" else None
        self._port = parts.port or (443 if self._tls else 80)
        self._ended = ended
        self._returned = returned

    async def run(self) -> None:
        """Hold it, and open it again whenever it is not there, until cancelled."""
        wait, missed = FIRST_WAIT, False
        while True:
            held_since = time.monotonic()
            try:
                async with asyncio.timeout(CONNECT_SECONDS):
                    reader, writer = await asyncio.open_connection(self._host, self._port, ssl=self._tls)
            except (OSError, TimeoutError):
                missed = True
            else:
                if missed:
                    self._returned()
                await _until_end(reader, writer)
                missed = True
                self._ended()
                # What closes idle connections at once must not be connected to in a loop.
                if time.monotonic() - held_since > LONGEST_WAIT:
                    wait = FIRST_WAIT
            await asyncio.sleep(wait)
            wait = min(wait * 2, LONGEST_WAIT)


async def _until_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    # A machine that vanishes sends no end; the kernel's probes find out, by default after two hours.
    held = writer.get_extra_info("socket")
    held.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in PROBES.items():
        if hasattr(socket, option):  # macOS has not all of them
            held.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
    try:
        with contextlib.suppress(OSError):
            while await reader.read(1024):
                pass
    finally:
        # Nothing was sent that could be lost, and a hung peer would have TLS wait for its goodbye.
        writer.transport.abort()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

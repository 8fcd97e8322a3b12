"""One idle connection, whose end shows a server's restart within a millisecond."""

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
"""The longest time until a returned server is noticed. An attempt costs less than a tenth of a
millisecond."""

PROBES = {"TCP_KEEPIDLE": 15, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3}
"""A server that vanishes is noticed after half a minute."""


class HeldConnection:
    """Calls `on_end` when the connection ends, and `on_return` when it could be opened again."""

    def __init__(
        self, url: str, tls: ssl.SSLContext, on_end: Callable[[], None], on_return: Callable[[], None]
    ) -> None:
        parts = urlsplit(url)
        self._host = parts.hostname or "localhost"
        # A server closes a connection on which the TLS handshake does not follow.
        self._tls = tls if parts.scheme == "https" else None
        self._port = parts.port or (443 if self._tls else 80)
        self._on_end = on_end
        self._on_return = on_return

    async def run(self) -> None:
        """Hold the connection, and open it again whenever it ends, until cancelled."""
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
                    self._on_return()
                await _wait_until_end(reader, writer)
                missed = True
                self._on_end()
                # Do not reconnect in a tight loop to a server that closes idle connections at once.
                if time.monotonic() - held_since > LONGEST_WAIT:
                    wait = FIRST_WAIT
            await asyncio.sleep(wait)
            wait = min(wait * 2, LONGEST_WAIT)


async def _wait_until_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    # A machine that vanishes sends nothing. The kernel's probes notice it, by default after two hours.
    held = writer.get_extra_info("socket")
    held.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in PROBES.items():
        if hasattr(socket, option):  # macOS lacks some of them
            held.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
    try:
        with contextlib.suppress(OSError):
            while await reader.read(1024):
                pass
    finally:
        # Nothing was sent that could be lost, and TLS would wait for a hung server to close.
        writer.transport.abort()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

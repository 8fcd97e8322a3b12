"""The worker's connections: hypercorn serves each, and all of them end when the worker does.

Why not hypercorn's own `serve` (0.18): at its end, a connection over which HTTP/2 was begun and nothing is
under way holds it up for the whole grace, and from Python 3.12 on for ever (hypercorn's pull request 374).
What is left after the grace is cancelled, which Python 3.11 logs as an error (CPython's gh-113538), and which
amid a request over HTTP/2 ends the program with one.
"""

import asyncio
import logging
import socket

from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.asyncio.tcp_server import TCPServer
from hypercorn.asyncio.worker_context import WorkerContext
from hypercorn.config import Config
from hypercorn.protocol.h2 import H2Protocol
from hypercorn.typing import ASGIFramework, ASGIReceiveCallable, ASGISendCallable, Scope

logger = logging.getLogger(__name__)

CUT_SECONDS = 1.0
"""What a request that is cut off may take to notice that nobody waits for it any more."""


class Connections:
    """Those of one listening socket."""

    def __init__(self, app: ASGIFramework, config: Config) -> None:
        self._app = app
        self._config = config
        self._context = WorkerContext(None)
        self._open: dict[asyncio.Task[None], _Connection] = {}
        self._ending = False

    async def listen(self, listening: socket.socket) -> asyncio.Server:
        """Take connections until the server is closed."""
        # A plain function as the callback: of a coroutine's task, asyncio would log that it was cancelled.
        return await asyncio.start_server(self._take, sock=listening, backlog=self._config.backlog)

    async def end(self, grace_seconds: float) -> None:
        """Close what is idle, let requests under way complete for some seconds, and cut off the others."""
        self._ending = True
        await self._context.terminated.set()
        for connection in self._open.values():
            connection.end()
        if not await self._ended(grace_seconds):
            logger.warning(
                "requests that outlast the grace are cut off", extra={"connections": len(self._open)}
            )
            for connection in self._open.values():
                connection.cut()
            # Only now, and only what did not notice: hypercorn breaks if it is cancelled amid a request.
            if not await self._ended(CUT_SECONDS):
                for task in self._open:
                    task.cancel()
                await self._ended(None)

    async def _ended(self, within: float | None) -> bool:
        if self._open:
            await asyncio.wait(self._open, timeout=within)
        return not self._open

    def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = _Connection(self._app, writer)
        if self._ending:  # it was accepted in the moment of the end
            connection.cut()
            return
        loop = asyncio.get_running_loop()
        serving = _Server(
            ASGIWrapper(connection.serve), loop, self._config, self._context, {}, reader, writer
        )
        task = loop.create_task(serving.run())
        self._open[task] = connection
        task.add_done_callback(self._over)

    def _over(self, task: asyncio.Task[None]) -> None:
        connection = self._open.pop(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("a connection failed", exc_info=error)
            connection.cut()


class _Server(TCPServer):
    """hypercorn's, but when a client hangs up, nothing is left behind that waits for it."""

    async def _idle_timeout(self) -> None:
        """Clients keep connections as long as they like; a wait here would go on when they are gone."""

    async def _read_data(self) -> None:
        await super()._read_data()
        if isinstance(http2 := self.protocol.protocol, H2Protocol):
            for buffer in list(http2.stream_buffers.values()):
                await buffer.close()  # what is to be sent will not be


class _Connection:
    """One connection, and how many requests are under way over it."""

    def __init__(self, app: ASGIFramework, writer: asyncio.StreamWriter) -> None:
        self._app = app
        self._writer = writer
        self._under_way = 0
        self._ending = False

    async def serve(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        self._under_way += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._under_way -= 1
            self._close_if_idle()

    def end(self) -> None:
        """Close it as soon as nothing is under way."""
        self._ending = True
        self._close_if_idle()

    def cut(self) -> None:
        """Close it now; what serves it reads the end of the stream."""
        self._writer.transport.abort()

    def _close_if_idle(self) -> None:
        if self._ending and not self._under_way:
            self._writer.close()

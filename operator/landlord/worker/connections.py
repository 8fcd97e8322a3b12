"""The worker's connections: hypercorn serves each, and all of them end with the worker.

Why not hypercorn's own `serve` (0.18): an idle HTTP/2 connection delays its end for the whole grace period,
and from Python 3.12 on forever (hypercorn's pull request 374). After the grace period it cancels what is
left, which Python 3.11 logs as an error (CPython's gh-113538), and which during an HTTP/2 request ends the
program with an error.
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

ABORT_SECONDS = 1.0
"""How long an aborted request may take to notice that its client is gone."""


class Connections:
    """The connections of one listening socket."""

    def __init__(self, app: ASGIFramework, config: Config) -> None:
        self._app = app
        self._config = config
        self._context = WorkerContext(None)
        self._open: dict[asyncio.Task[None], _Connection] = {}
        self._ending = False

    async def listen(self, listening: socket.socket) -> asyncio.Server:
        """Accept connections until the server is closed."""
        # The callback is a plain function, because asyncio logs the cancellation of a coroutine's task.
        return await asyncio.start_server(self._accept, sock=listening, backlog=self._config.backlog)

    async def end(self, grace_seconds: float) -> None:
        """Close idle connections, wait some seconds for unfinished requests, and abort the others."""
        self._ending = True
        await self._context.terminated.set()
        for connection in self._open.values():
            connection.end()
        if not await self._wait_until_closed(grace_seconds):
            logger.warning(
                "aborting requests that outlast the grace period", extra={"connections": len(self._open)}
            )
            for connection in self._open.values():
                connection.abort()
            # Only now, and only what did not notice: hypercorn fails if it is cancelled during a request.
            if not await self._wait_until_closed(ABORT_SECONDS):
                for task in self._open:
                    task.cancel()
                await self._wait_until_closed(None)

    async def _wait_until_closed(self, within: float | None) -> bool:
        if self._open:
            await asyncio.wait(self._open, timeout=within)
        return not self._open

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = _Connection(self._app, writer)
        if self._ending:  # accepted while the worker was stopping
            connection.abort()
            return
        loop = asyncio.get_running_loop()
        serving = _Server(
            ASGIWrapper(connection.serve), loop, self._config, self._context, {}, reader, writer
        )
        task = loop.create_task(serving.run())
        self._open[task] = connection
        task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[None]) -> None:
        connection = self._open.pop(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("a connection failed", exc_info=error)
            connection.abort()


class _Server(TCPServer):
    """hypercorn's server, except that nothing waits for a client that has disconnected."""

    async def _idle_timeout(self) -> None:
        """Do not wait: clients may keep connections without limit, and a wait would outlast them."""

    async def _read_data(self) -> None:
        await super()._read_data()
        if isinstance(http2 := self.protocol.protocol, H2Protocol):
            for buffer in list(http2.stream_buffers.values()):
                await buffer.close()  # nothing more will be sent


class _Connection:
    """One connection, and the number of its unfinished requests."""

    def __init__(self, app: ASGIFramework, writer: asyncio.StreamWriter) -> None:
        self._app = app
        self._writer = writer
        self._unfinished = 0
        self._ending = False

    async def serve(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        self._unfinished += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._unfinished -= 1
            self._close_if_idle()

    def end(self) -> None:
        """Close the connection as soon as no request is unfinished."""
        self._ending = True
        self._close_if_idle()

    def abort(self) -> None:
        """Close the connection now. Its server then reads the end of the stream."""
        self._writer.transport.abort()

    def _close_if_idle(self) -> None:
        if self._ending and not self._unfinished:
            self._writer.close()

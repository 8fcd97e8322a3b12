"""An API server that fails on demand: a proxy in front of a real one, in a thread of its own."""

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import aiohttp
import yaml
from aiohttp import web
from tests.support.proxy import end_to_end

from dev.apiserver import Credentials
from dev.cluster import ControlPlane
from dev.net import LOOPBACK, free_ports

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]

_ERROR = '{{"type":"ERROR","object":{{"kind":"Status","message":"injected","code":{code}}}}}\n'


def is_watch(request: web.Request) -> bool:
    """Whether the request opens a watch."""
    return request.query.get("watch") == "true"


class FaultyApi:
    """Passes everything on, until a fault is set. `hits` counts the requests that met the fault."""

    def __init__(self, control_plane: ControlPlane) -> None:
        self._credentials = Credentials.load(control_plane.kubeconfig)
        self.port = free_ports(1)[0]
        self.server = f"http://{LOOPBACK}:{self.port}"
        self.hits = 0
        self._fault: Answer | None = None
        self._connections: set[asyncio.Transport] = set()
        self._handlers: set[asyncio.Task[None]] = set()
        self._deaf = False

    @contextlib.contextmanager
    def serving(self) -> Iterator["FaultyApi"]:
        """Serve meanwhile."""
        ready = threading.Event()
        thread = threading.Thread(target=asyncio.run, args=(self._serve(ready),))
        thread.start()
        ready.wait(10)
        try:
            yield self
        finally:
            self._loop.call_soon_threadsafe(self._end.set)
            thread.join(10)

    def write_kubeconfig(self, path: Path) -> Path:
        """Write a kubeconfig that leads here, without credentials: the proxy has them."""
        named = {"name": "faulty"}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [named | {"cluster": {"server": self.server}}],
            "users": [named | {"user": {}}],
            "contexts": [named | {"context": {"cluster": "faulty", "user": "faulty"}}],
            "current-context": "faulty",
        }
        path.write_text(yaml.safe_dump(config))
        return path

    def cut(self) -> None:
        """Break all connections."""
        self._loop.call_soon_threadsafe(self._cut)

    def deafen(self) -> None:
        """Pass nothing on over open and new watches, which stay open."""
        self._deaf = True

    def heal(self) -> None:
        """Pass everything on again."""
        self._fault, self._deaf = None, False

    def answer(self, status: int, *, watches: bool = True, others: bool = False) -> None:
        """Answer with an HTTP status."""

        async def refuse(_: web.Request) -> web.StreamResponse:
            body = {"kind": "Status", "status": "Failure", "message": f"injected {status}", "code": status}
            return web.json_response(body, status=status)

        self._set(refuse, watches=watches, others=others)

    def say(self, text: str, content_type: str = "application/json", *, others: bool = False) -> None:
        """Answer 200 with this text and nothing else."""

        async def talk(_: web.Request) -> web.StreamResponse:
            return web.Response(text=text, content_type=content_type)

        self._set(talk, watches=True, others=others)

    def send_error_event(self, code: int) -> None:
        """End each watch with an ERROR event."""
        self.say(_ERROR.format(code=code))

    def freeze(self) -> None:
        """Answer nothing, over connections that stay open."""

        async def hold(_: web.Request) -> web.StreamResponse:
            await asyncio.Event().wait()
            raise AssertionError

        self.deafen()
        self._set(hold, watches=True, others=True)

    def _set(self, fault: Answer, *, watches: bool, others: bool) -> None:
        async def answer(request: web.Request) -> web.StreamResponse:
            if not (watches if is_watch(request) else others):
                return await self._pass_on(request)
            self.hits += 1
            return await fault(request)

        self.hits, self._fault = 0, answer

    async def _serve(self, ready: threading.Event) -> None:
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        tls = self._credentials.ssl_context()
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=tls, limit=0)) as self._session:
            app = web.Application(client_max_size=2**30)
            app.router.add_route("*", "/{path:.*}", self._handle)
            runner = web.AppRunner(app, shutdown_timeout=0.1)
            await runner.setup()
            await web.TCPSite(runner, LOOPBACK, self.port).start()
            ready.set()
            await self._end.wait()
            # Requests of clients that have gone continue, and the runner does not end them. Connections are
            # aborted first, because a request that is cancelled on one would wait for the server's farewell.
            closing = asyncio.create_task(self._session.close())
            for handler in self._handlers:
                handler.cancel()
            await asyncio.gather(closing, *self._handlers, return_exceptions=True)
            await runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        connection, handler = request.transport, request.task
        self._connections.add(connection)
        self._handlers.add(handler)
        try:
            return await (self._fault or self._pass_on)(request)
        finally:
            self._connections.discard(connection)
            self._handlers.discard(handler)

    def _cut(self) -> None:
        for connection in self._connections:
            connection.abort()

    async def _pass_on(self, request: web.Request) -> web.StreamResponse:
        sent = end_to_end(request.headers)
        url = f"{self._credentials.server}{request.raw_path}"
        timeout = aiohttp.ClientTimeout(total=None)
        async with self._session.request(
            request.method, url, headers=sent, data=await request.read() or None, timeout=timeout
        ) as answer:
            said = end_to_end(answer.headers)
            passed = web.StreamResponse(status=answer.status, headers=said)
            with contextlib.suppress(ConnectionError):  # the client has gone
                await passed.prepare(request)
                async for piece in answer.content.iter_any():
                    if not (self._deaf and is_watch(request)):
                        await passed.write(piece)
            return passed

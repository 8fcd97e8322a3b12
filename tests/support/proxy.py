"""A proxy in front of a real server, so that single answers of it can be had late, wrong or not at all."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Mapping

import aiohttp
from aiohttp import web

from dev.net import LOOPBACK, free_ports

Behaviour = Callable[[web.Request], Awaitable[web.StreamResponse]]

_HOP_BY_HOP = frozenset({"connection", "host", "transfer-encoding", "content-length"})


def end_to_end(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers that a proxy passes on."""
    return {name: value for name, value in headers.items() if name.lower() not in _HOP_BY_HOP}


class Proxy:
    """Does what `does` says with each request: passes it on to `target`, until told otherwise."""

    def __init__(self, target: str, tls: ssl.SSLContext | None = None) -> None:
        self.port = free_ports(1)[0]
        self.url = f"{'https' if tls else 'http'}://{LOOPBACK}:{self.port}"
        self.does: Behaviour = self.passes_on
        self.seen: list[str] = []
        """Methods and paths of all requests so far."""
        self._target = target
        self._tls = tls
        self._runner: web.AppRunner | None = None
        self._upstream: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Listen, again on the same port."""
        self._upstream = aiohttp.ClientSession(auto_decompress=False)
        app = web.Application(client_max_size=2**30)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, LOOPBACK, self.port, ssl_context=self._tls).start()

    async def stop(self) -> None:
        """Be away: connections break, and further ones are refused."""
        if self._runner is not None:
            await self._runner.cleanup()
        if self._upstream is not None:
            await self._upstream.close()

    async def passes_on(self, request: web.Request) -> web.StreamResponse:
        """The real server's answer; 502, as a gateway says it, if that can't be had."""
        assert self._upstream is not None
        sent = end_to_end(request.headers)
        url = f"{self._target}{request.raw_path}"
        try:
            async with self._upstream.request(
                request.method, url, headers=sent, data=await request.read(), allow_redirects=False
            ) as answer:
                said = end_to_end(answer.headers)
                return web.Response(status=answer.status, headers=said, body=await answer.read())
        except aiohttp.ClientError:
            return web.Response(status=502, text="bad gateway")

    def late(self, seconds: float) -> Behaviour:
        """The real server's answer, so many seconds later."""

        async def answer(request: web.Request) -> web.StreamResponse:
            await asyncio.sleep(seconds)
            return await self.passes_on(request)

        return answer

    def to(self, method: str, behaviour: Behaviour) -> Behaviour:
        """That behaviour to requests of one method; others are passed on."""

        async def answer(request: web.Request) -> web.StreamResponse:
            return await (behaviour if request.method == method else self.passes_on)(request)

        return answer

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        self.seen.append(f"{request.method} {request.path}")
        return await self.does(request)


def answers(status: int, text: str = "") -> Behaviour:
    """Always the same answer."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=status, text=text)

    return answer

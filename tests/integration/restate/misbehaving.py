"""Workers that say that they are well, and then do not do for Restate what a worker does."""

import asyncio
import json
from collections.abc import Callable

import restate
from aiohttp import web
from hypercorn.asyncio import serve as serve_asgi
from hypercorn.config import Config
from hypercorn.typing import ASGIFramework, ASGIReceiveCallable, ASGISendCallable, Scope

from landlord.api.names import WORKFLOW_SERVICE

MANIFEST = b"application/vnd.restate.endpointmanifest.v3+json"


def plain_service(name: str) -> ASGIFramework:
    """A service, which is not an object, of that name."""
    service = restate.Service(name)

    @service.handler()
    async def apply(ctx: restate.Context, request: str) -> str:
        return request

    app: ASGIFramework = restate.app([service])
    return app


def answering(status: int, content_type: bytes, body: bytes) -> ASGIFramework:
    """The same answer to everything."""

    async def app(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        headers = [(b"content-type", content_type)]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": False})

    return app


async def hanging(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    """Takes requests and never answers."""
    await asyncio.Event().wait()


KINDS: dict[str, Callable[[], ASGIFramework]] = {
    "plain-service": lambda: plain_service(WORKFLOW_SERVICE),
    "other-service": lambda: plain_service("SomethingElse"),
    "no-service": lambda: answering(200, MANIFEST, b'{"protocolMode":"BIDI_STREAM","services":[]}'),
    "not-found": lambda: answering(404, b"text/plain", b"no such page"),
    "failing": lambda: answering(503, b"text/plain", b"no upstream"),
    "web-page": lambda: answering(200, b"text/html", b"<html>hello</html>"),
    "garbage": lambda: answering(200, MANIFEST, b"\x00\xff no manifest"),
    "hanging": lambda: hanging,
}


def health(kind: str) -> bytes:
    """What it says of itself."""
    return json.dumps({"status": "ok", "revision": kind, "backends": ["scripted"]}).encode()


async def serve(bind: str, kind: str) -> None:
    """Serve one of KINDS, or "http1", which does not speak HTTP/2."""
    if kind == "http1":
        await _serve_http1(bind, health(kind))
    else:
        await serve_two(bind, answering(200, b"application/json", health(kind)), KINDS[kind]())


async def serve_two(bind: str, healthz: ASGIFramework, workflow: ASGIFramework) -> None:
    """Serve one worker's /healthz, and what another one does for Restate."""

    async def app(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        if scope["type"] == "http":
            await (healthz if scope["path"] == "/healthz" else workflow)(scope, receive, send)

    config = Config()
    config.bind = [bind]
    await serve_asgi(app, config)


async def _serve_http1(bind: str, said: bytes) -> None:
    async def healthz(_: web.Request) -> web.Response:
        return web.Response(body=said, content_type="application/json")

    app = web.Application()
    app.router.add_get("/healthz", healthz)
    runner = web.AppRunner(app)
    await runner.setup()
    host, _, port = bind.rpartition(":")
    await web.TCPSite(runner, host, int(port)).start()
    await asyncio.Event().wait()

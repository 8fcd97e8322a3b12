"""A Restate that is guarded as in production: by proxies that end TLS and let in who brings a secret."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import trustme
from aiohttp import web
from tests.support.proxy import Behaviour, Proxy

from dev.net import LOOPBACK
from dev.restate import RestateServer

FIRST, SECOND = "Bearer f1rst-s3cr3t", "Bearer s3cond-s3cr3t"


class Guarded:
    """The proxies before the admin API and the ingress of one Restate. `accepts` is the secret to bring."""

    def __init__(self, restate: RestateServer, folder: Path) -> None:
        self.accepts = FIRST
        self.ca_file = folder / "ca.pem"
        self.header_file = folder / "header"
        authority = trustme.CA()
        authority.cert_pem.write_to_path(self.ca_file)
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(LOOPBACK).configure_cert(self.tls)
        self.admin, self.ingress = Proxy(restate.admin_url, self.tls), Proxy(restate.ingress_url, self.tls)
        self.admin_url, self.ingress_url = self.admin.url, self.ingress.url
        self.bring(FIRST)

    def bring(self, secret: str) -> None:
        """Have landlord bring that one."""
        self.header_file.write_text(f"Authorization: {secret}\n")

    async def start(self) -> None:
        for proxy in (self.admin, self.ingress):
            proxy.does = self._guarding(proxy)
            await proxy.start()

    async def stop(self) -> None:
        for proxy in (self.admin, self.ingress):
            await proxy.stop()

    def _guarding(self, proxy: Proxy) -> Behaviour:
        async def answer(request: web.Request) -> web.StreamResponse:
            brought = request.headers.get("Authorization")
            if brought != self.accepts:
                return web.Response(status=401, text=f"I do not know {brought}")
            # Restate would keep it in its journal and hand it to the worker.
            kept = {name: value for name, value in request.headers.items() if name != "Authorization"}
            return await proxy.passes_on(request.clone(headers=kept))

        return answer


@asynccontextmanager
async def guarded(restate: RestateServer, folder: Path) -> AsyncIterator[Guarded]:
    """Have proxies before the server."""
    guard = Guarded(restate, folder)
    await guard.start()
    yield guard
    await guard.stop()

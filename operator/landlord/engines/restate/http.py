"""The only HTTP client: httpx on aiohttp, which takes a tenth of the CPU of httpx's own pool."""

import asyncio
import errno
import ssl
from dataclasses import dataclass
from typing import TypeVar

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport
from pydantic import BaseModel, ValidationError

from landlord.engines.restate.access import CA_FILE, Access
from landlord.engines.restate.refusals import DENIED
from landlord.engines.restate.seen import TimedOut
from landlord.errors import EngineUnreachable

CONNECT_SECONDS = 5.0
READ_SECONDS = 5.0
"""The longest time without any data."""
REST_SECONDS = 3.0
"""How long a whole request may take in addition to connecting and reading, if the server trickles its
answer."""
DNS_SECONDS = 1
"""How long an address is cached: a replaced pod behind a headless Service has another one."""
MAX_CONNECTIONS = 1000
"""More than are ever in use: waiting for a connection would look like a slow engine."""

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True)
class Answer:
    """A complete response of any status. Its body does not contain the secret that was sent."""

    status: int
    headers: httpx.Headers
    body: bytes

    def parse(self, model: type[M]) -> M | None:
        """Parse the body as `model`; None if it is not one."""
        try:
            return model.model_validate_json(self.body)
        except ValidationError:
            return None

    @property
    def text(self) -> str:
        """The first line of the body, for a person."""
        lines = self.body.decode(errors="replace").strip().splitlines()
        return lines[0][:300] if lines else "(no body)"


class HttpClient:
    """Requests to one server. `name` is its name in messages, such as "Restate's admin API"."""

    def __init__(
        self,
        name: str,
        url: str,
        transport: httpx.AsyncBaseTransport | None = None,
        *,
        access: Access | None = None,
    ) -> None:
        self.name = name
        self.url = url.rstrip("/")
        self.access = access or Access()
        if transport is None:
            transport = AiohttpTransport(verify=self.access.tls, client=self._open_session)
        self._client = httpx.AsyncClient(transport=transport)

    async def request(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        read_seconds: float | None = READ_SECONDS,
    ) -> Answer:
        """Send a request and read the whole answer, whatever its status. `path` must be quoted.

        Raises EngineUnreachable, or its subclass TimedOut after `read_seconds` without any data; with None,
        it waits indefinitely.
        """
        sent = {"accept": "application/json"} | (headers or {})
        if body is not None:
            sent["content-type"] = "application/json"
        secret = await self.access.auth.current_header() if self.access.auth else None
        if secret is not None:
            sent[secret.name] = secret.value
        # The pool timeout also bounds the DNS lookup; there are always free connections.
        timeout = httpx.Timeout(None, connect=CONNECT_SECONDS, pool=CONNECT_SECONDS, read=read_seconds)
        longest = None if read_seconds is None else CONNECT_SECONDS + read_seconds + REST_SECONDS
        try:
            async with asyncio.timeout(longest):
                response = await self._client.request(
                    method, self.url + path, content=body, headers=sent, timeout=timeout
                )
        except (httpx.ReadTimeout, TimeoutError) as error:
            raise TimedOut(f"{self.name} at {self.url} did not answer within {read_seconds:g} s") from error
        except (httpx.HTTPError, aiohttp.ClientError, OSError) as error:
            raise EngineUnreachable(
                f"{self.name} at {self.url} can't be reached: {_describe(error)}"
            ) from error
        body = secret.redact(response.content) if secret else response.content
        return Answer(response.status_code, response.headers, body)

    def error_for(self, answer: Answer) -> EngineUnreachable:
        """Return the error for an answer that says nothing about the request."""
        advice = f"\nFix: {DENIED.advice}." if answer.status in (401, 403) else ""
        return EngineUnreachable(f"{self.name} at {self.url} answered {answer.status}: {answer.text}{advice}")

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    def _open_session(self) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            ssl=self.access.tls, limit=MAX_CONNECTIONS, keepalive_timeout=30.0, ttl_dns_cache=DNS_SECONDS
        )
        return aiohttp.ClientSession(connector=connector)


def _describe(error: Exception) -> str:
    """Return one of a few phrases: an outage causes several errors in turn, and each new text a status
    write."""
    low = error.__cause__ or error
    if isinstance(low, aiohttp.ClientConnectorDNSError):
        return "its name does not resolve"
    if isinstance(low, aiohttp.ClientConnectorCertificateError):
        cause = low.certificate_error
        why = cause.verify_message if isinstance(cause, ssl.SSLCertVerificationError) else str(cause)
        rejected = f"its certificate is rejected: {why.rstrip('.')}"
        return f"{rejected}; {CA_FILE} must contain the authority that issued it"
    if isinstance(low, aiohttp.ClientConnectorSSLError):
        return "TLS failed; check that the server speaks TLS"
    if isinstance(low, aiohttp.ClientConnectorError) and low.os_error.errno != errno.ECONNREFUSED:
        return low.os_error.strerror or "no connection"
    if isinstance(low, aiohttp.ServerTimeoutError):
        return f"no connection within {CONNECT_SECONDS:g} s"
    # A server that stops first breaks connections and then refuses them. Both have the same text.
    return "connection refused or broken"

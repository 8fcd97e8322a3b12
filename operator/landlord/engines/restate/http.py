"""The only module that speaks HTTP: httpx on aiohttp, which takes a tenth of the CPU of httpx's own pool."""

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
"""The longest silence."""
REST_SECONDS = 3.0
"""What a whole request may take beyond connecting and one silence: a server may also trickle its answer."""
DNS_SECONDS = 1
"""How long an address is remembered: a pod that is replaced behind a headless Service has another one."""
MAX_CONNECTIONS = 1000
"""More than all that is ever in flight: waiting for a connection would look like a slow engine."""

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True)
class Answer:
    """A response of whatever status, read to its end. A secret that was sent is not in its body."""

    status: int
    headers: httpx.Headers
    body: bytes

    def parsed(self, model: type[M]) -> M | None:
        """The body as `model`; None if it is not one."""
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
    """Requests to one server. `name` is what messages call it, such as "Restate's admin API"."""

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
            transport = AiohttpTransport(verify=self.access.tls, client=self._session)
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
        """Send and read the whole answer, whatever its status. `path` is sent as it is, so quote it.

        Raises EngineUnreachable, or its subclass TimedOut once `read_seconds` have passed in silence; None
        waits for ever.
        """
        sent = {"accept": "application/json"} | (headers or {})
        if body is not None:
            sent["content-type"] = "application/json"
        secret = await self.access.auth.header() if self.access.auth else None
        if secret is not None:
            sent[secret.name] = secret.value
        # What is called pool here bounds the look-up of the name too; there are always free connections.
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
            raise EngineUnreachable(f"{self.name} at {self.url} can't be reached: {_cause(error)}") from error
        body = secret.hidden_in(response.content) if secret else response.content
        return Answer(response.status_code, response.headers, body)

    def unexpected(self, answer: Answer) -> EngineUnreachable:
        """The error for an answer that says nothing about what was asked."""
        advice = f"; {DENIED.advice}" if answer.status in (401, 403) else ""
        return EngineUnreachable(f"{self.name} at {self.url} answered {answer.status}: {answer.text}{advice}")

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    def _session(self) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            ssl=self.access.tls, limit=MAX_CONNECTIONS, keepalive_timeout=30.0, ttl_dns_cache=DNS_SECONDS
        )
        return aiohttp.ClientSession(connector=connector)


def _cause(error: Exception) -> str:
    """One of a few phrases: an outage shows several errors in turn, and each new text is a status write."""
    low = error.__cause__ or error
    if isinstance(low, aiohttp.ClientConnectorDNSError):
        return "its name can't be resolved"
    if isinstance(low, aiohttp.ClientConnectorCertificateError):
        refused = low.certificate_error
        why = refused.verify_message if isinstance(refused, ssl.SSLCertVerificationError) else str(refused)
        return f"its certificate is refused: {why.rstrip('.')}; {CA_FILE} should name who issued it"
    if isinstance(low, aiohttp.ClientConnectorSSLError):
        return "TLS failed, does it speak TLS at all?"
    if isinstance(low, aiohttp.ClientConnectorError) and low.os_error.errno != errno.ECONNREFUSED:
        return low.os_error.strerror or "no connection"
    if isinstance(low, aiohttp.ServerTimeoutError):
        return f"no connection within {CONNECT_SECONDS:g} s"
    # A server that goes down first breaks connections and then refuses them: one text for both.
    return "connection refused or broken"

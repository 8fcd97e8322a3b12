"""The connections of kopf's requests, made from the same configuration as all others, and listened to.

kopf would ignore the proxy and the server name of a kubeconfig, and keeps bookmarks to itself.
"""

from collections.abc import AsyncIterator, Callable
from typing import Any, cast

import aiohttp
from kubernetes.aio.client.configuration import Configuration
from kubernetes.aio.client.rest import RESTClientObject

from landlord.controller.watch.last_seen import LastSeen
from landlord.errors import LandlordError
from landlord.kubernetes_config import DOUBTFUL, TOKEN, CurrentConfiguration

ERROR = b'{"type":"ERROR"'


class ConfigurationChanged(LandlordError):
    """The API server is to be reached in another way from now on."""


def build_session(
    configuration: Configuration, current: CurrentConfiguration, seen: LastSeen
) -> aiohttp.ClientSession:
    """Build a session of which `seen` notes whatever the API server sends about Tenants.

    A request raises ConfigurationChanged if it fails and `current` has another configuration by now.
    """

    async def converse(
        request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        if header := await configuration.get_api_key_with_prefix(TOKEN):
            request.headers["Authorization"] = header
        if configuration.tls_server_name:
            request.server_hostname = configuration.tls_server_name
        try:
            response = await send(request)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            seen.note_problem(f"{configuration.host} does not answer: {error!r}")
            await _require_same(configuration, current)
            raise
        if response.status == 200:
            listen(response)
            return response
        seen.note_problem(f"the API server answered {response.status} {response.reason}")
        if response.status == 401:
            await current.refresh(configuration)  # for kopf's next login, which follows
        elif response.status in DOUBTFUL:
            await _require_same(configuration, current)
        return response

    def listen(response: aiohttp.ClientResponse) -> None:
        path, watch = response.url.path, response.url.query.get("watch") == "true"

        seen.note_answer(path, watch=watch)
        if watch:
            overheard = _Overheard(response.content, lambda: seen.note_event(path))
            response.content = cast(aiohttp.StreamReader, overheard)

    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, ssl=RESTClientObject(configuration).ssl_context),
        proxy=configuration.proxy,
        middlewares=(converse,),
    )


async def _require_same(configuration: Configuration, current: CurrentConfiguration) -> None:
    renewed = await current.refresh(configuration)
    if renewed is not configuration:
        raise ConfigurationChanged(f"the API server is now reached at {renewed.host}, or with another CA")


class _Overheard:
    """The stream of a watch, which calls `note` for each piece with events that kopf reads of it."""

    def __init__(self, content: aiohttp.StreamReader, note: Callable[[], None]) -> None:
        self._content = content
        self._note = note

    async def iter_chunked(self, size: int) -> AsyncIterator[bytes]:
        """Yield the pieces as they come."""
        async for piece in self._content.iter_chunked(size):
            if not piece.startswith(ERROR):
                self._note()
            yield piece

    def __getattr__(self, name: str) -> Any:
        return getattr(self._content, name)

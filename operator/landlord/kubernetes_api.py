"""Client of the API server for operator and backend: single requests, each with a timeout.

`kubernetes.aio` provides TLS and tokens. Its request layer is used without the generated models, which would
cost 100 MB of memory for a few resources.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import aiohttp
from kubernetes.aio.client.api_client import ApiClient
from kubernetes.aio.client.configuration import Configuration
from kubernetes.aio.client.rest import RESTResponse

from landlord.api.schema import JsonObject
from landlord.errors import LandlordError
from landlord.kubernetes_config import DOUBTFUL, CurrentConfiguration, Load, load_configuration

TIMEOUT_SECONDS = 10.0
RETIRE_SECONDS = 30.0
"""How long a client with an outdated configuration is kept for the requests that it has in flight."""
PAGE = 500
"""Number of objects in one page of a list."""

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
APPLY = "application/apply-patch+yaml"
METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"


class KubeError(LandlordError):
    """The API server rejected a request or did not answer. `status` is the HTTP status, 0 without an
    answer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class ApiServer:
    """Requests to the API server, each with a timeout. Raises KubeError, and SettingsError as `load` does.

    The constructor does no I/O. A request that the API server refuses or does not answer makes it read its
    configuration again.
    """

    def __init__(self, load: Load = load_configuration) -> None:
        self._current = CurrentConfiguration(load)
        self._clients: dict[Configuration, ApiClient] = {}
        self._retiring: set[asyncio.Task[None]] = set()

    async def connect(self) -> None:
        """Read the configuration, which the first request does otherwise."""
        await self._current.get()

    async def close(self) -> None:
        """Close all connections."""
        for task in self._retiring:
            task.cancel()
        for client in self._clients.values():
            await client.close()
        self._clients.clear()

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        content_type: str = JSON,
        accept: str = JSON,
        query: dict[str, str] | None = None,
    ) -> JsonObject:
        """Make one request and return the decoded answer."""
        response = await self._send(
            method, path, body, content_type=content_type, accept=accept, query=query or {}
        )
        content = await read(response)
        require_success(response, content)
        answer: JsonObject = json.loads(content)
        return answer

    async def each(
        self, path: str, *, accept: str = JSON, query: dict[str, str] | None = None
    ) -> AsyncIterator[JsonObject]:
        """Yield every object of a list, with no more than a page of them in memory."""
        asked = {**(query or {}), "limit": str(PAGE)}
        while True:
            page = await self.call("GET", path, accept=accept, query=asked)
            for found in page["items"] or ():  # an empty list is null
                yield found
            token = page["metadata"].get("continue")
            if not token:
                return
            asked["continue"] = token

    async def _send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        content_type: str = JSON,
        accept: str,
        query: dict[str, str],
        timeout: float | aiohttp.ClientTimeout = TIMEOUT_SECONDS,  # noqa: ASYNC109 - of each read, for aiohttp
    ) -> RESTResponse:
        """Send a request, and once more with other credentials if these are outdated."""

        async def send(configuration: Configuration) -> RESTResponse:
            client = self._get_client(configuration)
            request = await client.param_serialize(
                method,
                path,
                query_params=list(query.items()),
                header_params={"Accept": accept, "Content-Type": content_type},
                auth_settings=["BearerToken"],
            )
            verb, url, headers = request[:3]
            return await client.call_api(verb, url, headers, body, _request_timeout=timeout)

        configuration = await self._current.get()
        try:
            with answering(configuration.host):
                response = await send(configuration)
        except KubeError:
            await self._current.refresh(configuration)
            raise
        if response.status in DOUBTFUL:
            renewed = await self._current.refresh(configuration)
            # Only of a 401 it is certain that nothing was done.
            if renewed is not configuration and response.status == 401:
                response.response.release()
                with answering(renewed.host):
                    return await send(renewed)
        return response

    def _get_client(self, configuration: Configuration) -> ApiClient:
        if configuration not in self._clients:
            for outdated in self._clients:
                task = asyncio.create_task(self._retire(outdated))
                self._retiring.add(task)
                task.add_done_callback(self._retiring.discard)
            self._clients[configuration] = ApiClient(configuration)
        return self._clients[configuration]

    async def _retire(self, configuration: Configuration) -> None:
        await asyncio.sleep(RETIRE_SECONDS)
        client = self._clients.pop(configuration, None)
        if client:
            await client.close()


@contextmanager
def answering(server: str) -> Iterator[None]:
    """Turn what prevents an answer into a KubeError without a status."""
    try:
        yield
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise KubeError(0, f"{server} does not answer: {error!r}") from error


async def read(response: RESTResponse) -> bytes:
    """Read the body of an answer. Raises KubeError if it breaks off."""
    with answering(str(response.response.url.origin())):
        content: bytes = await response.read()
    return content


def require_success(response: RESTResponse, content: bytes) -> None:
    """Raise KubeError with the API server's own message if it rejected the request."""
    # Only the layer of generated models, which is not used here, raises for a rejection.
    if not 200 <= response.status < 300:
        raise KubeError(response.status, _reason(content) or f"{response.status} {response.reason}")


def _reason(content: bytes) -> str | None:
    """Return the message of the Status object with which the API server rejects a request."""
    try:
        return str(json.loads(content)["message"])
    except (TypeError, ValueError, KeyError):
        return None

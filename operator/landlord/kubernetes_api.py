"""Client of the API server for operator and backend: configuration and single requests, each with a timeout.

`kubernetes.aio` provides configuration, TLS, and tokens with their refresh. Its request layer is used without
the generated models, which would cost 100 MB of memory for a few resources.
"""

import json
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
import yaml
from kubernetes.aio import config as kubernetes_config
from kubernetes.aio.client.api_client import ApiClient
from kubernetes.aio.client.configuration import Configuration
from kubernetes.aio.client.rest import RESTResponse

from landlord.api.schema import JsonObject
from landlord.errors import LandlordError, SettingsError

TIMEOUT_SECONDS = 10.0
PAGE = 500
"""Number of objects in one page of a list."""

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
APPLY = "application/apply-patch+yaml"
METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"


class KubeError(LandlordError):
    """The API server rejected a request or did not answer. `status` is the HTTP status, 0 without an
    answer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


async def load_configuration() -> Configuration:
    """Load the pod's service account in a cluster, otherwise the file in $KUBECONFIG or ~/.kube/config.

    Raises SettingsError if it can't be read.
    """
    configuration = Configuration()
    path = os.environ.get("KUBECONFIG")
    if "KUBERNETES_SERVICE_HOST" in os.environ and not path:
        try:
            kubernetes_config.load_incluster_config(client_configuration=configuration)
        except (kubernetes_config.ConfigException, OSError) as error:
            raise _unreadable("the pod's service account", error) from error
    else:
        where = path or str(Path.home() / ".kube" / "config")
        if not _has_file(where):
            raise _unreadable(where, "no such file")
        try:
            await kubernetes_config.load_kube_config(config_file=where, client_configuration=configuration)
        except yaml.YAMLError as error:
            raise _unreadable(where, "it is not YAML") from error
        except (TypeError, AttributeError) as error:  # what the loader raises for any other YAML
            raise _unreadable(where, "it is not a kubeconfig") from error
        except (kubernetes_config.ConfigException, OSError, ValueError) as error:
            raise _unreadable(where, error) from error
    configuration.connection_pool_maxsize = 256
    # aiohttp would look up a netrc entry and a proxy in a thread for each request, which costs more than the
    # request itself. A netrc entry for all hosts would also conflict with the bearer token.
    configuration.client_session_kwargs = {"trust_env": False}
    host = urlsplit(configuration.host).hostname or ""
    if configuration.proxy is None and not proxy_bypass(host):
        configuration.proxy = getproxies().get("https")
    return configuration


def _has_file(kubeconfig: str) -> bool:
    """Return whether any file in KUBECONFIG exists; the loader skips those that do not."""
    return any(Path(file).is_file() for file in kubeconfig.split(os.pathsep))


def _unreadable(where: str, why: object) -> SettingsError:
    return SettingsError(
        f"KUBECONFIG: can't read a cluster configuration from {where}: {why}\n"
        "Fix: set KUBECONFIG to a file that `kubectl --kubeconfig FILE get namespaces` accepts."
    )


class ApiServer:
    """Requests to the API server, each with a timeout. Raises KubeError."""

    def __init__(self, configuration: Configuration) -> None:
        self._client = ApiClient(configuration)

    async def close(self) -> None:
        """Close all connections."""
        await self._client.close()

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
        with self._answering():
            response = await self._send(
                method, path, body, content_type=content_type, accept=accept, query=query or {}
            )
            content: bytes = await response.read()
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

    @contextmanager
    def _answering(self) -> Iterator[None]:
        try:
            yield
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise KubeError(0, f"{self._client.configuration.host} does not answer: {error!r}") from error

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
        request = await self._client.param_serialize(
            method,
            path,
            query_params=list(query.items()),
            header_params={"Accept": accept, "Content-Type": content_type},
            auth_settings=["BearerToken"],
        )
        verb, url, headers = request[:3]
        return await self._client.call_api(verb, url, headers, body, _request_timeout=timeout)


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

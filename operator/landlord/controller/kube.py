"""The API server as the operator uses it: a few calls on Tenants and one Lease, every write counted.

`kubernetes.aio` brings configuration, TLS, tokens and their refresh; its request layer is used without the
generated models, which would cost 100 MB of memory for two resources.
"""

import asyncio
import json
import logging
import os
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
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

from landlord import metrics
from landlord.api import names
from landlord.api.schema import JsonObject
from landlord.api.tenant import Key
from landlord.errors import LandlordError, SettingsError

log = logging.getLogger(__name__)

TIMEOUT_SECONDS = 10.0
PAGE = 500

WATCH_SECONDS = (240, 360)
"""How long the API server is asked to keep a watch open; at random, so that not all end at once."""
WATCH_SILENCE_SECONDS = 90.0
"""A watch that says nothing for so long may be half-open: bookmarks come once a minute."""

JSON = "application/json"
JSON_PATCH = "application/json-patch+json"
APPLY = "application/apply-patch+yaml"
METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"


class KubeError(LandlordError):
    """The API server refused or could not be asked. `status` is the HTTP status, 0 without an answer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


async def load_configuration() -> Configuration:
    """The pod's service account in a cluster, else the file that $KUBECONFIG names or ~/.kube/config.

    Raises SettingsError when neither can be read.
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
        if not _is_there(where):
            raise _unreadable(where, "there is no such file")
        try:
            await kubernetes_config.load_kube_config(config_file=where, client_configuration=configuration)
        except yaml.YAMLError as error:
            raise _unreadable(where, "it is not YAML") from error
        except (TypeError, AttributeError) as error:  # how the loader stumbles over any other YAML
            raise _unreadable(where, "it is not a kubeconfig") from error
        except (kubernetes_config.ConfigException, OSError, ValueError) as error:
            raise _unreadable(where, error) from error
    configuration.connection_pool_maxsize = 256
    # aiohttp would look for a netrc entry and a proxy in a thread at each request, which costs more than the
    # request itself; and a netrc entry for all hosts would collide with the bearer token.
    configuration.client_session_kwargs = {"trust_env": False}
    host = urlsplit(configuration.host).hostname or ""
    if configuration.proxy is None and not proxy_bypass(host):
        configuration.proxy = getproxies().get("https")
    return configuration


def _is_there(kubeconfig: str) -> bool:
    """Whether one of the files is there that a KUBECONFIG names; the loader leaves out those that are not."""
    return any(Path(file).is_file() for file in kubeconfig.split(os.pathsep))


def _unreadable(where: str, why: object) -> SettingsError:
    return SettingsError(
        f"KUBECONFIG: can't read a cluster configuration from {where}: {why}; set KUBECONFIG to a file "
        "that `kubectl --kubeconfig FILE get namespaces` accepts"
    )


class KubeClient:
    """Calls on the API server; every one bounded in time. Raises KubeError."""

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
        """One request; returns the decoded answer."""
        with self._answering():
            response = await self._send(
                method, path, body, content_type=content_type, accept=accept, query=query or {}
            )
            content: bytes = await response.read()
        _require_success(response, content)
        answer: JsonObject = json.loads(content)
        return answer

    @asynccontextmanager
    async def watch(self, path: str, selector: str) -> AsyncIterator[AsyncIterator[JsonObject]]:
        """Watch what has these labels: events with metadata only, among them BOOKMARKs.

        Without a resourceVersion, as here, the API server begins with an ADDED event for each object that
        is there. The events end when the server, the network or a silence ends the watch: open another then.
        """
        query = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "labelSelector": selector,
            "timeoutSeconds": str(random.randint(*WATCH_SECONDS)),  # noqa: S311 - jitter
        }
        timeout = aiohttp.ClientTimeout(total=None, sock_read=WATCH_SILENCE_SECONDS)
        with self._answering():
            async with asyncio.timeout(TIMEOUT_SECONDS):
                response = await self._send("GET", path, accept=METADATA, query=query, timeout=timeout)
        try:
            if response.status != 200:
                with self._answering():
                    refusal = await response.read()
                _require_success(response, refusal)
            yield _events(response.response.content)
        finally:
            response.response.close()

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

    async def write(self, resource: str, method: str, path: str, body: Any, **options: Any) -> JsonObject:
        """`call`, counted in landlord_kubernetes_writes_total."""
        result = "error"
        try:
            answer = await self.call(method, path, body, **options)
            result = "200"
            return answer
        except KubeError as error:
            result = str(error.status or "error")
            raise
        finally:
            metrics.kubernetes_writes.labels(resource, method.lower(), result).inc()

    async def set_finalizers(
        self, key: Key, resource_version: str, finalizers: tuple[str, ...]
    ) -> JsonObject:
        """Replace the finalizers, unless the object has changed since (KubeError 422)."""
        patch = [
            {"op": "test", "path": "/metadata/resourceVersion", "value": resource_version},
            {"op": "add", "path": "/metadata/finalizers", "value": list(finalizers)},
        ]
        return await self.write("tenants", "PATCH", tenant_path(key), patch, content_type=JSON_PATCH)

    async def apply_status(self, key: Key, resource_version: str, status: JsonObject) -> JsonObject:
        """Make the status what is given, by server-side apply, unless the object has changed (KubeError 409).

        That keeps it from a namesake, for which a uid would not do: the API server ignores it here.
        """
        body = {
            "apiVersion": names.API_VERSION,
            "kind": names.KIND,
            "metadata": {"name": key.name, "namespace": key.namespace, "resourceVersion": resource_version},
            "status": status,
        }
        query = {"fieldManager": names.FIELD_MANAGER, "force": "true"}
        path = f"{tenant_path(key)}/status"
        return await self.write("tenants/status", "PATCH", path, body, content_type=APPLY, query=query)

    async def tenant_uids(self, namespace: str | None) -> AsyncIterator[str]:
        """The uid of every Tenant there is now, read as metadata only and in pages."""
        query = {"limit": str(PAGE)}
        while True:
            page = await self.call("GET", tenants_path(namespace), accept=METADATA_LIST, query=query)
            for item in page["items"] or ():  # an empty list comes as null
                yield item["metadata"]["uid"]
            token = page["metadata"].get("continue")
            if not token:
                return
            query["continue"] = token

    async def may(self, verb: str, resource: str, namespace: str | None, group: str = names.GROUP) -> bool:
        """Whether RBAC allows these credentials the verb on the resource."""
        resource, _, subresource = resource.partition("/")
        attributes = {"verb": verb, "group": group, "resource": resource, "subresource": subresource}
        if namespace:
            attributes["namespace"] = namespace
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        }
        path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        answer = await self.call("POST", path, review)
        return bool(answer["status"]["allowed"])


def tenants_path(namespace: str | None) -> str:
    """Where Tenants are listed: in one namespace, or in all of them."""
    scope = f"/namespaces/{namespace}" if namespace else ""
    return f"/apis/{names.API_VERSION}{scope}/{names.PLURAL}"


def tenant_path(key: Key) -> str:
    """Where one Tenant is."""
    return f"{tenants_path(key.namespace)}/{key.name}"


def _require_success(response: RESTResponse, content: bytes) -> None:
    # Refusals are raised only by the layer of generated models, which is not used here.
    if not 200 <= response.status < 300:
        raise KubeError(response.status, _reason(content) or f"{response.status} {response.reason}")


async def _events(lines: aiohttp.StreamReader) -> AsyncIterator[JsonObject]:
    try:
        async for line in lines:
            event: JsonObject = json.loads(line)
            if event["type"] == "ERROR":
                log.debug("the API server ended a watch: %s", event["object"].get("message"))
                return
            yield event
    except (aiohttp.ClientError, TimeoutError, OSError, json.JSONDecodeError) as error:
        log.debug("a watch broke: %r", error)


def _reason(content: bytes) -> str | None:
    """The message of the Status object that the API server answers a refusal with."""
    try:
        return str(json.loads(content)["message"])
    except (TypeError, ValueError, KeyError):
        return None

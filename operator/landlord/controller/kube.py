"""The operator's client of the API server: a few calls for Tenants and one Lease, with all writes counted."""

import asyncio
import json
import logging
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError

from landlord import metrics
from landlord.api import names
from landlord.api.schema import JsonObject
from landlord.api.tenant import Key
from landlord.kubernetes_api import (
    APPLY,
    MERGE_PATCH,
    METADATA,
    METADATA_LIST,
    TIMEOUT_SECONDS,
    ApiServer,
    KubeError,
    read,
    require_success,
)

log = logging.getLogger(__name__)

CRD_PATH = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{names.CRD_NAME}"

WATCH_SECONDS = (240, 360)
"""How long the API server may keep a watch open; random, so that not all end at once."""
WATCH_SILENCE_SECONDS = 90.0
"""A watch that is silent for so long may be half-open, because bookmarks come once a minute."""


class KubeClient(ApiServer):
    """The operator's calls, each of them bounded in time. They raise KubeError."""

    @asynccontextmanager
    async def watching(self, path: str, selector: str) -> AsyncIterator[AsyncIterator[JsonObject]]:
        """Watch objects with these labels: events with metadata only, among them BOOKMARKs.

        Without a resourceVersion, as here, the API server begins with an ADDED event for each object that
        exists. The events end when the server, the network or a silence ends the watch; the caller then opens
        another.
        """
        query = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "labelSelector": selector,
            "timeoutSeconds": str(random.randint(*WATCH_SECONDS)),  # noqa: S311 - jitter
        }
        timeout = aiohttp.ClientTimeout(total=None, sock_read=WATCH_SILENCE_SECONDS)
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                response = await self._send("GET", path, accept=METADATA, query=query, timeout=timeout)
        except TimeoutError as error:
            raise KubeError(0, f"the API server did not open a watch within {TIMEOUT_SECONDS:g} s") from error
        try:
            if response.status != 200:
                require_success(response, await read(response))
            yield _read_events(response.response.content)
        finally:
            response.response.close()

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
        """Replace the finalizers, unless the object has changed since (KubeError 409)."""
        patch = {"metadata": {"resourceVersion": resource_version, "finalizers": list(finalizers)}}
        return await self.write("tenants", "PATCH", build_tenant_path(key), patch, content_type=MERGE_PATCH)

    async def apply_status(self, key: Key, resource_version: str, status: JsonObject) -> JsonObject:
        """Replace the status by server-side apply, unless the object has changed since (KubeError 409).

        That protects a namesake. A uid would not, because the API server ignores it here.
        """
        body = {
            "apiVersion": names.API_VERSION,
            "kind": names.KIND,
            "metadata": {"name": key.name, "namespace": key.namespace, "resourceVersion": resource_version},
            "status": status,
        }
        query = {"fieldManager": names.FIELD_MANAGER, "force": "true"}
        path = f"{build_tenant_path(key)}/status"
        return await self.write("tenants/status", "PATCH", path, body, content_type=APPLY, query=query)

    async def delete_tenant(self, key: Key, uid: str, resource_version: str) -> None:
        """Delete this very Tenant, unless it has changed since (KubeError 409)."""
        options = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "preconditions": {"uid": uid, "resourceVersion": resource_version},
        }
        await self.write("tenants", "DELETE", build_tenant_path(key), options)

    async def read_crd_metadata(self) -> JsonObject:
        """Read the metadata of the Tenants' CRD."""
        body = await self.call("GET", CRD_PATH, accept=METADATA)
        metadata: JsonObject = body["metadata"]
        return metadata

    async def list_tenants(self, namespace: str | None) -> AsyncIterator[JsonObject]:
        """List the metadata of every Tenant that exists, in pages."""
        async for tenant in self.each(build_tenants_path(namespace), accept=METADATA_LIST):
            yield tenant["metadata"]

    async def is_allowed(
        self, verb: str, resource: str, namespace: str | None, group: str = names.GROUP, name: str = ""
    ) -> bool:
        """Whether RBAC allows these credentials the verb on the resource, or on the one of that name."""
        resource, _, subresource = resource.partition("/")
        attributes = {"verb": verb, "group": group, "resource": resource, "subresource": subresource}
        if namespace:
            attributes["namespace"] = namespace
        if name:
            attributes["name"] = name
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        }
        path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        answer = await self.call("POST", path, review)
        return bool(answer["status"]["allowed"])


def build_tenants_path(namespace: str | None) -> str:
    """Build the path that lists Tenants: of one namespace, or of all of them."""
    scope = f"/namespaces/{namespace}" if namespace else ""
    return f"/apis/{names.API_VERSION}{scope}/{names.PLURAL}"


def build_tenant_path(key: Key) -> str:
    """Build the path of one Tenant."""
    return f"{build_tenants_path(key.namespace)}/{key.name}"


async def _read_events(lines: aiohttp.StreamReader) -> AsyncIterator[JsonObject]:
    try:
        async for line in lines:
            event: JsonObject = json.loads(line)
            if event["type"] == "ERROR":
                log.debug("the API server ended a watch: %s", event["object"].get("message"))
                return
            yield event
    except (
        aiohttp.ClientError,
        HttpProcessingError,  # an event longer than aiohttp reads, because annotations may be long
        TimeoutError,
        OSError,
        json.JSONDecodeError,
    ) as error:
        log.debug("a watch broke: %r", error)

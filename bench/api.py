"""An asynchronous client of the API server for Tenants, which does nothing that the floor could save."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from dev.apiserver import APPLY_PATCH, JSON, MERGE_PATCH, ApiError, ApiResource, Credentials, decode_lines
from landlord.api import names
from landlord.api.schema import JsonObject

_TENANTS = ApiResource(names.API_VERSION, names.PLURAL)
_QUERY = {"fieldManager": names.FIELD_MANAGER, "force": "true"}
_SECONDS = 60
_WATCH_SECONDS = 3600


class TenantApi:
    """Calls on Tenants. Raises ApiError for a refusal, and what aiohttp raises."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def create(self, namespace: str, body: bytes) -> JsonObject:
        """Create a Tenant. Returns the server's copy."""
        return await self._call("POST", _TENANTS.path(namespace), body, content_type=JSON)

    async def merge(self, namespace: str, name: str, body: bytes) -> JsonObject:
        """Merge a manifest into a Tenant. Returns the server's copy."""
        return await self._call("PATCH", _TENANTS.path(namespace, name), body, content_type=MERGE_PATCH)

    async def list_all(self, namespace: str) -> dict[str, JsonObject]:
        """All Tenants of a namespace, by name."""
        items = (await self._call("GET", _TENANTS.path(namespace)))["items"]
        return {tenant["metadata"]["name"]: tenant for tenant in items}

    async def get(self, namespace: str, name: str) -> JsonObject:
        """One Tenant."""
        return await self._call("GET", _TENANTS.path(namespace, name))

    async def add_finalizer(self, namespace: str, name: str, resource_version: str) -> JsonObject:
        """Add landlord's finalizer with the operator's patch. Returns the server's copy."""
        patch = {"metadata": {"resourceVersion": resource_version, "finalizers": [names.FINALIZER]}}
        body = json.dumps(patch).encode()
        return await self._call("PATCH", _TENANTS.path(namespace, name), body, content_type=MERGE_PATCH)

    async def apply_status(self, namespace: str, name: str, body: bytes) -> None:
        """Apply a status like the operator."""
        path = _TENANTS.path(namespace, name, "status")
        await self._call("PATCH", path, body, content_type=APPLY_PATCH, params=_QUERY)

    async def delete(self, namespace: str, name: str) -> None:
        """Request the deletion of a Tenant."""
        await self._call("DELETE", _TENANTS.path(namespace, name))

    async def count(self, namespace: str) -> int:
        """The number of Tenants in a namespace."""
        page = await self._call("GET", _TENANTS.path(namespace), params={"limit": "1"})
        return len(page["items"]) + int(page["metadata"].get("remainingItemCount", 0))

    async def read_version(self) -> str:
        """The server's version."""
        return str((await self._call("GET", "/version"))["gitVersion"])

    async def read_resource_version(self) -> str:
        """The resource version at which a watch must start to miss no later change."""
        listed = await self._call("GET", _TENANTS.path(), params={"limit": "1"})
        return str(listed["metadata"]["resourceVersion"])

    async def watch(self, since: str) -> AsyncIterator[JsonObject]:
        """The events of one watch of all Tenants."""
        query = {"watch": "true", "resourceVersion": since, "timeoutSeconds": str(_WATCH_SECONDS)}
        timeout = aiohttp.ClientTimeout(total=None)
        async with self._session.get(_TENANTS.path(), params=query, timeout=timeout) as answer:
            answer.raise_for_status()
            rest = b""
            async for chunk in answer.content.iter_any():
                events, rest = decode_lines(rest, chunk)
                for event in events:
                    yield event

    async def read(self, path: str, accept: str) -> bytes:
        """The body of an answer, not decoded."""
        async with self._session.get(path, headers={"Accept": accept}) as answer:
            answer.raise_for_status()
            return await answer.read()

    async def _call(
        self, method: str, path: str, body: bytes | None = None, *, content_type: str = JSON, **options: Any
    ) -> JsonObject:
        headers = {"Content-Type": content_type}
        async with self._session.request(method, path, data=body, headers=headers, **options) as answer:
            content = await answer.read()
            if not answer.ok:
                raise ApiError.from_body(answer.status, content)
            parsed: JsonObject = json.loads(content)
            return parsed


@asynccontextmanager
async def connecting(kubeconfig: Path) -> AsyncIterator[TenantApi]:
    """A client with the credentials of a kubeconfig, for as long as the body runs."""
    credentials = Credentials.load(kubeconfig)
    async with aiohttp.ClientSession(
        credentials.server,
        connector=aiohttp.TCPConnector(limit=0, ssl=credentials.ssl_context()),
        timeout=aiohttp.ClientTimeout(total=_SECONDS),
        headers=credentials.headers(),
    ) as session:
        yield TenantApi(session)

"""A bare asynchronous client of the API server: the floor must hold nothing that can be saved."""

import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from landlord.api import names
from landlord.api.schema import JsonObject

_APPLY = {"Content-Type": "application/apply-patch+yaml"}
_JSON = {"Content-Type": "application/json"}
_MERGE = {"Content-Type": "application/merge-patch+json"}
_API = f"/apis/{names.API_VERSION}"
_QUERY = {"fieldManager": names.FIELD_MANAGER, "force": "true"}
_SECONDS = 60
_WATCH_SECONDS = 3600


class Api:
    """Calls on Tenants. Raises what aiohttp raises, and RuntimeError for an answer that is not wanted."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def create(self, namespace: str, body: bytes) -> JsonObject:
        """Create a Tenant; returns it as the server has it."""
        return await self._call("POST", _path(namespace), body, headers=_JSON)

    async def change(self, namespace: str, name: str, body: bytes) -> JsonObject:
        """Merge a manifest into a Tenant; returns it as the server has it."""
        return await self._call("PATCH", _path(namespace, name), body, headers=_MERGE)

    async def tenants(self, namespace: str) -> dict[str, JsonObject]:
        """All Tenants as they are, by name."""
        items = (await self._call("GET", _path(namespace)))["items"]
        return {tenant["metadata"]["name"]: tenant for tenant in items}

    async def get(self, namespace: str, name: str) -> JsonObject:
        """A Tenant as it is."""
        return await self._call("GET", _path(namespace, name))

    async def hold(self, namespace: str, name: str, resource_version: str) -> JsonObject:
        """Add landlord's finalizer, by the operator's patch; returns the Tenant with it."""
        patch = {"metadata": {"resourceVersion": resource_version, "finalizers": [names.FINALIZER]}}
        body = json.dumps(patch).encode()
        return await self._call("PATCH", _path(namespace, name), body, headers=_MERGE)

    async def apply_status(self, namespace: str, name: str, body: bytes) -> None:
        """Apply a status, as the operator does."""
        await self._call("PATCH", f"{_path(namespace, name)}/status", body, headers=_APPLY, params=_QUERY)

    async def delete(self, namespace: str, name: str) -> None:
        """Ask for a Tenant to be deleted."""
        await self._call("DELETE", _path(namespace, name))

    async def number(self, namespace: str) -> int:
        """How many Tenants there are."""
        page = await self._call("GET", _path(namespace), params={"limit": "1"})
        return len(page["items"]) + int(page["metadata"].get("remainingItemCount", 0))

    async def version(self) -> str:
        """The server's version."""
        return str((await self._call("GET", "/version"))["gitVersion"])

    async def resource_version(self) -> str:
        """Where a watch has to begin to see all that happens from now on."""
        listed = await self._call("GET", f"{_API}/{names.PLURAL}", params={"limit": "1"})
        return str(listed["metadata"]["resourceVersion"])

    async def events(self, since: str) -> AsyncIterator[JsonObject]:
        """Every event about any Tenant, in one watch."""
        query = {"watch": "true", "resourceVersion": since, "timeoutSeconds": str(_WATCH_SECONDS)}
        timeout = aiohttp.ClientTimeout(total=None)
        async with self._session.get(f"{_API}/{names.PLURAL}", params=query, timeout=timeout) as answer:
            answer.raise_for_status()
            rest = b""
            async for chunk in answer.content.iter_any():
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    yield json.loads(line)

    async def read(self, path: str, accept: str) -> bytes:
        """The body of an answer, as it came."""
        async with self._session.get(path, headers={"Accept": accept}) as answer:
            answer.raise_for_status()
            return await answer.read()

    async def _call(self, method: str, path: str, body: bytes | None = None, **options: Any) -> JsonObject:
        async with self._session.request(method, path, data=body, **options) as answer:
            content = await answer.read()
            if not answer.ok:
                raise RuntimeError(f"{method} {path}: {answer.status} {content.decode(errors='replace')}")
            parsed: JsonObject = json.loads(content)
            return parsed


@asynccontextmanager
async def connected(kubeconfig: Path) -> AsyncIterator[Api]:
    """A client with the credentials of a kubeconfig whose certificates are files."""
    server, context = _credentials(kubeconfig)
    connector = aiohttp.TCPConnector(limit=0, ssl=context)
    timeout = aiohttp.ClientTimeout(total=_SECONDS)
    async with aiohttp.ClientSession(server, connector=connector, timeout=timeout) as session:
        yield Api(session)


def _credentials(kubeconfig: Path) -> tuple[str, ssl.SSLContext]:
    config = yaml.safe_load(kubeconfig.read_text())
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    context = ssl.create_default_context(cafile=cluster["certificate-authority"])
    context.load_cert_chain(user["client-certificate"], user["client-key"])
    return cluster["server"], context


def _path(namespace: str, name: str = "") -> str:
    path = f"{_API}/namespaces/{namespace}/{names.PLURAL}"
    return f"{path}/{name}" if name else path

"""The cluster that tenants run on: gets, lists, applies and deletes its objects by kind."""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from landlord.api import names
from landlord.api.amounts import Quantity
from landlord.api.schema import JsonObject
from landlord.backends.cluster.api_errors import explain_refusal
from landlord.backends.cluster.kinds import ObjectKind
from landlord.errors import Retryable, SettingsError
from landlord.kubernetes_api import (
    APPLY,
    JSON,
    JSON_PATCH,
    MERGE_PATCH,
    ApiServer,
    KubeError,
)

MANAGER = {"fieldManager": names.FIELD_MANAGER_OF_TENANTS, "fieldValidation": "Strict"}


class Cluster:
    """One cluster, found as kubectl finds it, or the one that the worker runs in.

    The constructor does no I/O. Without a readable configuration, every call raises Retryable. If the API
    server refuses a request, the call raises KubeError; see `translating_errors`.
    """

    def __init__(self) -> None:
        self._server = ApiServer()

    async def close(self) -> None:
        """Close all connections."""
        await self._server.close()

    async def get(self, kind: ObjectKind, namespace: str | None, name: str) -> JsonObject | None:
        """Get an object; None if it does not exist."""
        try:
            return await self.call("GET", kind.path(namespace, name))
        except KubeError as error:
            if error.status == 404:
                return None
            raise

    async def list_all(
        self, kind: ObjectKind, namespace: str | None = None, *, accept: str = JSON, **query: str
    ) -> list[JsonObject]:
        """List all objects of a kind, in one namespace or in all."""
        return [found async for found in self.iterate(kind, namespace, accept=accept, **query)]

    async def iterate(
        self, kind: ObjectKind, namespace: str | None = None, *, accept: str = JSON, **query: str
    ) -> AsyncIterator[JsonObject]:
        """Do as `list_all` with at most one page in memory."""
        with configured():
            async for found in self._server.each(kind.path(namespace), accept=accept, query=query):
                yield found

    async def apply(self, kind: ObjectKind, manifest: JsonObject) -> JsonObject:
        """Set landlord's fields to what the manifest says, whoever changed them, and no other field."""
        return await self._apply(kind, manifest)

    async def preview(self, kind: ObjectKind, manifest: JsonObject) -> JsonObject:
        """Return what `apply` would make of the object, without changing it."""
        return await self._apply(kind, manifest, dryRun="All")

    async def patch(self, kind: ObjectKind, found: JsonObject, changes: JsonObject) -> JsonObject:
        """Change these fields of this very object, and no other field."""
        metadata = found["metadata"]
        body = changes | {"metadata": changes.get("metadata", {}) | {"uid": metadata["uid"]}}
        path = kind.path(metadata.get("namespace"), metadata["name"])
        return await self.call("PATCH", path, body, content_type=MERGE_PATCH, query=MANAGER)

    async def replace_metadata(self, kind: ObjectKind, found: JsonObject, **fields: Any) -> JsonObject:
        """Replace these fields of the metadata, of this very version of the object."""
        fields["resourceVersion"] = found["metadata"]["resourceVersion"]
        return await self._replace(kind, found, {f"/metadata/{name}": of for name, of in fields.items()})

    async def preview_replacement(self, kind: ObjectKind, found: JsonObject, **fields: Any) -> JsonObject:
        """Return what the API server would make of the object with other fields at its top level, without
        changing it."""
        return await self._replace(kind, found, {f"/{name}": of for name, of in fields.items()}, dryRun="All")

    async def delete(self, kind: ObjectKind, found: JsonObject) -> None:
        """Delete this very object. Succeeds if it no longer exists."""
        metadata = found["metadata"]
        options = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "propagationPolicy": "Background",
            "preconditions": {"uid": metadata["uid"]},
        }
        try:
            await self.call("DELETE", kind.path(metadata.get("namespace"), metadata["name"]), options)
        except KubeError as error:
            if error.status != 404:
                raise

    async def call(self, method: str, path: str, body: Any = None, **options: Any) -> JsonObject:
        """Send one request."""
        with configured():
            return await self._server.call(method, path, body, **options)

    async def _replace(
        self, kind: ObjectKind, found: JsonObject, fields: Mapping[str, Any], **query: str
    ) -> JsonObject:
        metadata = found["metadata"]
        operations = [{"op": "replace", "path": path, "value": value} for path, value in fields.items()]
        path = kind.path(metadata.get("namespace"), metadata["name"])
        return await self.call("PATCH", path, operations, content_type=JSON_PATCH, query=MANAGER | query)

    async def _apply(self, kind: ObjectKind, manifest: JsonObject, **query: str) -> JsonObject:
        metadata = manifest["metadata"]
        path = kind.path(metadata.get("namespace"), metadata["name"])
        query |= MANAGER | {"force": "true"}
        return await self.call("PATCH", path, manifest, content_type=APPLY, query=query)


@contextmanager
def configured() -> Iterator[None]:
    """Turn a missing configuration of the cluster into a failure of a step."""
    try:
        yield
    except SettingsError as error:
        raise Retryable("NotConfigured", error.message, error.fix) from error


@contextmanager
def translating_errors(quota: Mapping[str, Quantity] | None = None) -> Iterator[None]:
    """Turn refusals of the API server into failures of a step."""
    try:
        yield
    except KubeError as error:
        raise explain_refusal(error.status, str(error), quota or {}) from error

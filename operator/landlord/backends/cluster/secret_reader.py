"""Reads the Secrets that Tenants refer to, from the API server that has the Tenants. For any backend."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager

from landlord import metrics
from landlord.api.request import Desired
from landlord.api.schema import JsonObject
from landlord.backends.cluster import kinds
from landlord.backends.cluster.api_errors import Gone, explain_forbidden_secrets, explain_refusal
from landlord.backends.cluster.client import Cluster
from landlord.backends.contract import Observation
from landlord.backends.secrets import (
    SecretValues,
    find_namespaces,
    find_references,
    read_version,
    resolve_values,
    with_outdated,
)
from landlord.errors import Retryable, StepError
from landlord.kubernetes_api import METADATA_LIST, KubeError

log = logging.getLogger(__name__)

ReadRecord = Callable[[], Awaitable[str | None]]
"""Reads from which versions of which Secrets a tenant was made; None if it does not exist."""


class SecretReader:
    """Reads the Secrets in the namespaces of Tenants. Without references it sends no request."""

    def __init__(self, backend: str, cluster: Cluster | None = None) -> None:
        self._backend = backend
        self._cluster = cluster or Cluster()
        self._logged: Mapping[str, str] = {}

    async def read(self, desired: Desired) -> SecretValues:
        """Read the values that the workload's variables refer to. Raises StepError, without any value."""
        namespace = desired.secrets_namespace
        if namespace is None:
            return SecretValues()
        names = sorted({reference.name for reference in find_references(desired.workload).values()})
        secrets = {name: await self._read_secret(namespace, name) for name in names}
        return resolve_values(desired.workload, namespace, secrets)

    async def mark_outdated(
        self, observations: Mapping[str, Observation], records: Mapping[str, str]
    ) -> dict[str, Observation]:
        """Complete the observations with what changed in the Secrets that the tenants were made from."""
        current = await self._list_versions(find_namespaces(records.values()))
        return {
            tenant_id: with_outdated(each, records[tenant_id], current) if tenant_id in records else each
            for tenant_id, each in observations.items()
        }

    @asynccontextmanager
    async def noticing_changes(self, desired: Desired, read_record: ReadRecord) -> AsyncIterator[None]:
        """Raise Gone in place of a failure if a Secret changed meanwhile: its new value may cure it."""
        try:
            yield
        except StepError as error:
            if await self._is_outdated(desired, read_record):
                raise Gone("SecretChanged", "a Secret has changed, and landlord is applying it") from error
            raise

    async def close(self) -> None:
        """Close the connections to the API server."""
        await self._cluster.close()

    async def _is_outdated(self, desired: Desired, read_record: ReadRecord) -> bool:
        if not desired.workload.refers_to_secrets:
            return False
        try:
            current = await self.read(desired)
            record = await read_record()
        except (StepError, KubeError):
            return False
        return record is not None and record != current.recorded

    async def _read_secret(self, namespace: str, name: str) -> JsonObject | None:
        try:
            return await self._cluster.get(kinds.SECRET, namespace, name)
        except KubeError as error:
            if error.status == 403:
                raise explain_forbidden_secrets(namespace, str(error)) from error
            raise explain_refusal(error.status, str(error), {}) from error
        except Retryable as error:
            message = f"the Secrets of {namespace} can't be read: {error.message}"
            raise Retryable(error.code, message, error.fix) from error

    async def _list_versions(self, namespaces: Iterable[str]) -> Mapping[str, str]:
        """List the version of each Secret in these namespaces, leaving out those that can't be listed."""
        versions: dict[str, str] = {}
        unlisted: dict[str, str] = {}
        outage: str | None = None
        for namespace in sorted(namespaces):
            if outage is not None:
                unlisted[namespace] = outage
                continue
            try:
                async for found in self._cluster.iterate(kinds.SECRET, namespace, accept=METADATA_LIST):
                    versions[f"{namespace}/{found['metadata']['name']}"] = read_version(found)
            except KubeError as error:
                forbidden = error.status == 403
                unlisted[namespace] = str(explain_forbidden_secrets(namespace) if forbidden else error)
                outage = str(error) if error.status == 0 else None
            except Retryable as error:
                unlisted[namespace] = outage = str(error)
        for namespace in unlisted.keys() - self._logged.keys():
            reason = unlisted[namespace].replace("\n", "; ")
            log.warning("changes of the Secrets of %s go unnoticed: %s", namespace, reason)
        self._logged = unlisted
        metrics.unlisted_secrets.labels(self._backend).set(len(unlisted))
        return versions

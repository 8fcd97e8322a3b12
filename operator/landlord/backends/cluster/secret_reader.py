"""Reads the Secrets that Tenants refer to, from the API server where the Tenants are. For any backend."""

import logging
from collections.abc import Iterable, Mapping

from landlord import metrics
from landlord.api.request import Desired
from landlord.api.schema import JsonObject
from landlord.backends.cluster import kinds
from landlord.backends.cluster.api_errors import explain_forbidden_secrets, explain_refusal
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
from landlord.errors import Retryable
from landlord.kubernetes_api import METADATA_LIST, KubeError

log = logging.getLogger(__name__)


class SecretReader:
    """The Secrets in the namespaces of Tenants. Without references nothing is asked."""

    def __init__(self, backend: str, cluster: Cluster | None = None) -> None:
        self._backend = backend
        self._cluster = cluster or Cluster()
        self._told: Mapping[str, str] = {}

    async def read(self, desired: Desired) -> SecretValues:
        """What the workload's variables refer to. Raises StepError, which says nothing of any value."""
        namespace = desired.secrets_namespace
        if namespace is None:
            return SecretValues()
        wanted = sorted({reference.name for reference in find_references(desired.workload).values()})
        read = {name: await self._secret(namespace, name) for name in wanted}
        return resolve_values(desired.workload, namespace, read)

    async def judge(
        self, seen: Mapping[str, Observation], recorded: Mapping[str, str]
    ) -> dict[str, Observation]:
        """The observations, with what has changed of the Secrets that are recorded for these tenants."""
        now = await self._versions(find_namespaces(recorded.values()))
        return {
            tenant_id: with_outdated(each, recorded[tenant_id], now) if tenant_id in recorded else each
            for tenant_id, each in seen.items()
        }

    async def close(self) -> None:
        """Let go of the connections to the API server."""
        await self._cluster.close()

    async def _secret(self, namespace: str, name: str) -> JsonObject | None:
        try:
            return await self._cluster.get(kinds.SECRET, namespace, name)
        except KubeError as error:
            if error.status == 403:
                said = f"{explain_forbidden_secrets(namespace)}; it is tried again: {error}"
                raise Retryable("Forbidden", said) from error
            raise explain_refusal(error.status, str(error), {}) from error
        except Retryable as error:
            raise Retryable(
                error.code, f"the Secrets of {namespace} can't be read: {error.message}"
            ) from error

    async def _versions(self, wanted: Iterable[str]) -> Mapping[str, str]:
        """The version of each Secret in these namespaces, as far as they can be listed."""
        present: dict[str, str] = {}
        unknown: dict[str, str] = {}
        away: str | None = None
        for namespace in sorted(wanted):
            if away is not None:
                unknown[namespace] = away
                continue
            try:
                async for found in self._cluster.each(kinds.SECRET, namespace, accept=METADATA_LIST):
                    present[f"{namespace}/{found['metadata']['name']}"] = read_version(found)
            except KubeError as error:
                unknown[namespace] = (
                    explain_forbidden_secrets(namespace) if error.status == 403 else str(error)
                )
                away = str(error) if error.status == 0 else None
            except Retryable as error:
                unknown[namespace] = away = error.message
        for namespace in unknown.keys() - self._told.keys():
            log.warning("changes of the Secrets of %s go unnoticed: %s", namespace, unknown[namespace])
        self._told = unknown
        metrics.unlisted_secrets.labels(self._backend).set(len(unknown))
        return present

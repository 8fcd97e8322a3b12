"""Finds out why tenants are unavailable: a survey's lists show only how many of their pods are."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import replace

from landlord.api import names
from landlord.backends.cluster import kinds
from landlord.backends.cluster.client import Cluster
from landlord.backends.contract import Observation
from landlord.backends.kubernetes.observed import rollout
from landlord.backends.kubernetes.ready import explain_unavailability
from landlord.errors import StepError
from landlord.kubernetes_api import KubeError

log = logging.getLogger(__name__)

EXPLAINED = 50
"""Tenants whose reason one survey finds out, with up to five calls for each."""
AT_ONCE = 10


async def with_reasons(
    cluster: Cluster, observations: Mapping[str, Observation], unavailable: Mapping[str, str]
) -> dict[str, Observation]:
    """Copy the observations with the reasons of tenants that are unavailable; the same ones each time."""
    limit = asyncio.Semaphore(AT_ONCE)

    async def explain(tenant_id: str) -> Observation:
        async with limit:
            reason = await _find_reason(cluster, unavailable[tenant_id])
        found = observations[tenant_id]
        return found if reason is None else replace(found, reason=reason)

    chosen = sorted(tenant_id for tenant_id in unavailable if not observations[tenant_id].healthy)[:EXPLAINED]
    return {**observations, **dict(zip(chosen, await asyncio.gather(*map(explain, chosen)), strict=True))}


async def _find_reason(cluster: Cluster, namespace: str) -> str | None:
    """Find the reason, with what to do about it; None if it can't be found out."""
    try:
        deployment = await cluster.get(kinds.DEPLOYMENT, namespace, names.OBJECT_NAME)
        waiting = rollout.describe_progress(deployment) if deployment else None
        if deployment is None or waiting is None:  # it has changed since the survey
            return None
        failure = await explain_unavailability(cluster, deployment, waiting)
    except (KubeError, StepError) as error:  # the survey itself has not failed, and says how many pods lack
        log.info("why the tenant in %s is unavailable can't be found out: %s", namespace, error)
        return None
    return str(failure) if failure.code == "RolloutPending" else f"{failure.code}: {failure}"

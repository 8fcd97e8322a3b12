"""Observes existing tenants. It is the same for every engine, bounded in time, and a failure is a value.

A survey passes through the engine for all tenants at once and every few seconds, so it is compact: for a
healthy tenant without differences it contains only the hash.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

from landlord.api.survey import LONGEST_LOOK, Inspection, InspectionRequest, Seen, Survey, SurveyRequest
from landlord.backends.config import check_config
from landlord.backends.contract import Backend, Observation
from landlord.errors import StepError

log = logging.getLogger(__name__)

T = TypeVar("T")


async def survey(backends: Mapping[str, Backend], request: SurveyRequest) -> Survey:
    """Survey all tenants of a backend."""

    async def observe(backend: Backend) -> Mapping[str, Observation]:
        return await backend.survey()

    observed = await _observe(backends, request.provider, observe)
    if isinstance(observed, str):
        return Survey(error=observed)
    return Survey(tenants={tenant_id: to_seen(observation) for tenant_id, observation in observed.items()})


async def inspect(backends: Mapping[str, Backend], request: InspectionRequest) -> Inspection:
    """Compare one tenant with its desired state in depth."""

    async def observe(backend: Backend) -> Sequence[str]:
        check_config(backend, request.desired)
        return await backend.inspect(request.desired)

    observed = await _observe(backends, request.provider, observe)
    return Inspection(error=observed) if isinstance(observed, str) else Inspection(lines=tuple(observed))


def to_seen(observation: Observation) -> Seen:
    """Return the part of an observation that has to be sent."""
    return Seen(
        healthy=observation.healthy,
        spec_hash=observation.spec_hash,
        reason="" if observation.healthy else observation.reason,
        state=observation.state,
        drift=observation.drift,
        outdated=observation.outdated,
        left=observation.left,
    )


async def _observe(
    backends: Mapping[str, Backend], provider: str, observe: Callable[[Backend], Awaitable[T]]
) -> T | str:
    """Return the observation, or why there is none."""
    backend = backends.get(provider)
    if backend is None:
        enabled = ", ".join(sorted(backends)) or "none"
        return f"the worker has no backend {provider!r}; enabled: {enabled}"
    try:
        async with asyncio.timeout(LONGEST_LOOK) as bound:
            return await observe(backend)
    except Exception as error:  # the next survey follows soon, and no other backend may be affected
        log.debug("can't survey the backend %s", provider, exc_info=error)
        if bound.expired() and isinstance(error, TimeoutError):
            return f"the backend {provider} did not answer within {LONGEST_LOOK:g} s"
        reason = str(error) if isinstance(error, StepError) else f"{type(error).__name__}: {error}"
        return f"the backend {provider} can't be surveyed: {reason}"

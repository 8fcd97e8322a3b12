"""Looks at running tenants: the same for every engine. Bounded in time, and a failure is a value.

What is seen travels through the engine for every tenant at once and every few seconds, so it is told
compactly: nothing but the hash of a tenant that is as it should be.
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
    """Look at all tenants of a backend."""

    async def look(backend: Backend) -> Mapping[str, Observation]:
        return await backend.survey()

    seen = await _look(backends, request.provider, look)
    if isinstance(seen, str):
        return Survey(error=seen)
    return Survey(tenants={tenant_id: to_seen(observation) for tenant_id, observation in seen.items()})


async def inspect(backends: Mapping[str, Backend], request: InspectionRequest) -> Inspection:
    """Look at one tenant in depth."""

    async def look(backend: Backend) -> Sequence[str]:
        check_config(backend, request.desired)
        return await backend.inspect(request.desired)

    seen = await _look(backends, request.provider, look)
    return Inspection(error=seen) if isinstance(seen, str) else Inspection(lines=tuple(seen))


def to_seen(observation: Observation) -> Seen:
    """What has to be told of an observation."""
    return Seen(
        healthy=observation.healthy,
        spec_hash=observation.spec_hash,
        reason="" if observation.healthy else observation.reason,
        state=observation.state,
        drift=observation.drift,
        outdated=observation.outdated,
    )


async def _look(
    backends: Mapping[str, Backend], provider: str, look: Callable[[Backend], Awaitable[T]]
) -> T | str:
    """What is seen, or why nothing can be."""
    backend = backends.get(provider)
    if backend is None:
        enabled = ", ".join(sorted(backends)) or "none"
        return f"the worker has no backend {provider!r}; enabled: {enabled}"
    try:
        async with asyncio.timeout(LONGEST_LOOK) as bound:
            return await look(backend)
    except Exception as error:  # whatever it is, it is asked again soon, and nobody else may suffer from it
        log.debug("the backend %s could not be looked at", provider, exc_info=error)
        if bound.expired() and isinstance(error, TimeoutError):
            return f"the backend {provider} did not answer within {LONGEST_LOOK:g} s"
        said = str(error) if isinstance(error, StepError) else f"{type(error).__name__}: {error}"
        return f"the backend {provider} can't be looked at: {said}"

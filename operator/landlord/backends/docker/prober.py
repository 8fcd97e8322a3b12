"""Repeats the probes of running containers, because a container that hangs still runs."""

import asyncio
import logging
from collections.abc import Mapping

from landlord.api.workload import Probe
from landlord.backends.docker import probes
from landlord.backends.docker.engine import Engine
from landlord.backends.docker.observed.container import UNREADABLE, InspectedContainer, explain_unreadable
from landlord.errors import StepError, Stuck

log = logging.getLogger(__name__)

PATIENCE = 3.0
"""Seconds that a survey waits for answers, longer than a probe's default timeout. The next survey has the
results of slower probes."""
AT_ONCE = 100
"""Probes that run at the same time, because each needs a connection."""


class Prober:
    """Runs at most one probe for each container at a time."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._free = asyncio.Semaphore(AT_ONCE)
        self._tries: dict[str, asyncio.Task[str | None]] = {}
        self._results: dict[str, str | None] = {}

    async def find_problems(self, wanted: Mapping[str, tuple[Probe, InspectedContainer]]) -> dict[str, str]:
        """Probe each of these containers once more, and find why the last probe failed, by container.

        Results of all other containers are dropped.
        """
        self._results = {key: result for key, result in self._results.items() if key in wanted}
        await self._cancel(self._tries.keys() - wanted.keys())
        self._harvest()
        for key, (probe, inspected) in wanted.items():
            if key not in self._tries:
                self._tries[key] = asyncio.create_task(self._try(probe, inspected))
        if self._tries:
            await asyncio.wait(self._tries.values(), timeout=PATIENCE)
        self._harvest()
        return {key: result for key, result in self._results.items() if result}

    async def close(self) -> None:
        """Cancel the probes that are running."""
        await self._cancel(set(self._tries))

    async def _try(self, probe: Probe, inspected: InspectedContainer) -> str | None:
        async with self._free:
            try:
                return await probes.try_probe(self._engine, probe, inspected)
            except Stuck as error:
                return error.message
            except StepError as error:  # the engine failed, and not the container
                log.debug("a probe could not run", exc_info=error)
                return None
            except UNREADABLE as error:
                return explain_unreadable(error)

    def _harvest(self) -> None:
        done = [key for key, each in self._tries.items() if each.done()]
        self._results |= {key: self._tries.pop(key).result() for key in done}

    async def _cancel(self, keys: set[str]) -> None:
        cancelled = [self._tries.pop(key) for key in keys]
        for each in cancelled:
            each.cancel()
        await asyncio.gather(*cancelled, return_exceptions=True)

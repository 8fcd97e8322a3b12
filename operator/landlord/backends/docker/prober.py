"""Asks the probes of running containers again and again: one that hangs runs on, and serves nobody."""

import asyncio
import logging
from collections.abc import Mapping

from landlord.api.workload import Probe
from landlord.backends.docker import probes
from landlord.backends.docker.engine import Engine
from landlord.backends.docker.observed.container import Inspected
from landlord.errors import StepError

log = logging.getLogger(__name__)

PATIENCE = 3.0
"""Seconds that a survey waits for answers: longer than a probe's default timeout. The next survey tells of
those that take longer still."""
AT_ONCE = 100
"""Probes that are under way: each takes a connection."""


class Prober:
    """Has at most one try under way for each container."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._free = asyncio.Semaphore(AT_ONCE)
        self._tries: dict[str, asyncio.Task[str | None]] = {}
        self._said: dict[str, str | None] = {}

    async def problems(self, wanted: Mapping[str, tuple[Probe, Inspected]]) -> dict[str, str]:
        """Why the last try failed, by the id of each of these containers where it did.

        Asks each once more. What is known of others is forgotten.
        """
        self._said = {key: said for key, said in self._said.items() if key in wanted}
        await self._cancel(self._tries.keys() - wanted.keys())
        self._harvest()
        for key, (probe, inspected) in wanted.items():
            if key not in self._tries:
                self._tries[key] = asyncio.create_task(self._try(probe, inspected))
        if self._tries:
            await asyncio.wait(self._tries.values(), timeout=PATIENCE)
        self._harvest()
        return {key: said for key, said in self._said.items() if said}

    async def close(self) -> None:
        """Give up what is under way."""
        await self._cancel(set(self._tries))

    async def _try(self, probe: Probe, inspected: Inspected) -> str | None:
        async with self._free:
            try:
                return await probes.try_probe(self._engine, probe, inspected)
            except StepError as error:  # of the engine and not of the container
                log.debug("a probe could not be asked", exc_info=error)
                return None

    def _harvest(self) -> None:
        done = [key for key, each in self._tries.items() if each.done()]
        self._said |= {key: self._tries.pop(key).result() for key in done}

    async def _cancel(self, keys: set[str]) -> None:
        given_up = [self._tries.pop(key) for key in keys]
        for each in given_up:
            each.cancel()
        await asyncio.gather(*given_up, return_exceptions=True)

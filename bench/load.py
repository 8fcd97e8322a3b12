"""Create Tenants, and wait until all are Ready."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from bench.api import TenantApi
from bench.contenders import Contender
from bench.processes import Processes, growth
from bench.readiness import Readiness
from bench.stats import Run

AT_ONCE = 32
"""How many create requests run at the same time."""
TRAILING_SECONDS = 1.0
"""The run includes what the processes do in this time, such as the operator's reading of its last write."""
LONGEST_RUN = 600.0


@dataclass(frozen=True)
class Load:
    """Puts a load on the system and measures it."""

    api: TenantApi
    readiness: Readiness
    processes: Processes
    counters: Callable[[], dict[str, float]]

    async def run(
        self,
        contender: Contender,
        names: Sequence[str],
        manifest: Callable[[str], bytes],
        *,
        one_by_one: bool = False,
    ) -> Run:
        """Create Tenants, one by one or all at once, and wait until all are Ready."""
        creating = asyncio.Semaphore(AT_ONCE)

        async def one(name: str) -> float:
            ready = self.readiness.expect_ready(contender.namespace, name)
            async with creating:
                sent = time.perf_counter()
                created = await self.api.create(contender.namespace, manifest(name))
            await contender.finish(created)
            return await ready - sent

        async def work() -> list[float]:
            if one_by_one:
                return [await one(name) for name in names]
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(one(name)) for name in names]
            return [task.result() for task in tasks]

        return await self.measure(work)

    async def measure(self, work: Callable[[], Awaitable[Sequence[float]]]) -> Run:
        """Measure some work, which returns the latencies of its parts."""
        counters, cpu, began = self.counters(), self.processes.cpu(), time.perf_counter()
        async with asyncio.timeout(LONGEST_RUN):
            latencies = await work()
        seconds = time.perf_counter() - began
        await asyncio.sleep(TRAILING_SECONDS)
        return Run(
            seconds=seconds,
            latencies=latencies,
            cpu=growth(cpu, self.processes.cpu()),
            rss=self.processes.rss(),
            counters=growth(counters, self.counters()),
        )

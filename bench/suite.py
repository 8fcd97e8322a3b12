"""The measurements. landlord and the floor take turns, so that whatever slows the machine slows both."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count

import aiohttp

from bench import manifests
from bench.api import TenantApi, connecting
from bench.contenders import Contender, FloorContender, LandlordContender
from bench.engine import FloorEngine
from bench.load import Load
from bench.manifests import Sample
from bench.readiness import Readiness, watching
from bench.stats import Comparison, Run
from bench.system import MEASURED, System
from landlord.api.tenant import Tenant

WARM_UP = 20
"""Tenants of each contender before the measurement, to open connections and load modules."""
BLOCK = 10
"""Tenants of one contender in a row when they run one by one."""
_DELETE_SECONDS = 120.0


@dataclass(frozen=True)
class Suite:
    """The measurements on one running system."""

    system: System
    api: TenantApi
    readiness: Readiness
    load: Load
    landlord: LandlordContender
    floor: FloorContender
    sample: Sample
    _numbers: Iterator[int]

    def new_names(self, number: int) -> list[str]:
        """New names, all of the same length."""
        return [_name(next(self._numbers)) for _ in range(number)]

    async def one_by_one(self, tenants: int) -> Comparison:
        """Measure Tenants on the memory backend, each created when the previous one is Ready."""
        floor, landlord = [], []
        for _ in range(0, tenants, BLOCK):
            floor.append(await self._memory(self.floor, BLOCK, one_by_one=True))
            landlord.append(await self._memory(self.landlord, BLOCK, one_by_one=True))
        return Comparison("memory, one by one", True, landlord=landlord, floor=floor)

    async def at_once(self, tenants: int, rounds: int) -> Comparison:
        """Measure Tenants on the memory backend, all at the same time."""
        floor, landlord = [], []
        for _ in range(rounds):
            floor.append(await self._memory(self.floor, tenants))
            landlord.append(await self._memory(self.landlord, tenants))
        return Comparison(f"memory, {tenants} at once", False, landlord=landlord, floor=floor)

    async def docker(self, tenants: int, rounds: int) -> Comparison:
        """Measure Tenants on the Docker engine, all at the same time, beside containers without landlord."""
        floor, landlord = [], []
        async with self._keeping_docker_tenant() as tenant:
            with _using_floor_engine(tenant) as engine:
                for _ in range(rounds):
                    start = partial(asyncio.to_thread, engine.start, self.new_names(tenants))
                    floor.append(await self.load.measure(start))
                    await asyncio.to_thread(engine.remove)
                    names = self.new_names(tenants)
                    landlord.append(await self.load.run(self.landlord, names, manifests.docker))
                    await self.delete(names)
        return Comparison(f"docker, {tenants} at once", False, landlord=landlord, floor=floor)

    async def _memory(self, contender: Contender, tenants: int, *, one_by_one: bool = False) -> Run:
        return await self.load.run(
            contender, self.new_names(tenants), manifests.memory, one_by_one=one_by_one
        )

    async def delete(self, names: Sequence[str]) -> None:
        """Delete measured Tenants, and wait until they no longer exist."""
        gone = [self.readiness.expect_gone(MEASURED, name) for name in names]
        for name in names:
            await self.api.delete(MEASURED, name)
        async with asyncio.timeout(_DELETE_SECONDS):
            await asyncio.gather(*gone)

    @asynccontextmanager
    async def _keeping_docker_tenant(self) -> AsyncIterator[Tenant]:
        """A Tenant that keeps the network, which landlord removes with the last Tenant on it."""
        names = self.new_names(1)
        await self.load.run(self.landlord, names, manifests.docker)
        yield Tenant.model_validate(await self.api.get(MEASURED, names[0]))
        await self.delete(names)


@asynccontextmanager
async def warming_suite(system: System) -> AsyncIterator[Suite]:
    """The suite on a running system, after a warm-up."""
    numbers = count()
    async with (
        connecting(system.control_plane.kubeconfig) as api,
        aiohttp.ClientSession(system.restate.ingress_url, connector=aiohttp.TCPConnector(limit=0)) as ingress,
        watching(api) as readiness,
    ):
        load = Load(api, readiness, system.processes(), system.counters)
        landlord = LandlordContender()
        names = [_name(next(numbers)) for _ in range(WARM_UP)]
        await load.run(landlord, names, manifests.memory)
        sample = Sample(await api.get(MEASURED, names[0]))
        floor = FloorContender(api, ingress, sample)
        await load.run(floor, [_name(next(numbers)) for _ in range(WARM_UP)], manifests.memory)
        yield Suite(system, api, readiness, load, landlord, floor, sample, numbers)


@contextmanager
def _using_floor_engine(tenant: Tenant) -> Iterator[FloorEngine]:
    engine = FloorEngine(manifests.desired(tenant))
    try:
        yield engine
    finally:
        engine.remove()
        engine.close()


def _name(number: int) -> str:
    return f"tenant-{number:06}"

"""Delete Restate's store while the operator runs and work is in flight, and observe the repair."""

import asyncio
import random
import time
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial

from bench import manifests
from bench.api import TenantApi, connecting
from bench.contenders import LandlordContender
from bench.ledger import Ledger, find_first_begin
from bench.load import Load
from bench.manifests import Sample
from bench.observer import Observer
from bench.processes import OTHERS, growth
from bench.readiness import Readiness, is_ready, watching
from bench.repairs import Repair
from bench.system import MEASURED, System
from dev.failure import LocalFailure
from landlord.api.schema import JsonObject

LATEST_KILL = 0.4
"""The most seconds between the start of all work and the kill. It is random, to hit different places."""
LONGEST_PAUSE = 0.5
"""The most seconds that Restate stays stopped. It is random, so that the operator's waits can't match it."""
LONGEST_WAIT = 60.0
"""Seconds for work to begin, and for work to end. Work that has not ended by then is lost."""
_POLL_SECONDS = 0.01


class StoreLossRounds:
    """Rounds on one running system. Half of the Tenants in flight are new, the other half has changed."""

    def __init__(
        self,
        system: System,
        api: TenantApi,
        readiness: Readiness,
        ledger: Ledger,
        observer: Observer,
        *,
        in_flight: int,
        work: tuple[float, float],
    ) -> None:
        self._system = system
        self._api = api
        self._readiness = readiness
        self._ledger = ledger
        self._observer = observer
        self._work = [work[0] + (work[1] - work[0]) * n / max(1, in_flight - 1) for n in range(in_flight)]
        self._settled: deque[str] = deque()
        self._made = 0
        self._release = 0
        self._chance = random.Random(1)
        self._others = self._watched = 0.0

    @property
    def others(self) -> float:
        """How many cores everything else on the machine used while work was starting."""
        return self._others / self._watched

    async def settle(self, tenants: int) -> Sample:
        """Create Tenants, so that each kill finds this many, including those in flight. Returns a sample."""
        load = Load(self._api, self._readiness, self._system.processes(), self._system.counters)
        names = self._names(tenants - len(self._new_work))
        await load.run(LandlordContender(), names, partial(manifests.slow, seconds=0.0, release=0))
        self._settled.extend(names)
        return Sample(await self._api.get(MEASURED, names[0]))

    async def round(self) -> Repair:
        """Delete the store once, and wait until all work is done."""
        before = await self._api.list_all(MEASURED)
        ready = await self._begin(before)
        untouched = {name: _version(before[name]) for name in self._settled}
        worked_on = {name: len(self._ledger.entries(name)) for name in untouched}
        await asyncio.sleep(self._chance.uniform(0, LATEST_KILL))

        began = time.perf_counter()
        await asyncio.to_thread(self._system.restate.kill)
        killed = time.perf_counter()
        caught = [name for name, future in ready.items() if not future.done()]
        await asyncio.to_thread(self._system.restate.wipe)
        async with asyncio.TaskGroup() as group:
            watching = group.create_task(asyncio.to_thread(self._observer.watch))
            await asyncio.sleep(self._chance.uniform(0, LONGEST_PAUSE))
            await asyncio.to_thread(self._system.restate.start)
        seen = watching.result()
        await asyncio.wait(ready.values(), timeout=LONGEST_WAIT)

        over, after = time.perf_counter(), await self._api.list_all(MEASURED)
        # Work that had ended before the kill, but was not reported yet, need not begin again.
        begun = [
            find_first_begin(self._ledger.entries(name), killed)
            or (seen.answered if ready[name].done() else over)
            for name in caught
        ]
        ended = [ready[name].result() if ready[name].done() else over for name in caught]
        repair = Repair(
            away=seen.answered - began,
            registered=seen.registered - seen.answered,
            verified=seen.verified - seen.answered,
            resumed=max(begun, default=seen.answered) - seen.answered,
            ready=max(ended, default=seen.answered) - seen.answered,
            in_flight=len(caught),
            not_ready=[name for name, tenant in after.items() if not is_ready(tenant)],
            disturbed=[
                name
                for name, version in untouched.items()
                if _version(after[name]) != version or len(self._ledger.entries(name)) != worked_on[name]
            ],
        )
        await self._end(list(ready))
        return repair

    @property
    def _new_work(self) -> Sequence[float]:
        return self._work[::2]

    async def _begin(self, before: Mapping[str, JsonObject]) -> dict[str, asyncio.Future[float]]:
        """Create and change Tenants, and wait until work on all has begun. Returns when each is Ready."""
        processes = self._system.processes()
        cpu, began = processes.cpu(), time.perf_counter()
        self._release += 1
        new = self._names(len(self._new_work))
        changed = [self._settled.popleft() for _ in self._work[1::2]]
        seconds = dict(zip([*new, *changed], [*self._new_work, *self._work[1::2]], strict=True))
        generations = dict.fromkeys(new, 1) | {name: _generation(before[name]) + 1 for name in changed}
        ready = {name: self._readiness.expect_ready(MEASURED, name, at) for name, at in generations.items()}

        async def send(name: str) -> None:
            body = manifests.slow(name, seconds[name], self._release)
            if name in before:
                await self._api.merge(MEASURED, name, body)
            else:
                await self._api.create(MEASURED, body)

        await asyncio.gather(*map(send, seconds))
        waiting = set(seconds)
        while waiting:
            if time.perf_counter() - began > LONGEST_WAIT:
                raise LocalFailure(f"the backend did not start to work on {', '.join(sorted(waiting))}")
            await asyncio.sleep(_POLL_SECONDS)
            waiting = {
                name for name in waiting if find_first_begin(self._ledger.entries(name), began) is None
            }
        self._others += growth(cpu, processes.cpu())[OTHERS]
        self._watched += time.perf_counter() - began
        return ready

    async def _end(self, touched: Sequence[str]) -> None:
        """Delete the oldest Tenants, so that there are as many as before."""
        self._settled.extend(touched)
        oldest = [self._settled.popleft() for _ in self._new_work]
        gone = [self._readiness.expect_gone(MEASURED, name) for name in oldest]
        await asyncio.gather(*(self._api.delete(MEASURED, name) for name in oldest))
        async with asyncio.timeout(LONGEST_WAIT):
            await asyncio.gather(*gone)

    def _names(self, number: int) -> list[str]:
        self._made += number
        return [f"tenant-{n:06}" for n in range(self._made - number, self._made)]


@asynccontextmanager
async def running_rounds(
    system: System, ledger: Ledger, *, in_flight: int, work: tuple[float, float]
) -> AsyncIterator[StoreLossRounds]:
    """Rounds with a watch of all Tenants."""
    revision = await asyncio.to_thread(system.revision)
    observer = Observer(system.restate.admin_url, system.worker.url, system.operator.url, revision)
    async with connecting(system.control_plane.kubeconfig) as api, watching(api) as readiness:
        yield StoreLossRounds(system, api, readiness, ledger, observer, in_flight=in_flight, work=work)


def _version(tenant: JsonObject) -> str:
    return str(tenant["metadata"]["resourceVersion"])


def _generation(tenant: JsonObject) -> int:
    return int(tenant["metadata"]["generation"])

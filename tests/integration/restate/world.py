"""A Restate, a worker, an engine that keeps the one registered in the other, and what can happen to them."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from tests.integration.restate.parts import RunningEngine, ScriptedWorker, running
from tests.support.polling import eventually_async
from tests.support.proxy import Behaviour, Proxy

from dev.restate import RestateServer
from landlord import metrics
from landlord.api.names import WORKFLOW_SERVICE
from landlord.engines.restate.admin import Admin
from landlord.engines.restate.http import HttpClient
from landlord.engines.restate.seen import Deployment
from landlord.engines.restate.verdict import Policy

DAY = 86_400.0


class Proxies:
    """What stands between the operator and Restate, if anything does."""

    def __init__(self, restate: RestateServer) -> None:
        self.admin, self.ingress = Proxy(restate.admin_url), Proxy(restate.ingress_url)
        self.admin_url, self.ingress_url = self.admin.url, self.ingress.url

    async def start(self) -> None:
        await self.admin.start()
        await self.ingress.start()

    async def stop(self) -> None:
        await self.admin.stop()
        await self.ingress.stop()


class World:
    """The parts of one test. `other` is a worker that is not the operator's."""

    def __init__(
        self,
        restate: RestateServer,
        worker: ScriptedWorker,
        other: ScriptedWorker,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        self.restate, self.worker, self.other = restate, worker, other
        self.proxies = Proxies(restate)
        self.patch = monkeypatch
        self._engines: list[RunningEngine] = []

    @asynccontextmanager
    async def operated(
        self, policy: Policy = "enforce", *, behind_proxies: bool = False
    ) -> AsyncIterator[RunningEngine]:
        """Have an operator's engine run."""
        through = self.proxies if behind_proxies else None
        async with running(self.restate, self.worker, policy, through=through) as engine:
            self._engines.append(engine)
            yield engine

    def look(self) -> None:
        """Have operators that run look now, and not only some seconds later."""
        for engine in self._engines:
            engine.kick()

    async def until(self, reason: str) -> None:
        """Wait until operators that run say so."""
        for engine in self._engines:
            await engine.until(reason)

    async def registered(self) -> Deployment | None:
        """What Restate says that it runs the workflow on."""
        async with self._restate() as http:
            return await Admin(http).latest(WORKFLOW_SERVICE)

    async def handlers(self) -> set[str]:
        """What Restate says that the workflow can do."""
        async with self._restate() as http:
            answer = await http.request("GET", f"/services/{WORKFLOW_SERVICE}")
        return {handler["name"] for handler in json.loads(answer.body)["handlers"]}

    async def by_hand(self, method: str, path: str, **body: object) -> None:
        """What a person does with Restate's admin API."""
        async with self._restate() as http:
            answer = await http.request(method, path, body=json.dumps(body).encode() if body else None)
        assert answer.status in (200, 201, 202), answer
        self.look()

    @asynccontextmanager
    async def _restate(self) -> AsyncIterator[HttpClient]:
        http = HttpClient("Restate", self.restate.admin_url)
        yield http
        await http.close()


Happening = Callable[[World], Awaitable[None]]


def each(*happenings: Happening) -> Happening:
    """One after the other."""

    async def happen(world: World) -> None:
        for happening in happenings:
            await happening(world)

    return happen


def until(reason: str) -> Happening:
    """Landlord says that reason."""

    async def said(world: World) -> None:
        await world.until(reason)

    return said


def rejections() -> float:
    (family,) = metrics.registration_attempts.labels("rejected").collect()
    return next(sample.value for sample in family.samples if sample.name.endswith("_total"))


def tried_again(*happenings: Happening) -> Happening:
    """They happen, and landlord makes an attempt after them, which is refused."""

    async def happen(world: World) -> None:
        before = rejections()
        for happening in happenings:
            await happening(world)

        async def rejected() -> bool:
            return rejections() > before

        await eventually_async(rejected, what="another attempt")

    return happen


async def some_time_passes(world: World) -> None:
    """Time in which landlord would act if it wanted to."""
    world.look()
    await asyncio.sleep(0.5)


async def is_looked_at(world: World) -> None:
    """Landlord looks, and finds all well."""
    before = metrics.registration_last_verified.collect()

    async def verified_again() -> bool:
        return metrics.registration_last_verified.collect() != before

    world.look()
    await eventually_async(verified_again, what="another look")


# Restate


async def restate_stops(world: World) -> None:
    await asyncio.to_thread(world.restate.stop)


async def restate_is_killed(world: World) -> None:
    await asyncio.to_thread(world.restate.kill)


async def restate_starts(world: World) -> None:
    await asyncio.to_thread(world.restate.start)


async def store_is_wiped(world: World) -> None:
    await asyncio.to_thread(world.restate.kill)
    await asyncio.to_thread(world.restate.wipe)


async def node_is_renamed(world: World) -> None:
    await asyncio.to_thread(world.restate.stop)
    world.restate.node_name = "renamed"


# What is registered in it


async def deployment_is_deleted(world: World) -> None:
    found = await world.registered()
    assert found is not None
    await world.by_hand("DELETE", f"/deployments/{found.id}?force=true")


def made_private(service: str) -> Happening:
    """Somebody has the ingress reject all requests to it."""

    async def private(world: World) -> None:
        await world.by_hand("PATCH", f"/services/{service}", public=False)

    return private


def registered_by_hand(worker: Callable[[World], ScriptedWorker], *, force: bool = True) -> Happening:
    async def registered(world: World) -> None:
        await world.by_hand("POST", "/deployments", uri=worker(world).url, force=force)

    return registered


async def other_worker_takes_over_in_vain(world: World) -> None:
    """Somebody registers it, and landlord takes the workflow back."""

    async def taken_back() -> bool:
        found = await world.registered()
        return found is not None and found.uri.startswith(world.worker.url)

    await registered_by_hand(other)(world)
    await eventually_async(taken_back, what="our worker is registered again")
    await world.until("Registered")


def ours(world: World) -> ScriptedWorker:
    return world.worker


def other(world: World) -> ScriptedWorker:
    return world.other


# Workers


async def worker_is_killed(world: World) -> None:
    await asyncio.to_thread(world.worker.kill)
    await world.until("WorkerUnreachable")


def worker_starts(**options: str) -> Happening:
    async def starts(world: World) -> None:
        await asyncio.to_thread(world.worker.start, **options)

    return starts


def worker_becomes(**options: str) -> Happening:
    """It is replaced by another one at the same URL; without options, by the one that it should be."""
    return each(worker_is_killed, worker_starts(**options))


def other_worker_becomes(**options: str) -> Happening:
    async def becomes(world: World) -> None:
        await asyncio.to_thread(world.other.kill)
        await asyncio.to_thread(world.other.start, **options)

    return becomes


async def restate_gives_up_on_it(world: World) -> None:
    """A worker that comes back sooner is registered after all, by the attempt that goes on in Restate."""
    await asyncio.sleep(2.5)


async def worker_freezes(world: World) -> None:
    world.worker.freeze()
    world.look()


async def worker_thaws(world: World) -> None:
    world.worker.thaw()


# What is between them


def admin(does: Callable[[Proxy], Behaviour]) -> Happening:
    async def happens(world: World) -> None:
        world.proxies.admin.does = does(world.proxies.admin)
        world.look()

    return happens


def ingress(does: Callable[[Proxy], Behaviour]) -> Happening:
    async def happens(world: World) -> None:
        world.proxies.ingress.does = does(world.proxies.ingress)
        world.look()

    return happens


async def admin_goes_away(world: World) -> None:
    await world.proxies.admin.stop()


async def admin_comes_back(world: World) -> None:
    await world.proxies.admin.start()


async def ingress_goes_away(world: World) -> None:
    await world.proxies.ingress.stop()
    world.look()


async def ingress_comes_back(world: World) -> None:
    await world.proxies.ingress.start()


# The operator


def registrations_time_out_after(seconds: float) -> Happening:
    """Landlord waits for the answer to a registration for less long than it does otherwise."""

    async def set_(world: World) -> None:
        world.patch.setattr("landlord.engines.restate.admin.REGISTER_SECONDS", seconds)

    return set_


def clock_jumps(seconds: float) -> Happening:
    """The clock on the wall, not the one that measures how long things take."""

    async def jumps(world: World) -> None:
        real = time.time
        world.patch.setattr(time, "time", lambda: real() + seconds)

    return jumps

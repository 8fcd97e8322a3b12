"""The operator's main: puts the parts together and runs them until it is told to stop or one of them fails.

Crash-only: whatever ends unexpectedly ends the process with its error, and the next one starts from what the
API server and the engine know.
"""

import asyncio
import logging
import os
import signal
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime

from landlord import metrics, server
from landlord.api.conditions import WORKFLOW_REGISTERED, shortened
from landlord.api.request import Request
from landlord.api.schema import JsonObject
from landlord.api.tenant import Key
from landlord.controller.act.flights import Flights
from landlord.controller.act.leader import Leader
from landlord.controller.act.queue import WorkQueue
from landlord.controller.act.reconcile import Reconciler, work
from landlord.controller.decide import lifecycle
from landlord.controller.decide.news import RegistrationNews
from landlord.controller.decide.plan import desired
from landlord.controller.kube import KubeClient
from landlord.controller.tell.events import Recorder, Regarding
from landlord.controller.tell.sweep import Sweep
from landlord.controller.watch.cache import Cache
from landlord.controller.watch.deletion_ledger import MassDeletion, limits_of
from landlord.controller.watch.gates import Gates
from landlord.controller.watch.preflight import cache_filled, look, preflight, there_now
from landlord.controller.watch.relist import relist
from landlord.controller.watch.restate_pods import RestatePods
from landlord.controller.watch.surveyor import Surveyor
from landlord.controller.watch.tenants import Watch
from landlord.engines.contract import Progress, Registration, WorkflowEngine
from landlord.engines.report import OperatorReport, report
from landlord.errors import LandlordError
from landlord.kubernetes_api import load_configuration
from landlord.settings import OperatorSettings

log = logging.getLogger(__name__)

CONCURRENCY = 64
"""Tenants that are reconciled at the same time; each holds its task for PATIENCE at most."""


FIRST_WORD_SECONDS = 3.0
"""How long reconciling waits at start for the engine to say whether the workflow is registered."""


class WatchEnded(LandlordError):
    """The watch ended without being asked to: the process must be started again."""


class Operator:
    """All parts of one operator process."""

    def __init__(self, settings: OperatorSettings, engine: WorkflowEngine, kube: KubeClient) -> None:
        self._settings = settings
        self._engine = engine
        self._kube = kube
        self._gates = Gates()
        self._first_word = asyncio.Event()
        self._cache = Cache()
        self._queue: WorkQueue[Key] = WorkQueue()
        self._flights = Flights(engine, self._queue.add)
        self._identity = f"{socket.gethostname()}-{os.getpid()}"
        self._events = Recorder(kube, self._identity)
        self._registration_news = RegistrationNews()
        self._leader = Leader(kube, settings.namespace, self._identity)
        self._lease: Regarding | None = None
        """Once it is ours."""
        self._mass_deletion = (
            MassDeletion(kube, limits_of(settings), self._cache.__len__, self._queue.add)
            if settings.mass_deletion_count
            else None
        )
        self._surveyor = Surveyor(
            self._cache,
            engine.survey,
            self._inspect,
            lambda key: self._flights.get(key) is not None,
            self._queue.add,
            settings.survey_seconds,
            lambda: datetime.now(UTC),
        )
        self._reconciler = Reconciler(
            self._cache,
            self._queue,
            self._flights,
            engine,
            kube,
            self._events,
            self._surveyor,
            self._mass_deletion,
            settings.default_backend,
            lambda: datetime.now(UTC),
        )
        self._sweep = Sweep(self._cache.all_keys, self._is_outdated, self._settle, self._queue.add)
        self._restate_pods = (
            RestatePods(
                kube, settings.restate_namespace, settings.restate_pod_selector, self._gates, engine.kick
            )
            if settings.watches_restate
            else None
        )

    async def run(self) -> None:
        """Run until cancelled. Raises what ends it."""
        settings = self._settings
        runner = await server.serve(settings.http_bind, self._readiness, self._report, self._take_census)
        loop = asyncio.get_running_loop()

        def hand_over(kind: str | None, body: JsonObject) -> None:
            loop.call_soon_threadsafe(self._seen, kind, body)

        watch = Watch(settings.watch_namespaces, hand_over)
        try:
            await preflight(self._kube, settings, self._gates)
            if self._restate_pods:
                await self._restate_pods.check_selector()
            there = await there_now(self._kube, settings.watch_namespaces)
            async with asyncio.TaskGroup() as group:
                group.create_task(_until_ended(watch.start()))
                await cache_filled(self._kube, settings.watch_namespaces, there, self._cache, self._gates)
                await self._lead(group)
        finally:
            watch.stop()
            if self._lease:  # given up only now, when nothing acts by it any more
                await self._leader.release()
            await self._engine.close()
            await runner.cleanup()

    # What the engine tells: landlord.engines.Listener.

    def registration_changed(self, registration: Registration) -> None:
        """Wake every Tenant that waits for something; the settled ones hear of it later."""
        self._first_word.set()
        metrics.registration_up.set(registration.ready)
        metrics.registration_state.clear()
        metrics.registration_state.labels(registration.reason).set(1)
        self._gates.set("registration", registration.ready, f"{registration.reason}: {registration.message}")
        answers = registration.status != "Unknown"
        self._gates.set("engine", answers, "answers" if answers else registration.message)
        for key in list(self._cache.unsettled):
            self._queue.add(key)
        self._sweep.registration_changed(registration)
        news = self._registration_news.of(registration, self._engine.history)
        if news and self._lease:
            self._events.tell(self._lease, news)

    def progressed(self, request: Request, progress: Progress) -> None:
        """Pass news of a workflow on to its Tenant."""
        self._flights.progressed(request, progress)

    async def _lead(self, group: asyncio.TaskGroup) -> None:
        if not self._settings.leader_election:
            self._gates.set("leader", True, "leader election is off")
            metrics.leader.set(1)
            await self._act(group)
            return
        for gate in ("leader", "engine", "registration"):
            self._gates.set(gate, False, "standing by: another replica leads, and asks Restate")
        await self._leader.acquire()
        self._gates.set("leader", True, "leading")
        self._lease = Regarding.lease(self._settings.namespace, self._leader.uid)
        group.create_task(self._leader.keep())
        await self._act(group)

    async def _act(self, group: asyncio.TaskGroup) -> None:
        serving = group.create_task(self._engine.serve(self))
        if self._restate_pods:
            group.create_task(self._restate_pods.run())
        group.create_task(self._sweep.run())
        group.create_task(relist(self._kube, self._settings.watch_namespaces, self._cache, self._unseen))
        group.create_task(self._events.run())
        if self._mass_deletion:
            group.create_task(self._mass_deletion.run())
        with suppress(TimeoutError):
            # So that what is known in a moment is not first written down as unknown.
            async with asyncio.timeout(FIRST_WORD_SECONDS):
                await self._first_word.wait()
        metrics.export_as_leader()
        for key in self._cache.all_keys():
            self._queue.add(key)
        for _ in range(CONCURRENCY):
            group.create_task(work(self._queue, self._reconciler))
        group.create_task(self._survey())
        await serving

    def _seen(self, kind: str | None, body: JsonObject) -> None:
        metadata = body["metadata"]
        key = Key(metadata["namespace"], metadata["name"])
        if self._mass_deletion:
            self._mass_deletion.ledger.take(kind, key, body)
        gone = kind == "DELETED"
        heirs = self._cache.drop(key, metadata["uid"]) if gone else self._cache.put(body)
        for each in (*heirs, key):
            self._queue.add(each)

    def _unseen(self, key: Key, uid: str) -> None:
        self._seen("DELETED", {"metadata": {"namespace": key.namespace, "name": key.name, "uid": uid}})

    async def _survey(self) -> None:
        # Not at once: a start has enough to do, and what it finds unfinished comes first.
        await asyncio.sleep(self._settings.survey_seconds)
        await self._surveyor.run()

    async def _inspect(self, key: Key) -> Sequence[str]:
        tenant = self._cache.get(key)
        if tenant is None or tenant.spec is None or tenant.status.provider is None:
            return ()
        if lifecycle.reached(tenant) != "Active":
            return ()  # what the survey says is all that there is to say of one at rest
        provider = tenant.status.provider
        return await self._engine.inspect(provider, desired(tenant, tenant.spec, provider))

    def _settle(self, registration: Registration) -> None:
        self._reconciler.steady = registration

    def _is_outdated(self, key: Key, registration: Registration) -> bool:
        """Whether a Tenant says otherwise. Who waits for work does not: they hear of every change at once."""
        said = self._cache.condition(key, WORKFLOW_REGISTERED)
        return said != (registration.status, registration.reason, shortened(registration.message))

    async def _readiness(self) -> tuple[bool, JsonObject]:
        if self._gates.passed("cache"):  # before that, the start itself looks
            await look(self._kube, self._settings.watch_namespaces, self._gates)
        return self._gates.ready, self._gates.report()

    def _report(self) -> OperatorReport:
        leading = self._gates.passed("leader")
        return report(leading, self._settings.worker_url, self._engine.registration, self._engine.history)

    def _take_census(self) -> None:
        metrics.queue_depth.set(len(self._queue))
        metrics.mass_deletion_held.set(len(self._mass_deletion.ledger.held) if self._mass_deletion else 0)
        metrics.tenants.clear()
        for (phase, provider), count in self._cache.census().items():
            metrics.tenants.labels(phase, provider).set(count)
        metrics.tenants_unready_since.clear()
        for phase, since in self._cache.unready_since().items():
            metrics.tenants_unready_since.labels(phase).set(since.timestamp())


async def _until_ended(watch: "asyncio.Future[None]") -> None:
    await watch
    raise WatchEnded("the watch on Tenants ended; the process must be started again")


async def main(settings: OperatorSettings, make_engine: Callable[[], WorkflowEngine]) -> None:
    """Run the operator until SIGTERM or SIGINT. Raises SettingsError, or what ended it."""
    kube = KubeClient(await load_configuration())
    operator = Operator(settings, make_engine(), kube)
    task = asyncio.create_task(operator.run())
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    try:
        with suppress(asyncio.CancelledError):
            await task
    finally:
        await kube.close()

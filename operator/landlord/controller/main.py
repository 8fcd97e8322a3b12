"""The operator's main: puts the parts together and runs them until it is cancelled or one of them fails.

Crash-only: a part that ends unexpectedly ends the process with its error, and the next process starts from
what the API server and the engine know.
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
from landlord.controller.decide.registration_news import RegistrationNews
from landlord.controller.decide.request import build_desired
from landlord.controller.kube import KubeClient
from landlord.controller.tell.events import Recorder, Regarding
from landlord.controller.tell.sweep import Sweep
from landlord.controller.watch.cache import Cache
from landlord.controller.watch.deletion_ledger import MassDeletion, read_limits
from landlord.controller.watch.gates import Gates
from landlord.controller.watch.preflight import (
    check_api_server,
    list_versions,
    run_preflight,
    wait_for_cache,
)
from landlord.controller.watch.relist import relist
from landlord.controller.watch.restate_pods import RestatePods
from landlord.controller.watch.surveyor import Surveyor
from landlord.controller.watch.tenants import TenantWatch
from landlord.engines.contract import Progress, Registration, WorkflowEngine
from landlord.engines.report import OperatorReport, report
from landlord.settings import OperatorSettings

log = logging.getLogger(__name__)

CONCURRENCY = 64
"""Tenants that are reconciled at the same time; each occupies its task for PATIENCE at most."""

REGISTRATION_SECONDS = 3.0
"""How long reconciling waits at start for the engine to report whether the workflow is registered."""


class Operator:
    """All parts of one operator process."""

    def __init__(self, settings: OperatorSettings, engine: WorkflowEngine, kube: KubeClient) -> None:
        self._settings = settings
        self._engine = engine
        self._kube = kube
        self._gates = Gates()
        self._is_registration_known = asyncio.Event()
        self._missed = asyncio.Event()
        """Set when Tenants may have been deleted unseen."""
        self._watch = TenantWatch(settings.watch_namespaces, self._observe)
        self._cache = Cache()
        self._queue: WorkQueue[Key] = WorkQueue()
        self._flights = Flights(engine, self._queue.add)
        self._identity = f"{socket.gethostname()}-{os.getpid()}"
        self._events = Recorder(kube, self._identity)
        self._registration_news = RegistrationNews()
        self._leader = Leader(kube, settings.namespace, self._identity)
        self._lease: Regarding | None = None
        """Set once it is ours."""
        self._mass_deletion = (
            MassDeletion(kube, read_limits(settings), self._cache.__len__, self._queue.add)
            if settings.mass_deletion_count
            else None
        )
        self._surveyor = Surveyor(
            cache=self._cache,
            survey=engine.survey,
            inspect=self._inspect,
            is_at_work=lambda key: self._flights.get(key) is not None,
            add=self._queue.add,
            interval=settings.survey_seconds,
            clock=lambda: datetime.now(UTC),
        )
        self._reconciler = Reconciler(
            cache=self._cache,
            queue=self._queue,
            flights=self._flights,
            engine=engine,
            kube=kube,
            events=self._events,
            surveyor=self._surveyor,
            mass_deletion=self._mass_deletion,
            default_provider=settings.default_backend,
            clock=lambda: datetime.now(UTC),
        )
        self._sweep = Sweep(self._cache.list_keys, self._is_outdated, self._settle, self._queue.add)
        self._restate_pods = self._build_restate_pods()

    def _build_restate_pods(self) -> RestatePods | None:
        if not self._settings.watches_restate:
            return None
        return RestatePods(
            kube=self._kube,
            namespace=self._settings.restate_namespace,
            selector=self._settings.restate_pod_selector,
            gates=self._gates,
            on_change=self._engine.kick,
        )

    async def run(self) -> None:
        """Run until cancelled. Raises the error that ends it."""
        settings = self._settings
        runner = await server.serve(
            settings.http_bind, self._check_readiness, self._report, self._update_gauges
        )
        try:
            await run_preflight(self._kube, settings, self._gates)
            if self._restate_pods:
                await self._restate_pods.check_selector()
            existing = await list_versions(self._kube, settings.watch_namespaces)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._watch.run(self._missed))
                await wait_for_cache(
                    self._kube, settings.watch_namespaces, set(existing), self._cache, self._gates
                )
                await self._lead(group)
        finally:
            if self._lease:  # only now, because nothing acts under it from here on
                await self._leader.release()
            await self._engine.close()
            await runner.cleanup()

    # The engine calls these: landlord.engines.contract.Listener.

    def registration_changed(self, registration: Registration) -> None:
        """Requeue every Tenant that waits for something; the settled ones follow later."""
        self._is_registration_known.set()
        metrics.registration_up.set(registration.ready)
        metrics.registration_state.clear()
        metrics.registration_state.labels(registration.reason).set(1)
        self._gates.set("registration", registration.ready, f"{registration.reason}: {registration.message}")
        answers = registration.status != "Unknown"
        self._gates.set("engine", answers, "answers" if answers else registration.message)
        for key in list(self._cache.unsettled):
            self._queue.add(key)
        self._sweep.follow(registration)
        news = self._registration_news.find_news(registration, self._engine.history)
        if news and self._lease:
            self._events.record(self._lease, news)

    def progressed(self, request: Request, progress: Progress) -> None:
        """Pass the progress of a workflow on to its Tenant."""
        self._flights.update_progress(request, progress)

    async def _lead(self, group: asyncio.TaskGroup) -> None:
        if not self._settings.leader_election:
            self._gates.set("leader", True, "leader election is off")
            metrics.leader.set(1)
            await self._act(group)
            return
        for gate in ("leader", "engine", "registration"):
            self._gates.set(gate, False, "standing by: another replica leads and checks this")
        await self._leader.acquire()
        self._gates.set("leader", True, "leading")
        self._lease = Regarding.of_lease(self._settings.namespace, self._leader.uid)
        group.create_task(self._leader.keep())
        await self._act(group)

    async def _act(self, group: asyncio.TaskGroup) -> None:
        serving = group.create_task(self._engine.serve(self))
        if self._restate_pods:
            group.create_task(self._restate_pods.run())
        group.create_task(self._sweep.run())
        group.create_task(
            relist(
                kube=self._kube,
                namespaces=self._settings.watch_namespaces,
                cache=self._cache,
                drop=self._forget,
                restart=self._watch.restart,
                missed=self._missed,
            )
        )
        group.create_task(self._events.run())
        if self._mass_deletion:
            group.create_task(self._mass_deletion.run())
        with suppress(TimeoutError):
            # So that no status reports as unknown what landlord knows a moment later.
            async with asyncio.timeout(REGISTRATION_SECONDS):
                await self._is_registration_known.wait()
        metrics.export_as_leader()
        for key in self._cache.list_keys():
            self._queue.add(key)
        for _ in range(CONCURRENCY):
            group.create_task(work(self._queue, self._reconciler))
        group.create_task(self._survey())
        await serving

    def _observe(self, kind: str | None, body: JsonObject) -> None:
        metadata = body["metadata"]
        key = Key(metadata["namespace"], metadata["name"])
        if self._mass_deletion:
            self._mass_deletion.ledger.update(kind, key, body)
        is_gone = kind == "DELETED"
        waiting = self._cache.drop(key, metadata["uid"]) if is_gone else self._cache.put(body)
        for each in (*waiting, key):
            self._queue.add(each)

    def _forget(self, key: Key, uid: str) -> None:
        self._observe("DELETED", {"metadata": {"namespace": key.namespace, "name": key.name, "uid": uid}})

    async def _survey(self) -> None:
        # Not at once, because unfinished work comes first after a start.
        await asyncio.sleep(self._settings.survey_seconds)
        await self._surveyor.run()

    async def _inspect(self, key: Key) -> Sequence[str]:
        tenant = self._cache.get(key)
        if tenant is None or tenant.spec is None or tenant.status.provider is None:
            return ()
        if lifecycle.find_reached_state(tenant) != "Active":
            return ()  # of a tenant that does not run, the survey has found everything
        provider = tenant.status.provider
        return await self._engine.inspect(provider, build_desired(tenant, tenant.spec, provider))

    def _settle(self, registration: Registration) -> None:
        self._reconciler.steady = registration

    def _is_outdated(self, key: Key, registration: Registration) -> bool:
        """Whether a settled Tenant reports another registration; the others report each change at once."""
        reported = self._cache.get_condition(key, WORKFLOW_REGISTERED)
        return reported != (registration.status, registration.reason, shortened(registration.message))

    async def _check_readiness(self) -> tuple[bool, JsonObject]:
        if self._gates.has_passed("cache"):  # before that, the start itself checks
            await check_api_server(self._kube, self._settings.watch_namespaces, self._gates)
            self._gates.set("watch", *self._watch.seen.report())
        return self._gates.is_ready, self._gates.report()

    def _report(self) -> OperatorReport:
        leading = self._gates.has_passed("leader")
        return report(leading, self._settings.worker_url, self._engine.registration, self._engine.history)

    def _update_gauges(self) -> None:
        metrics.queue_depth.set(len(self._queue))
        metrics.mass_deletion_held.set(
            len(self._mass_deletion.ledger.list_held()) if self._mass_deletion else 0
        )
        metrics.tenants.clear()
        for (phase, provider), count in self._cache.count_tenants().items():
            metrics.tenants.labels(phase, provider).set(count)
        metrics.tenants_unready_since.clear()
        for phase, since in self._cache.find_unready_since().items():
            metrics.tenants_unready_since.labels(phase).set(since.timestamp())


async def main(settings: OperatorSettings, make_engine: Callable[[], WorkflowEngine]) -> None:
    """Run the operator until SIGTERM or SIGINT. Raises SettingsError, or the error that ended it."""
    kube = KubeClient()
    await kube.connect()
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

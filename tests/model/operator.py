"""One operator process: its real parts, on the API server, the engine and the clock of the model.

What is lost with the process is in here, and nothing else.
"""

import asyncio
from typing import cast

from tests.model.api_server import Crash, ModelApi
from tests.model.engine import ModelEngine
from tests.model.loop import ModelLoop

from landlord.api.schema import JsonObject
from landlord.api.tenant import Key
from landlord.controller.act.flights import Flights
from landlord.controller.act.queue import WorkQueue
from landlord.controller.act.reconcile import Reconciler
from landlord.controller.kube import KubeClient
from landlord.controller.tell.events import Recorder
from landlord.controller.watch.cache import Cache
from landlord.controller.watch.surveyor import Surveyor
from landlord.engines.contract import Registration, WorkflowEngine
from landlord.kubernetes_api import KubeError

SURVEY_SECONDS = 20.0


class _Silence:
    """Records no Event."""

    def record(self, *_: object) -> None:
        return None


class ModelOperator:
    """Begins with a list of all Tenants, as each start does."""

    def __init__(self, loop: ModelLoop, api: ModelApi, engine: ModelEngine) -> None:
        self._loop, self._api, self._engine = loop, api, engine
        self.cache = Cache()
        self.queue: WorkQueue[Key] = WorkQueue()
        self.flights = Flights(cast(WorkflowEngine, engine), self.queue.add)
        surveyor = Surveyor(
            cache=self.cache,
            survey=engine.survey,
            inspect=lambda _: engine.inspect("model", None),  # type: ignore[arg-type]  # it knows nothing more
            is_at_work=lambda key: self.flights.get(key) is not None,
            add=self.queue.add,
            interval=SURVEY_SECONDS,
            clock=loop.now,
        )
        self.reconciler = Reconciler(
            cache=self.cache,
            queue=self.queue,
            flights=self.flights,
            engine=cast(WorkflowEngine, engine),
            kube=cast(KubeClient, api),
            events=cast(Recorder, _Silence()),
            surveyor=surveyor,
            mass_deletion=None,
            default_provider="model",
            clock=loop.now,
        )
        self._before = asyncio.all_tasks(loop)
        self._surveys = loop.create_task(surveyor.run())
        api.watch.clear()
        for key, body in api.objects.items():
            self.observe("ADDED", key, body)

    def observe(self, kind: str, key: Key, body: JsonObject) -> None:
        """Take in one event of the watch, as the operator's main does."""
        uid = body["metadata"]["uid"]
        waiting = self.cache.drop(key, uid) if kind == "DELETED" else self.cache.put(body)
        for each in (*waiting, key):
            self.queue.add(each)

    def hear(self, registration: Registration) -> None:
        """Take in a changed registration, as the operator's main does."""
        self._engine.registration = registration
        for key in list(self.cache.unsettled):
            self.queue.add(key)

    def track(self) -> None:
        """Hear of the progress of all work."""
        for work in self._engine.unfinished():
            self.flights.update_progress(work.request, work.progress())

    def reconcile(self) -> bool:
        """Reconcile the next Tenant, if one waits. Returns False if the process was killed meanwhile."""
        if not len(self.queue):
            return True
        try:
            self._loop.run(self._reconcile())
        except Crash:
            return False
        return True

    async def _reconcile(self) -> None:
        key = await self.queue.get()
        try:
            await self.reconciler.reconcile(key)
        except KubeError:
            self.queue.retry(key)
        finally:
            self.queue.finish(key)

    def die(self) -> None:
        """End all that this process does, at once."""
        assert not self._surveys.done(), self._surveys
        mine = asyncio.all_tasks(self._loop) - self._before
        for task in mine:
            task.cancel()
        self.queue = WorkQueue()  # timers that are still set reach nobody
        self._loop.pass_time()

"""Observe when each Tenant becomes Ready and when it is deleted, with one watch and without polling."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bench.api import TenantApi
from landlord.api.conditions import READY
from landlord.api.schema import JsonObject

Name = tuple[str, str]
"""Namespace and name."""


class Readiness:
    """The expected changes, as futures. Their results are times of `time.perf_counter`."""

    def __init__(self) -> None:
        self._ready: dict[Name, tuple[int, asyncio.Future[float]]] = {}
        self._gone: dict[Name, asyncio.Future[float]] = {}

    def expect_ready(self, namespace: str, name: str, generation: int = 1) -> asyncio.Future[float]:
        """The time at which the Tenant is Ready at this generation or a later one.

        Call this before you create or change the Tenant.
        """
        future: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._ready[namespace, name] = (generation, future)
        return future

    def expect_gone(self, namespace: str, name: str) -> asyncio.Future[float]:
        """The time at which the Tenant no longer exists. Call this before you delete it."""
        return self._gone.setdefault((namespace, name), asyncio.get_running_loop().create_future())

    def process_event(self, event: JsonObject) -> None:
        """Process an event of the watch."""
        if event["type"] == "ERROR":
            raise RuntimeError(f"the watch failed: {event['object']}")
        metadata = event["object"]["metadata"]
        name = (metadata["namespace"], metadata["name"])
        if event["type"] == "DELETED":
            if name in self._gone:
                self._gone.pop(name).set_result(time.perf_counter())
            return
        generation, future = self._ready.get(name, (0, None))
        if future is not None and metadata["generation"] >= generation and is_ready(event["object"]):
            del self._ready[name]
            future.set_result(time.perf_counter())


def is_ready(tenant: JsonObject) -> bool:
    """Whether the status reports Ready for the current generation."""
    return any(
        condition["type"] == READY
        and condition["status"] == "True"
        and condition["observedGeneration"] == tenant["metadata"]["generation"]
        for condition in tenant.get("status", {}).get("conditions", ())
    )


@asynccontextmanager
async def watching(api: TenantApi) -> AsyncIterator[Readiness]:
    """Watch while the body runs. If the watch fails, the body is cancelled."""
    readiness = Readiness()

    async def follow(since: str) -> None:
        while True:  # the server can end a watch at any time
            async for event in api.watch(since):
                readiness.process_event(event)
                since = event["object"]["metadata"]["resourceVersion"]

    async with asyncio.TaskGroup() as group:
        task = group.create_task(follow(await api.read_resource_version()))
        yield readiness
        task.cancel()

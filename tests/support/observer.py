"""A watch on Tenants without an operator, and what it has reported so far."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.support.polling import eventually_async
from tests.support.specs import memory

from dev.kubectl import Kubectl
from landlord.api.names import API_VERSION, KIND
from landlord.api.schema import JsonObject
from landlord.controller.watch.tenants import TenantWatch


class Observer:
    """Watches the Tenants of one namespace as $KUBECONFIG says. `missed` is what the watch sets."""

    def __init__(self, kubectl: Kubectl, namespace: str) -> None:
        self._kubectl, self._namespace = kubectl, namespace
        self._seen: set[str] = set()
        self._numbers = itertools.count()
        self.missed = asyncio.Event()
        self._watch = TenantWatch([namespace], self._note)

    @asynccontextmanager
    async def watching(self) -> AsyncIterator["Observer"]:
        """Watch meanwhile. Fails if the watch gives up."""
        task = asyncio.create_task(self._watch.run(self.missed))
        yield self
        assert not task.done(), "the watch goes on, whatever happens"
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def create(self, name: str) -> None:
        """Create a Tenant, as an administrator whom no fault concerns."""
        metadata = {"name": name, "namespace": self._namespace}
        tenant = {"apiVersion": API_VERSION, "kind": KIND, "metadata": metadata, "spec": memory()}
        await asyncio.to_thread(self._kubectl.api.apply, tenant)

    async def until_seen(self, name: str) -> None:
        """Return when the watch has reported the Tenant."""

        async def reported() -> bool:
            return name in self._seen

        await eventually_async(reported, what=f"{name} is seen")

    async def until_blind(self, words: str) -> None:
        """Return when the gate is closed with these words."""

        async def blind() -> bool:
            sees, message = self._watch.seen.report()
            assert not sees
            assert words in message
            return True

        await eventually_async(blind)

    async def until_open(self) -> None:
        """Return when the gate is open. It needs an event for that, so Tenants are created meanwhile."""

        async def is_open() -> bool:
            await self.create(f"probe-{next(self._numbers)}")
            sees, message = self._watch.seen.report()
            assert sees, message
            return True

        await eventually_async(is_open)

    def _note(self, _: str | None, body: JsonObject) -> None:
        self._seen.add(body["metadata"]["name"])

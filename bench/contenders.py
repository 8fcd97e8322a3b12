"""The two contenders that make a created Tenant Ready: landlord, and the floor with the least work."""

import asyncio

import aiohttp

from bench.api import TenantApi
from bench.manifests import Sample
from bench.system import FLOOR, MEASURED
from landlord.api.names import WORKFLOW_SERVICE
from landlord.api.schema import JsonObject
from landlord.controller.main import CONCURRENCY


class LandlordContender:
    """The operator makes it Ready."""

    namespace = MEASURED

    async def finish(self, created: JsonObject) -> None:
        """Do nothing."""


class FloorContender:
    """The writes and the call that no operator can save, one after another, and nothing else."""

    namespace = FLOOR

    def __init__(self, api: TenantApi, ingress: aiohttp.ClientSession, sample: Sample) -> None:
        self._api = api
        self._ingress = ingress
        self._sample = sample
        self._working = asyncio.Semaphore(CONCURRENCY)

    async def finish(self, created: JsonObject) -> None:
        """Add the finalizer, run the workflow, and write the status."""
        metadata = created["metadata"]
        name = metadata["name"]
        async with self._working:
            held = await self._api.add_finalizer(self.namespace, name, metadata["resourceVersion"])
            await self._provision(name, f"{metadata['uid']}-1-1", self._sample.request(created))
            await self._api.apply_status(self.namespace, name, self._sample.status(held))

    async def _provision(self, name: str, key: str, body: bytes) -> None:
        headers = {"content-type": "application/json", "idempotency-key": key}
        url = f"/{WORKFLOW_SERVICE}/{name}/apply"
        async with self._ingress.post(url, data=body, headers=headers) as answer:
            outcome = await answer.json()
        if outcome.get("result") != "Succeeded":
            raise RuntimeError(f"the workflow of {name} ended with {outcome}")


Contender = LandlordContender | FloorContender

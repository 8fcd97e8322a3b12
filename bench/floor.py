"""The floor of a repair: a client that waits only for Restate, registers the worker and calls it."""

import asyncio
import json
import time
from datetime import UTC, datetime

import aiohttp

from bench.ledger import Ledger, find_first_begin
from bench.manifests import Sample
from bench.observer import POLL_SECONDS, is_answering, wait_for
from bench.repairs import FloorRepair
from bench.system import System
from dev.net import request
from landlord.api.names import WORKFLOW_SERVICE

LONGEST_WAIT = 60.0


async def repair_without_operator(system: System, ledger: Ledger, sample: Sample, calls: int) -> FloorRepair:
    """Delete Restate's store while no operator runs, register the worker, and make all calls."""
    restate = system.restate
    await asyncio.to_thread(restate.kill)
    await asyncio.to_thread(restate.wipe)
    began = time.perf_counter()
    names = [f"floor-{n:04}" for n in range(calls)]
    async with asyncio.TaskGroup() as group:
        group.create_task(asyncio.to_thread(restate.start))
        answered, registered = await asyncio.to_thread(_register, system)
        async with aiohttp.ClientSession(restate.ingress_url) as ingress, asyncio.timeout(LONGEST_WAIT):
            await asyncio.gather(*(_call(ingress, sample, name) for name in names))
    begun = [find_first_begin(ledger.entries(name), began) for name in names]
    return FloorRepair(registered - answered, max(at for at in begun if at is not None) - answered)


def _register(system: System) -> tuple[float, float]:
    """The times of Restate's first answer and of the registration."""
    worker, admin = system.worker.url, system.restate.admin_url
    body = json.dumps({"uri": worker})

    def registered() -> bool:
        answer = request(f"{admin}/deployments", json_body=body)
        return answer is not None and answer[0] in (200, 201)

    answered = wait_for(lambda: is_answering(f"{admin}/health"), LONGEST_WAIT, "Restate to answer")
    return answered, wait_for(registered, LONGEST_WAIT, "Restate to register")


async def _call(ingress: aiohttp.ClientSession, sample: Sample, name: str) -> None:
    now = datetime.now(UTC).isoformat()
    body = sample.request({"metadata": {"name": name, "uid": name, "creationTimestamp": now}})
    headers = {"content-type": "application/json", "idempotency-key": name}
    url = f"/{WORKFLOW_SERVICE}/{name}/apply"
    while True:
        async with ingress.post(url, data=body, headers=headers) as answer:
            if answer.ok:
                return
        await asyncio.sleep(POLL_SECONDS)

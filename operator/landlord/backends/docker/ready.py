"""The last step: the container runs and serves."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from docker import APIClient

from landlord.api.outcome import Result
from landlord.api.request import Desired
from landlord.backends.docker import containers, probes
from landlord.backends.docker.desired import ports
from landlord.backends.docker.engine import Engine
from landlord.backends.docker.observed import health
from landlord.backends.docker.observed.container import Inspected, read_given_secrets
from landlord.backends.redaction import redact
from landlord.errors import Retryable

WINDOW = 2.0
"""Seconds of quick looks in one step: what comes up fast is not kept waiting for the workflow's next try."""
FIRST_PAUSE, LONGEST_PAUSE, GROWTH = 0.05, 0.5, 1.5
SHORT_LOOK = 0.5
"""Seconds that a container without a probe has to keep running; the whole window if it has crashed before."""


async def wait_until_ready(
    engine: Engine, desired: Desired, start: Callable[[], Awaitable[object]]
) -> Result:
    """The endpoints, once the container serves. Raises Retryable with the reason if it does not in time.

    `start` is for a container that has ended or vanished since its step: trying again means starting it.
    """
    probe = desired.workload.containers[0].probe
    began = time.monotonic()
    if not await engine.run(lambda api: _is_up(api, desired), desired.tenant_id):
        await start()
    first = seen = await engine.run(lambda api: _inspect_running(api, desired), desired.tenant_id)
    pause = FIRST_PAUSE
    while True:
        if probe is not None:
            problem = await probes.try_probe(engine, probe, seen)
        else:
            problem = _find_instability(first, seen, time.monotonic() - began)
        if problem is None:
            return Result(
                endpoints=ports.build_endpoints(
                    desired, ports.read_host_ports(seen["NetworkSettings"]["Ports"])
                )
            )
        if time.monotonic() - began + pause > WINDOW:
            raise _explain_not_ready(redact(problem, read_given_secrets(seen, desired)), seen)
        await asyncio.sleep(pause)
        pause = min(pause * GROWTH, LONGEST_PAUSE)
        seen = await engine.run(lambda api: _inspect_running(api, desired), desired.tenant_id)


def _is_up(api: APIClient, desired: Desired) -> bool:
    found = containers.find(api, desired.tenant_id)
    return found is not None and found["State"]["Status"] in containers.ALIVE


def _inspect_running(api: APIClient, desired: Desired) -> Inspected:
    """The running container. Raises Retryable if it has ended, with its last words."""
    found = containers.find(api, desired.tenant_id)
    if found is None:
        raise Retryable("ContainerGone", "the container was removed by somebody else; it is made again")
    if health.has_ended(found):
        raise health.explain_end(found, containers.read_last_words(api, found, desired))
    return found


def _find_instability(first: Inspected, seen: Inspected, looked_for: float) -> str | None:
    if seen["State"]["StartedAt"] != first["State"]["StartedAt"]:
        return "the container does not keep running"
    needed = WINDOW - LONGEST_PAUSE if seen["RestartCount"] else SHORT_LOOK
    return None if looked_for >= needed else "the container has only just started"


def _explain_not_ready(problem: str, seen: Inspected) -> Retryable:
    restarts = seen["RestartCount"]
    crashed = f"; the container was restarted {restarts} times" if restarts else ""
    name = seen["Name"].removeprefix("/")
    return Retryable(
        "CrashLooping" if restarts else "ProbeFailed",
        f"{problem}{crashed}\nTo do: see `docker logs {name}`; correct the probe or what it asks.",
    )

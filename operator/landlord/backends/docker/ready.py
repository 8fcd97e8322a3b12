"""The last step: waits until the container runs and serves."""

from collections.abc import Awaitable, Callable

from docker import APIClient

from landlord.api.outcome import Result
from landlord.api.request import Desired
from landlord.backends.docker import containers, probes
from landlord.backends.docker.desired import ports
from landlord.backends.docker.engine import Engine
from landlord.backends.docker.observed import health
from landlord.backends.docker.observed.container import InspectedContainer, read_given_secrets
from landlord.backends.patience import Patience
from landlord.backends.redaction import redact
from landlord.errors import Retryable

WINDOW = 2.0
"""Seconds of frequent polls in one try, so that a fast start does not wait for the workflow's next try."""
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 0.5
SHORT_WINDOW = 0.5
"""Seconds that a container without a probe must keep running; the whole window if it has crashed before."""


async def wait_until_ready(
    engine: Engine, desired: Desired, start: Callable[[], Awaitable[object]]
) -> Result:
    """Return the endpoints once the container serves. Raises Retryable, with the reason, if it is late.

    `start` starts a container that has ended or vanished since its step.
    """
    probe = desired.workload.containers[0].probe
    patience = Patience(WINDOW, first_pause=FIRST_PAUSE, longest_pause=LONGEST_PAUSE)
    if not await engine.run(lambda api: _is_up(api, desired), desired.tenant_id):
        await start()
    first = current = await engine.run(lambda api: _inspect_running(api, desired), desired.tenant_id)
    while True:
        if probe is not None:
            problem = await probes.try_probe(engine, probe, current)
        else:
            problem = _find_instability(first, current, patience.elapsed)
        if problem is None:
            bindings = ports.read_host_ports(current["NetworkSettings"]["Ports"])
            return Result(endpoints=ports.build_endpoints(desired, bindings))
        if not await patience.pause():
            raise _explain_not_ready(redact(problem, read_given_secrets(current, desired)), current)
        current = await engine.run(lambda api: _inspect_running(api, desired), desired.tenant_id)


def _is_up(api: APIClient, desired: Desired) -> bool:
    found = containers.find(api, desired.tenant_id)
    return found is not None and found["State"]["Status"] in containers.ALIVE


def _inspect_running(api: APIClient, desired: Desired) -> InspectedContainer:
    """Inspect the container. Raises Retryable, with the last line of its log, if it has ended."""
    found = containers.find(api, desired.tenant_id)
    if found is None:
        raise Retryable("ContainerGone", "somebody removed the container, and landlord is creating it again")
    if health.has_ended(found):
        raise health.explain_end(found, containers.read_last_words(api, found, desired))
    return found


def _find_instability(first: InspectedContainer, current: InspectedContainer, elapsed: float) -> str | None:
    if current["State"]["StartedAt"] != first["State"]["StartedAt"]:
        return "the container does not keep running"
    needed = WINDOW - LONGEST_PAUSE if current["RestartCount"] else SHORT_WINDOW
    return None if elapsed >= needed else "the container has only just started"


def _explain_not_ready(problem: str, container: InspectedContainer) -> Retryable:
    restarts = container["RestartCount"]
    name = container["Name"].removeprefix("/")
    return Retryable(
        "CrashLooping" if restarts else "ProbeFailed",
        f"{problem}{f'; the container has restarted {restarts} times' if restarts else ''}",
        f"see `docker logs {name}`; correct the probe, or what answers it",
    )

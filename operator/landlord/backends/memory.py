"""A backend that keeps its tenants in the worker's memory: it needs no engine, and forgets them at the end.

To rehearse how slowness and failure look in a Tenant's status, three variables in the `env` of the first
container control the step `ready`:

- `MEMORY_DELAY`: seconds, from 0 to 50, until the tenant is ready, such as "1.5"
- `MEMORY_ERROR`: the message of a transient failure at each try
- `MEMORY_TERMINAL`: the message of a permanent failure

A failure comes after the delay. A tenant that is already ready is not delayed again, until it is suspended or
archived: coming back takes as long. The backend reads no Secrets; a variable that refers to one is empty.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from landlord.api.lifecycle import State
from landlord.api.outcome import Endpoint, ResourceRef, Result
from landlord.api.request import Desired
from landlord.backends.contract import NoConfig, Observation, Step
from landlord.backends.drift import describe_difference, describe_missing
from landlord.errors import Retryable, Terminal

LONGEST_DELAY = 50.0
"""Seconds; shorter than the time that a workflow gives one try of a step."""


@dataclass(frozen=True)
class Rehearsal:
    """What the first container's env asks the step `ready` to rehearse."""

    delay: float = 0.0
    error: str = ""
    terminal: str = ""

    @classmethod
    def read_from(cls, desired: Desired) -> "Rehearsal":
        """Read the variables. Raises Terminal for a delay that is not a number of seconds in range."""
        env = {variable.name: variable.value for variable in desired.workload.containers[0].env}
        return cls(
            delay=_parse_delay(env.get("MEMORY_DELAY", "0")),
            error=env.get("MEMORY_ERROR", ""),
            terminal=env.get("MEMORY_TERMINAL", ""),
        )


def _parse_delay(text: str) -> float:
    try:
        delay = float(text)
    except ValueError:
        delay = -1.0
    if not 0 <= delay <= LONGEST_DELAY:
        raise Terminal(
            "InvalidSpec",
            f"MEMORY_DELAY is {text!r}; it must be a number of seconds from 0 to {LONGEST_DELAY:.0f}",
            "correct MEMORY_DELAY, for example to 1.5",
        )
    return delay


@dataclass(frozen=True)
class RememberedTenant:
    """What the backend remembers of one tenant."""

    spec_hash: str
    ready: bool = False
    state: State = "Active"


class MemoryBackend:
    """Runs nothing, and reports that it does; see the module's docstring."""

    name = "memory"
    Config = NoConfig

    def __init__(self) -> None:
        self._tenants: dict[str, RememberedTenant] = {}

    def apply(self, desired: Desired) -> Sequence[Step]:
        """Steps: create, ready."""
        rehearsal = Rehearsal.read_from(desired)

        async def create() -> Result:
            self._remember(desired)
            return Result(resources=(_refer_to(desired.tenant_id),))

        async def ready() -> Result:
            # The process that ran `create` may have ended, and its memory with it.
            if not self._remember(desired).ready:
                await _play(rehearsal)
                self._tenants[desired.tenant_id] = RememberedTenant(desired.hash(), ready=True)
            return Result(endpoints=_build_endpoints(desired))

        return (Step("create", create), Step("ready", ready))

    def delete(self, tenant_id: str) -> Sequence[Step]:
        """Steps: delete."""

        async def delete() -> Result:
            self._tenants.pop(tenant_id, None)
            return Result()

        return (Step("delete", delete),)

    def suspend(self, tenant_id: str) -> Sequence[Step]:
        """Steps: suspend."""
        return (Step("suspend", partial(self._bring_into, "Suspended", tenant_id)),)

    def archive(self, tenant_id: str) -> Sequence[Step]:
        """Steps: archive."""
        return (Step("archive", partial(self._bring_into, "Archived", tenant_id)),)

    async def survey(self) -> Mapping[str, Observation]:
        """Observe all tenants that this process remembers."""
        return {tenant_id: _observe(tenant) for tenant_id, tenant in self._tenants.items()}

    async def inspect(self, desired: Desired) -> Sequence[str]:
        """Compare what the backend remembers with the desired state."""
        known, expected = self._tenants.get(desired.tenant_id), RememberedTenant(desired.hash(), ready=True)
        if known is None:
            return [describe_missing(f"memory {desired.tenant_id}")]
        return [
            describe_difference(f"memory {desired.tenant_id}: {field}", value, wanted)
            for (field, value), wanted in zip(vars(known).items(), vars(expected).values(), strict=True)
            if value != wanted
        ]

    async def close(self) -> None:
        """Forget all tenants."""
        self._tenants.clear()

    def _remember(self, desired: Desired) -> RememberedTenant:
        known = self._tenants.get(desired.tenant_id)
        if known is None or known.spec_hash != desired.hash() or known.state != "Active":
            known = self._tenants[desired.tenant_id] = RememberedTenant(desired.hash())
        return known

    async def _bring_into(self, state: State, tenant_id: str) -> Result:
        known = self._tenants.get(tenant_id)
        if known is None:
            return Result()
        self._tenants[tenant_id] = replace(known, ready=False, state=state)
        return Result(resources=(_refer_to(tenant_id),))


def _refer_to(tenant_id: str) -> ResourceRef:
    return ResourceRef(kind="memory", name=tenant_id)


def _observe(tenant: RememberedTenant) -> Observation:
    if tenant.state != "Active":
        return Observation(True, tenant.spec_hash, "nothing runs", tenant.state)
    return Observation(tenant.ready, tenant.spec_hash, "ready" if tenant.ready else "not ready yet")


async def _play(rehearsal: Rehearsal) -> None:
    await asyncio.sleep(rehearsal.delay)
    if rehearsal.terminal:
        raise Terminal("Rehearsed", rehearsal.terminal)
    if rehearsal.error:
        raise Retryable("Rehearsed", rehearsal.error)


def _build_endpoints(desired: Desired) -> tuple[Endpoint, ...]:
    return tuple(
        Endpoint(name=port.name, url=f"memory://{desired.tenant_id}/{port.name}")
        for container in desired.workload.containers
        for port in container.ports
    )

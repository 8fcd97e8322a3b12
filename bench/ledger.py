"""A backend that takes its time, and writes each effect down where no crash can take it back.

It is as careful as a backend can be on an engine that knows no names: each step looks first and makes what is
missing. Nothing stops two that look at the same time. So work that runs twice at once, or that starts over
and forgets what is there, makes things twice, and that stays written.

LEDGER names its folder. The variable WORK of a tenant's container says how many seconds its server takes
to be made; its disk is there at once.
"""

import asyncio
import os
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from landlord.api.lifecycle import State
from landlord.api.outcome import ResourceRef, Result
from landlord.api.request import Desired
from landlord.backends.contract import NoConfig, Observation, Step

LEDGER = "LEDGER"
WORK = "WORK"

What = Literal["begun", "made", "suspended", "archived", "removed"]
RESTS: dict[str, State] = {"suspended": "Suspended", "archived": "Archived"}


@dataclass(frozen=True)
class Entry:
    """One line. `at` is of `time.perf_counter`, which on Linux is one clock for all processes."""

    at: float
    what: str
    resource: str
    desired: str
    """Hash of the desired state: one for each generation of a Tenant whose spec changes."""


class Ledger:
    """A file for each tenant, which is only ever appended to."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, tenant_id: str, what: What, resource: str = "-", desired: str = "-") -> None:
        """Append a line."""
        with (self._folder / tenant_id).open("a") as file:
            file.write(f"{time.perf_counter()} {what} {resource} {desired}\n")

    def entries(self, tenant_id: str) -> list[Entry]:
        """What was written about a tenant so far."""
        file = self._folder / tenant_id
        return [_entry(line) for line in file.read_text().splitlines()] if file.exists() else []

    def tenants(self) -> list[str]:
        """All of which something was written."""
        return sorted(file.name for file in self._folder.iterdir())


class LedgerBackend:
    """Its tenants consist of lines in the ledger."""

    name = "ledger"
    Config = NoConfig

    def __init__(self) -> None:
        self._ledger = Ledger(Path(os.environ[LEDGER]))

    def apply(self, desired: Desired) -> Sequence[Step]:
        """A disk, then a server."""
        env = {each.name: each.value for each in desired.workload.containers[0].env}
        return [self._step("disk", desired, 0.0), self._step("server", desired, float(env[WORK]))]

    def suspend(self, tenant_id: str) -> Sequence[Step]:
        """Write that it is suspended."""
        return [self._writing(tenant_id, "suspended")]

    def archive(self, tenant_id: str) -> Sequence[Step]:
        """Write that it is archived."""
        return [self._writing(tenant_id, "archived")]

    def delete(self, tenant_id: str) -> Sequence[Step]:
        """Write that all is gone."""
        return [self._writing(tenant_id, "removed")]

    async def survey(self) -> Mapping[str, Observation]:
        """All tenants that were not removed."""
        last = {tenant_id: self._ledger.entries(tenant_id)[-1:] for tenant_id in self._ledger.tenants()}
        return {
            tenant_id: Observation(True, entry.desired, "recorded", RESTS.get(entry.what, "Active"))
            for tenant_id, (entry,) in last.items()
            if entry.what != "removed"
        }

    async def inspect(self, desired: Desired) -> Sequence[str]:
        """Nothing can be changed by hand."""
        return ()

    async def close(self) -> None:
        """Nothing is open."""

    def _writing(self, tenant_id: str, what: What) -> Step:
        async def write() -> Result:
            self._ledger.write(tenant_id, what)
            return Result()

        return Step(what, write)

    def _step(self, resource: str, desired: Desired, seconds: float) -> Step:
        async def make() -> Result:
            tenant_id, generation = desired.tenant_id, desired.hash()
            self._ledger.write(tenant_id, "begun", resource, generation)
            if not _is_made(self._ledger.entries(tenant_id), resource, generation):
                await asyncio.sleep(seconds)
                self._ledger.write(tenant_id, "made", resource, generation)
            return Result(resources=(ResourceRef(kind="entry", name=resource),))

        return Step(resource, make)


def duplicates(entries: Iterable[Entry]) -> int:
    """How many resources of one tenant were made though its generation had them."""
    made = Counter((each.resource, each.desired) for each in entries if each.what == "made")
    return made.total() - len(made)


def begun_since(entries: Iterable[Entry], since: float) -> float | None:
    """When work on a tenant was first begun after a point in time; None if it was not."""
    return min((each.at for each in entries if each.what == "begun" and each.at > since), default=None)


def _is_made(entries: Iterable[Entry], resource: str, desired: str) -> bool:
    return any((each.what, each.resource, each.desired) == ("made", resource, desired) for each in entries)


def _entry(line: str) -> Entry:
    at, what, resource, desired = line.split()
    return Entry(float(at), what, resource, desired)

"""A slow backend that records each effect in a file, which no crash can undo.

It is as careful as a backend can be on an engine without unique names: each step reads first, and creates
what is missing. Nothing stops two steps that read at the same time. So if landlord runs work twice at once,
or starts it again, the ledger shows duplicates.

The variable LEDGER names its folder. The variable WORK of a tenant's container is the number of seconds that
its server needs. Its disk needs none.
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
class LedgerEntry:
    """One line. `at` is a time of `time.perf_counter`, which on Linux all processes share."""

    at: float
    what: str
    resource: str
    desired: str
    """The hash of the desired state, which differs between generations with different specs."""


class Ledger:
    """One file for each tenant, to which lines are only appended."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, tenant_id: str, what: What, resource: str = "-", desired: str = "-") -> None:
        """Append a line."""
        with (self._folder / tenant_id).open("a") as file:
            file.write(f"{time.perf_counter()} {what} {resource} {desired}\n")

    def entries(self, tenant_id: str) -> list[LedgerEntry]:
        """All lines about a tenant."""
        file = self._folder / tenant_id
        return [_entry(line) for line in file.read_text().splitlines()] if file.exists() else []

    def tenants(self) -> list[str]:
        """All tenants with lines."""
        return sorted(file.name for file in self._folder.iterdir())


class LedgerBackend:
    """Its tenants are lines in the ledger."""

    name = "ledger"
    Config = NoConfig

    def __init__(self) -> None:
        self._ledger = Ledger(Path(os.environ[LEDGER]))

    def apply(self, desired: Desired) -> Sequence[Step]:
        """Create a disk, then a server."""
        env = {each.name: each.value for each in desired.workload.containers[0].env}
        return [self._step("disk", desired, 0.0), self._step("server", desired, float(env[WORK]))]

    def suspend(self, tenant_id: str) -> Sequence[Step]:
        """Record the suspension."""
        return [self._writing(tenant_id, "suspended")]

    def archive(self, tenant_id: str) -> Sequence[Step]:
        """Record the archiving."""
        return [self._writing(tenant_id, "archived")]

    def delete(self, tenant_id: str) -> Sequence[Step]:
        """Record the deletion."""
        return [self._writing(tenant_id, "removed")]

    async def survey(self) -> Mapping[str, Observation]:
        """All tenants that are not removed."""
        last = {tenant_id: self._ledger.entries(tenant_id)[-1:] for tenant_id in self._ledger.tenants()}
        return {
            tenant_id: Observation(True, entry.desired, "recorded", RESTS.get(entry.what, "Active"))
            for tenant_id, (entry,) in last.items()
            if entry.what != "removed"
        }

    async def inspect(self, desired: Desired) -> Sequence[str]:
        """Find no differences, because nobody can change lines."""
        return ()

    async def close(self) -> None:
        """Do nothing."""

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


def count_duplicates(entries: Iterable[LedgerEntry]) -> int:
    """The number of one tenant's resources that were created although its generation had them."""
    made = Counter((each.resource, each.desired) for each in entries if each.what == "made")
    return made.total() - len(made)


def find_first_begin(entries: Iterable[LedgerEntry], since: float) -> float | None:
    """The time at which work on a tenant first began after `since`; None if it did not."""
    return min((each.at for each in entries if each.what == "begun" and each.at > since), default=None)


def _is_made(entries: Iterable[LedgerEntry], resource: str, desired: str) -> bool:
    return any((each.what, each.resource, each.desired) == ("made", resource, desired) for each in entries)


def _entry(line: str) -> LedgerEntry:
    at, what, resource, desired = line.split()
    return LedgerEntry(float(at), what, resource, desired)

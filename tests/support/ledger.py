"""A plug-in backend that writes down each effect, and waits or fails as a test tells it to by files.

Its folder is given, or named by LEDGER. The env of a tenant's container says what happens in which step:
`HOLD=two` waits there until the test releases it, `FAIL=two:3` fails there three times.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.support.polling import eventually_async

from landlord.api.lifecycle import State
from landlord.api.outcome import ResourceRef, Result
from landlord.api.request import Desired
from landlord.backends.contract import NoConfig, Observation, Step
from landlord.errors import Retryable

STEPS = ("one", "two", "three")
RESTS: dict[str, State] = {"suspended": "Suspended", "archived": "Archived"}


class LedgerBackend:
    name = "ledger"
    Config = NoConfig

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or Path(os.environ["LEDGER"])

    def apply(self, desired: Desired) -> Sequence[Step]:
        env = {each.name: each.value for each in desired.workload.containers[0].env}

        def make(step: str) -> Step:
            async def run() -> Result:
                self._write(desired.tenant_id, f"{step} begins")
                if env.get("HOLD") == step:
                    await self._released(desired.tenant_id)
                failing, _, times = env.get("FAIL", "").partition(":")
                failures = self.entries(desired.tenant_id).count(f"{step} fails")
                if failing == step and failures < int(times):
                    self._write(desired.tenant_id, f"{step} fails")
                    raise Retryable("NotYet", f"{step} needs another try")
                self._write(desired.tenant_id, step)
                return Result(resources=(ResourceRef(kind="entry", name=step),))

            return Step(step, run)

        return [make(step) for step in STEPS]

    def suspend(self, tenant_id: str) -> Sequence[Step]:
        return [self._writing("suspend", tenant_id, "suspended")]

    def archive(self, tenant_id: str) -> Sequence[Step]:
        return [self._writing("archive", tenant_id, "archived")]

    def delete(self, tenant_id: str) -> Sequence[Step]:
        return [self._writing("remove", tenant_id, "removed")]

    async def survey(self) -> Mapping[str, Observation]:
        last = {file.name: self.effects(file.name)[-1:] for file in self.folder.iterdir()}
        return {
            tenant_id: Observation(True, None, "recorded", RESTS.get(effect, "Active"))
            for tenant_id, effects in last.items()
            for effect in effects
            if effect != "removed"
        }

    async def inspect(self, desired: Desired) -> Sequence[str]:
        return []

    async def close(self) -> None:
        return None

    def entries(self, tenant_id: str) -> list[str]:
        """What was written about a tenant so far."""
        file = self.folder / tenant_id
        return file.read_text().splitlines() if file.exists() else []

    def effects(self, tenant_id: str) -> list[str]:
        """The steps that were done to their end, in order."""
        return [entry for entry in self.entries(tenant_id) if entry in (*STEPS, *RESTS, "removed")]

    def release(self, tenant_id: str) -> None:
        """Let a held step of the tenant go on."""
        (self.folder / f"{tenant_id}.released").touch()

    async def _released(self, tenant_id: str) -> None:
        async def released() -> bool:
            return (self.folder / f"{tenant_id}.released").exists()

        await eventually_async(released, within=300, what="the test to release the step")

    def _writing(self, name: str, tenant_id: str, entry: str) -> Step:
        async def run() -> Result:
            self._write(tenant_id, entry)
            return Result()

        return Step(name, run)

    def _write(self, tenant_id: str, entry: str) -> None:
        with (self.folder / tenant_id).open("a") as ledger:
            ledger.write(f"{entry}\n")

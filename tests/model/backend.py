"""A backend in memory, whose mood decides whether its steps succeed, and which remembers who made what."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from landlord.api.lifecycle import State
from landlord.api.outcome import ResourceRef, Result
from landlord.api.request import Desired, Request
from landlord.backends.contract import NoConfig, Observation, Step
from landlord.errors import Retryable, Stuck, Terminal

Mood = Literal["well", "transient", "stuck", "terminal"]


@dataclass(frozen=True)
class Made:
    """What exists for a tenantID."""

    uid: str
    spec_hash: str
    state: State
    is_whole: bool
    tampered: bool = False


class ModelBackend:
    name = "model"
    Config = NoConfig

    def __init__(self) -> None:
        self.mood: Mood = "well"
        self.made: dict[str, Made] = {}
        self.serving: Request | None = None
        """The request whose steps run now, which the engine sets."""

    def apply(self, desired: Desired) -> Sequence[Step]:
        request = self._request()

        async def prepare() -> Result:
            self._fail()
            whole = Made(request.uid, desired.hash(), "Active", is_whole=True)
            if self.made.get(desired.tenant_id) != whole:
                self.made[desired.tenant_id] = replace(whole, is_whole=False)
            return Result(resources=(ResourceRef(kind="part", name=desired.tenant_id),))

        async def start() -> Result:
            self._fail()
            self.made[desired.tenant_id] = Made(request.uid, desired.hash(), "Active", is_whole=True)
            return Result(resources=(ResourceRef(kind="rest", name=desired.tenant_id),))

        return (Step("prepare", prepare), Step("start", start))

    def suspend(self, tenant_id: str) -> Sequence[Step]:
        return (self._resting("suspend", tenant_id, "Suspended"),)

    def archive(self, tenant_id: str) -> Sequence[Step]:
        return (self._resting("archive", tenant_id, "Archived"),)

    def delete(self, tenant_id: str) -> Sequence[Step]:
        async def part() -> Result:
            self._fail()
            if tenant_id in self.made:
                self.made[tenant_id] = replace(self.made[tenant_id], is_whole=False)
            return Result()

        async def rest() -> Result:
            self._fail()
            self.made.pop(tenant_id, None)
            return Result()

        return (Step("part", part), Step("rest", rest))

    async def survey(self) -> Mapping[str, Observation]:
        return {
            tenant_id: Observation(
                made.is_whole or made.state != "Active",
                made.spec_hash,
                "half of it is missing",
                made.state,
                drift="somebody changed it" if made.tampered else "",
            )
            for tenant_id, made in self.made.items()
        }

    async def inspect(self, desired: Desired) -> Sequence[str]:
        return ()

    async def close(self) -> None:
        return None

    def _request(self) -> Request:
        assert self.serving is not None
        return self.serving

    def _resting(self, name: str, tenant_id: str, state: State) -> Step:
        request = self._request()

        async def run() -> Result:
            self._fail()
            made = self.made.get(tenant_id)
            if made is not None:
                self.made[tenant_id] = Made(request.uid, made.spec_hash, state, is_whole=False)
            return Result(resources=(ResourceRef(kind="part", name=tenant_id),))

        return Step(name, run)

    def _fail(self) -> None:
        match self.mood:
            case "transient":
                raise Retryable("Busy", "the model's backend is busy")
            case "stuck":
                raise Stuck("Denied", "a policy of the model denies it")
            case "terminal":
                raise Terminal("InvalidSpec", "the model's backend refuses the spec")

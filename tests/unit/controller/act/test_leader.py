"""Who may lead, and for how long: a Lease in memory, and clocks that the tests turn."""

import asyncio
import copy
from typing import Any

import pytest

from landlord import metrics
from landlord.api.schema import JsonObject
from landlord.controller.act import leader as module
from landlord.controller.act.leader import Leader, LeadershipLost
from landlord.controller.kube import KubeClient
from landlord.kubernetes_api import KubeError


class Leases(KubeClient):
    """Keeps one Lease as the API server does."""

    def __init__(self) -> None:
        self.lease: JsonObject | None = None
        self.fails: Exception | None = None
        self.hangs = False
        self._version = 0

    async def call(self, method: str, path: str, body: Any = None, **options: Any) -> JsonObject:
        if self.hangs:
            await asyncio.Event().wait()
        if self.fails:
            raise self.fails
        if method == "GET":
            if self.lease is None:
                raise KubeError(404, "not found")
            return copy.deepcopy(self.lease)
        assert path.endswith("/leases" if method == "POST" else "/leases/landlord-operator")
        there = self.lease and self.lease["metadata"]["resourceVersion"]
        if there != body["metadata"].get("resourceVersion"):
            raise KubeError(409, "conflict")
        self._version += 1
        self.lease = copy.deepcopy(body)
        self.lease["metadata"] |= {"resourceVersion": str(self._version), "uid": "lease-uid"}
        return copy.deepcopy(self.lease)

    @property
    def holder(self) -> str:
        assert self.lease is not None
        return str(self.lease["spec"]["holderIdentity"])

    def give_to(self, holder: str) -> None:
        """Somebody else writes it."""
        assert self.lease is not None
        self._version += 1
        self.lease["metadata"]["resourceVersion"] = str(self._version)
        self.lease["spec"] |= {"holderIdentity": holder, "renewTime": f"at {self._version}"}


@pytest.fixture
def leases(monkeypatch: pytest.MonkeyPatch) -> Leases:
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.01)
    monkeypatch.setattr(module, "RENEW_DEADLINE", 0.4)
    return Leases()


def candidate(leases: Leases, identity: str) -> Leader:
    return Leader(leases, "landlord-system", identity)


def leads() -> float:
    (family,) = metrics.leader.collect()
    return family.samples[0].value


async def test_the_first_one_leads_and_the_second_waits_until_the_lease_is_released(leases: Leases) -> None:
    one, two = candidate(leases, "one"), candidate(leases, "two")
    await one.acquire()
    assert (leases.holder, one.uid, leads()) == ("one", "lease-uid", 1)
    waiting = asyncio.create_task(two.acquire())
    await asyncio.sleep(0.05)
    assert not waiting.done()
    await one.release()
    assert leads() == 0
    async with asyncio.timeout(5):
        await waiting
    assert leases.holder == "two"
    assert leases.lease is not None
    assert leases.lease["spec"]["leaseTransitions"] == 1


async def test_a_lease_that_is_not_renewed_runs_out_by_our_own_clock(
    leases: Leases, monkeypatch: pytest.MonkeyPatch
) -> None:
    await candidate(leases, "one").acquire()
    assert leases.lease is not None
    leases.lease["spec"]["renewTime"] = "1970-01-01T00:00:00.000000Z"
    two = candidate(leases, "two")
    assert not await two._try_once(), "whatever its holder's clock says"
    leases.lease["spec"]["leaseDurationSeconds"] = 0.05
    await asyncio.sleep(0.1)
    assert await two._try_once()
    assert leases.holder == "two"


async def test_one_that_renews_is_not_followed(leases: Leases) -> None:
    one, two = candidate(leases, "one"), candidate(leases, "two")
    await one.acquire()
    assert leases.lease is not None
    for _ in range(5):
        assert not await two._try_once()
        assert await one._try_once()
        leases.lease["spec"]["leaseDurationSeconds"] = 0.05
        await asyncio.sleep(0.02)
    assert leases.holder == "one"


async def test_of_two_that_write_at_once_one_leads(leases: Leases) -> None:
    assert sorted(await asyncio.gather(*(candidate(leases, name)._try_once() for name in "ab"))) == [
        False,
        True,
    ]


async def test_who_can_renew_keeps_the_lead(leases: Leases) -> None:
    one = candidate(leases, "one")
    await one.acquire()
    keeping = asyncio.create_task(one.keep())
    leases.fails = KubeError(503, "busy")
    await asyncio.sleep(0.2)
    leases.fails = None
    await asyncio.sleep(0.4)
    leases.lease = None  # somebody deletes it
    await asyncio.sleep(0.1)
    assert not keeping.done()
    assert leases.holder == "one"
    keeping.cancel()


@pytest.mark.parametrize("hangs", [False, True])
async def test_who_can_not_renew_loses_the_lead_before_the_lease_runs_out(
    leases: Leases, hangs: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.15)
    one = candidate(leases, "one")
    await one.acquire()
    leases.hangs, leases.fails = hangs, KubeError(503, "busy")
    began = asyncio.get_running_loop().time()
    with pytest.raises(
        LeadershipLost, match="could not renew the lease landlord-system/landlord-operator in time"
    ):
        await one.keep()
    assert asyncio.get_running_loop().time() - began < 0.45
    assert leads() == 0


@pytest.mark.parametrize("holder", ["two", ""])
async def test_who_sees_that_another_has_led_stops_at_once(
    leases: Leases, holder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RENEW_DEADLINE", 60.0)
    one = candidate(leases, "one")
    await one.acquire()
    keeping = asyncio.create_task(one.keep())
    await asyncio.sleep(0.03)
    leases.give_to(holder)
    async with asyncio.timeout(5):
        with pytest.raises(LeadershipLost, match=f"held by {holder or 'nobody'}"):
            await keeping
    assert leases.holder == holder
    assert leads() == 0


async def test_the_deadline_counts_from_the_lease_that_was_taken_and_not_from_the_answer(
    leases: Leases, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = candidate(leases, "one")
    await one.acquire()
    leases.fails = KubeError(503, "busy")
    await asyncio.sleep(0.3)  # what takes its time between
    began = asyncio.get_running_loop().time()
    with pytest.raises(LeadershipLost):
        await one.keep()
    assert asyncio.get_running_loop().time() - began < 0.2


async def test_what_another_holds_is_not_released(leases: Leases) -> None:
    one = candidate(leases, "one")
    await one.acquire()
    leases.give_to("two")
    await one.release()
    assert leases.holder == "two"


async def test_a_release_that_fails_is_no_error(leases: Leases) -> None:
    one = candidate(leases, "one")
    await one.acquire()
    leases.fails = KubeError(0, "no answer")
    await one.release()

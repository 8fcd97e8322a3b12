"""The watch on Tenants sees them again after whatever has ended or silenced it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from tests.support.faulty_api import FaultyApi
from tests.support.observer import Observer
from tests.support.polling import eventually_async

from dev.cluster import ControlPlane
from dev.kubectl import Kubectl
from landlord.controller.watch import kopf_thread, last_seen, tenants


@pytest.fixture
def api(control_plane: ControlPlane) -> Iterator[FaultyApi]:
    with FaultyApi(control_plane).serving() as api:
        yield api


@pytest.fixture
async def observer(
    api: FaultyApi, kubectl: Kubectl, namespace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Observer]:
    monkeypatch.setenv("KUBECONFIG", str(api.write_kubeconfig(tmp_path / "kubeconfig")))
    monkeypatch.setattr(kopf_thread, "LONGEST_BACKOFF", 0.5)
    monkeypatch.setattr(tenants, "BACKOFF_CAP", 0.0)  # so that each end is the first of its kind
    monkeypatch.setattr(tenants, "CHECK_SECONDS", 0.2)
    monkeypatch.setattr(tenants, "SILENCE_SECONDS", 2.0)
    monkeypatch.setattr(last_seen, "BLIND_SECONDS", 3.0)
    async with Observer(kubectl, namespace).watching() as observer:
        await observer.create("before")
        await observer.until_seen("before")
        yield observer


async def until_hit(api: FaultyApi, times: int) -> None:
    """Return when so many requests have met the fault."""

    async def met() -> bool:
        return api.hits >= times

    await eventually_async(met, what=f"{times} requests meet the fault")


Fault = Callable[[FaultyApi], None]


def to_watches(status: int) -> Fault:
    """Answer with this status to watches."""
    return lambda api: api.answer(status)


def to_lists(status: int) -> Fault:
    """Answer with this status to all requests but watches."""
    return lambda api: api.answer(status, watches=False, others=True)


def to_all(status: int) -> Fault:
    """Answer with this status to all requests."""
    return lambda api: api.answer(status, others=True)


def as_event(code: int) -> Fault:
    """End each watch with an ERROR event of this code."""
    return lambda api: api.send_error_event(code)


FAULTS: dict[str, Fault] = {
    **{f"watch-{status}": to_watches(status) for status in (401, 403, 404, 410, 429, 500, 503)},
    **{f"all-{status}": to_all(status) for status in (401, 403, 404, 429, 500, 502, 503)},
    **{f"lists-{status}": to_lists(status) for status in (404, 410, 500)},
    **{f"error-event-{code}": as_event(code) for code in (400, 410, 500)},
    "half-an-event": lambda api: api.say('{"type":"ADDED","obj\n'),
    "an-event-of-another-kind": lambda api: api.say('{"kind":"Status"}\n'),
    "a-page-of-a-gateway": lambda api: api.say("<html>sorry</html>", "text/html", others=True),
    "an-empty-answer": lambda api: api.say("", others=True),
    "frozen": FaultyApi.freeze,
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_tenant_created_during_a_fault_is_seen_after_it(
    observer: Observer, api: FaultyApi, fault: str
) -> None:
    FAULTS[fault](api)
    api.cut()
    await until_hit(api, 2)
    await observer.create("during")
    api.heal()
    api.cut()
    await observer.until_seen("during")
    await observer.create("after")
    await observer.until_seen("after")
    await observer.until_open()


async def test_a_watch_over_which_nothing_comes_any_longer_is_opened_again(
    observer: Observer, api: FaultyApi
) -> None:
    api.deafen()
    await observer.create("during")
    await observer.until_blind("has not seen any change of Tenants for")
    api.heal()
    await observer.until_seen("during")
    await observer.until_open()


async def test_a_watch_that_is_refused_closes_the_gate_with_the_answer(
    observer: Observer, api: FaultyApi
) -> None:
    api.answer(403)
    api.cut()
    await observer.until_blind("the API server answered 403 Forbidden")
    api.heal()
    await observer.until_open()


async def test_what_went_during_a_fault_is_to_be_looked_for(observer: Observer, api: FaultyApi) -> None:
    assert not observer.missed.is_set()
    api.answer(404)
    api.cut()
    await asyncio.wait_for(observer.missed.wait(), 60)

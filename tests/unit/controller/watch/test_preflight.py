"""Waiting for the whole cache: what a busy API server and a Tenant that goes meanwhile do to it."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from landlord.api.schema import JsonObject
from landlord.controller.kube import KubeClient
from landlord.controller.watch import preflight
from landlord.controller.watch.cache import Cache
from landlord.controller.watch.gates import Gates
from landlord.kubernetes_api import KubeError


class Lists(KubeClient):
    """Answers one listing after the other: a real API server is not too busy at will."""

    def __init__(self, *answers: KubeError | Sequence[str]) -> None:
        self._answers = list(answers)

    async def list_tenants(self, namespace: str | None) -> AsyncIterator[JsonObject]:
        answer = self._answers.pop(0)
        if isinstance(answer, KubeError):
            raise answer
        for uid in answer:
            yield {"uid": uid, "resourceVersion": "1"}


@pytest.fixture(autouse=True)
def no_long_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "RETRY_SECONDS", 0.01)
    monkeypatch.setattr(preflight, "RELIST_SECONDS", 0.01)


@pytest.mark.parametrize("status", [0, 410, 429, 500, 503])
async def test_a_list_that_fails_for_now_is_asked_for_again(status: int) -> None:
    lists = Lists(KubeError(status, "busy"), ["a", "b"])
    assert await preflight.list_versions(lists, ()) == {"a": 1, "b": 1}


async def test_a_list_that_is_refused_ends_the_start() -> None:
    with pytest.raises(KubeError):
        await preflight.list_versions(Lists(KubeError(403, "forbidden")), ())


async def test_a_tenant_that_went_before_the_watch_saw_it_is_not_waited_for() -> None:
    cache, gates = Cache(), Gates()
    async with asyncio.timeout(5):
        await preflight.wait_for_cache(Lists([]), (), {"gone"}, cache, gates)
    assert gates.report()["gates"]["cache"]["ok"]

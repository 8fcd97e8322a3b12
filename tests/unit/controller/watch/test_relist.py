"""Tenants that went while nobody watched."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from landlord.api.tenant import Key
from landlord.controller.kube import KubeClient
from landlord.controller.watch import relist
from landlord.controller.watch.cache import Cache
from landlord.kubernetes_api import KubeError


def body(name: str) -> Any:
    metadata = {"namespace": "ns", "name": name, "uid": f"uid-{name}", "resourceVersion": "1"}
    created = {"generation": 1, "creationTimestamp": "2026-01-01T00:00:00Z"}
    return {"metadata": metadata | created, "spec": {}, "status": {}}


class OneIsGone(KubeClient):
    """Refuses the first list; in the next one there is what was there, without `gone`, and something new.

    A real watch is not broken for so long at will.
    """

    def __init__(self, cache: Cache) -> None:
        self.cache, self.asked = cache, 0

    async def list_tenant_uids(self, namespace: str | None) -> AsyncIterator[str]:
        self.asked += 1
        if self.asked == 1:
            raise KubeError(403, "forbidden")
        self.cache.put(body("created meanwhile"))
        yield "uid-stays"


async def test_only_what_is_known_and_not_there_is_told_to_be_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relist, "RELIST_SECONDS", 0.01)
    cache, told = Cache(), asyncio.Queue[tuple[Key, str]]()
    for name in ("stays", "gone"):
        cache.put(body(name))
    kube = OneIsGone(cache)
    task = asyncio.create_task(
        relist.relist(kube, (), cache, lambda *each: told.put_nowait(each), asyncio.Event())
    )
    async with asyncio.timeout(5):
        assert await told.get() == (Key("ns", "gone"), "uid-gone")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert kube.asked == 2
    assert told.empty()

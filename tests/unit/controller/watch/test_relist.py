"""What a watch has missed is found by comparing with a list."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from landlord.api.schema import JsonObject
from landlord.api.tenant import Key
from landlord.controller.kube import KubeClient
from landlord.controller.watch import relist
from landlord.controller.watch.cache import Cache, CachedVersion
from landlord.controller.watch.relist import find_unseen
from landlord.kubernetes_api import KubeError

ACME = Key("ns", "acme")


def body(name: str, version: int = 1) -> Any:
    metadata = {"namespace": "ns", "name": name, "uid": f"uid-{name}", "resourceVersion": str(version)}
    created = {"generation": 1, "creationTimestamp": "2026-01-01T00:00:00Z"}
    return {"metadata": metadata | created, "spec": {}, "status": {}}


class OneRefusal(KubeClient):
    """Refuses the first list, then lists the metadata of these objects.

    A real watch is not broken for so long at will.
    """

    def __init__(self, *listed: JsonObject) -> None:
        self._listed, self._asked = listed, 0
        self.asked = asyncio.Queue[int]()

    async def list_tenants(self, namespace: str | None) -> AsyncIterator[JsonObject]:
        self._asked += 1
        self.asked.put_nowait(self._asked)
        if self._asked == 1:
            raise KubeError(403, "forbidden")
        for each in self._listed:
            yield each["metadata"]


class Relisting:
    """One comparison after the other, and what came of them."""

    def __init__(self, cache: Cache, *listed: JsonObject) -> None:
        self.cache, self.kube = cache, OneRefusal(*listed)
        self.dropped: list[tuple[Key, str]] = []
        self.restarts = 0

    def _restart(self) -> None:
        self.restarts += 1

    @contextmanager
    def running(self) -> Iterator[None]:
        task = asyncio.create_task(
            relist.relist(
                kube=self.kube,
                namespaces=(),
                cache=self.cache,
                drop=lambda *each: self.dropped.append(each),
                restart=self._restart,
                missed=asyncio.Event(),
            )
        )
        yield
        task.cancel()

    async def until_asked(self, times: int) -> None:
        """Return when so many lists have been read and compared, and the next one is asked for."""
        async with asyncio.timeout(10):
            while await self.kube.asked.get() <= times:
                pass


@pytest.fixture(autouse=True)
def no_long_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relist, "RELIST_SECONDS", 0.01)
    monkeypatch.setattr(relist, "SETTLE_SECONDS", 0.01)


async def test_only_what_is_known_and_no_longer_exists_is_dropped() -> None:
    cache = Cache()
    for name in ("stays", "gone"):
        cache.put(body(name))
    relisting = Relisting(cache, body("stays"))
    with relisting.running():
        await relisting.until_asked(2)
    assert relisting.dropped[0] == (Key("ns", "gone"), "uid-gone")
    assert Key("ns", "stays") not in [key for key, _ in relisting.dropped]
    assert relisting.restarts == 0


async def test_a_tenant_that_the_watch_never_reported_starts_it_again() -> None:
    relisting = Relisting(Cache(), body("acme"))
    with relisting.running():
        await relisting.until_asked(2)
    assert relisting.restarts >= 1


async def test_after_a_restore_from_a_backup_an_older_version_is_accepted_once() -> None:
    cache = Cache()
    cache.put(body("acme", 900))
    cache.put(body("acme", 30))
    assert cache.map_versions()["uid-acme"].version == 900
    relisting = Relisting(cache, body("acme", 30))
    with relisting.running():
        await relisting.until_asked(2)
    assert relisting.restarts >= 1
    cache.put(body("acme", 30))
    assert cache.map_versions()["uid-acme"].version == 30
    cache.put(body("acme", 29))
    assert cache.map_versions()["uid-acme"].version == 30


KNOWN, NEWER = CachedVersion(ACME, 5), CachedVersion(ACME, 7)


@pytest.mark.parametrize(
    ("before", "listed", "after", "unseen"),
    [
        pytest.param({"u": KNOWN}, {"u": 5}, {"u": KNOWN}, set(), id="nothing happened"),
        pytest.param({"u": KNOWN}, {"u": 6}, {"u": NEWER}, set(), id="the watch reported it meanwhile"),
        pytest.param({"u": KNOWN}, {"u": 6}, {"u": KNOWN}, {"u"}, id="a change was missed"),
        pytest.param({"u": KNOWN}, {"u": 2}, {"u": KNOWN}, {"u"}, id="restored from a backup"),
        pytest.param({}, {"u": 5}, {"u": KNOWN}, set(), id="created just now"),
        pytest.param({}, {"u": 5}, {}, {"u"}, id="a creation was missed"),
        pytest.param({"u": KNOWN}, {"u": 5}, {}, set(), id="deleted meanwhile"),
        pytest.param({"u": KNOWN}, {}, {"u": KNOWN}, set(), id="gone, which is dropped"),
    ],
)
def test_what_the_watch_did_not_report_in_time_is_unseen(
    before: dict[str, CachedVersion],
    listed: dict[str, int],
    after: dict[str, CachedVersion],
    unseen: set[str],
) -> None:
    assert find_unseen(before, listed, after) == unseen

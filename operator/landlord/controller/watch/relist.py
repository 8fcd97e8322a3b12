"""Compares what landlord knows with a list of all Tenants, because a watch may miss something.

A watch that was broken for so long that it has to start over reports all Tenants that exist, and none that
went in the meantime. A Tenant whose finalizer somebody removed then would keep its tenantID forever. The
other way round, a Tenant that the watch does not report would wait forever. And after a restore of the API
server from a backup, Tenants are older than landlord has seen them.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from landlord.api.tenant import Key
from landlord.controller.kube import KubeClient
from landlord.controller.watch.cache import Cache, CachedVersion
from landlord.controller.watch.preflight import list_versions
from landlord.kubernetes_api import KubeError

SETTLE_SECONDS = 5.0
"""Time for a new watch to list: what changes after that, it reports."""

log = logging.getLogger(__name__)

RELIST_SECONDS = 600.0
"""Between two lists, which are of metadata only and in pages, because such a gap is rare."""


async def relist(
    *,
    kube: KubeClient,
    namespaces: Sequence[str],
    cache: Cache,
    drop: Callable[[Key, str], None],
    restart: Callable[[], None],
    missed: asyncio.Event,
) -> None:
    """Compare the cache with a list, until cancelled: now and then, and soon after `missed` is set.

    Calls `drop` with key and uid of each cached Tenant that no longer exists, and `restart` if the watch has
    missed another change, so that it lists all Tenants.
    """
    while True:
        with suppress(TimeoutError):
            async with asyncio.timeout(RELIST_SECONDS):
                await missed.wait()
                missed.clear()
                await asyncio.sleep(SETTLE_SECONDS)
        known = cache.map_versions()
        try:
            listed = await list_versions(kube, namespaces)
        except KubeError as error:
            log.warning("landlord can't look for changes of Tenants that it missed: %s", error)
            continue
        for uid in known.keys() - listed.keys():
            drop(known[uid].key, uid)
        await asyncio.sleep(SETTLE_SECONDS)
        if unseen := find_unseen(known, listed, cache.map_versions()):
            log.warning("the watch on Tenants has missed changes", extra={"tenants": len(unseen)})
            for uid in unseen & known.keys():
                cache.accept_any(known[uid].key, uid)
            restart()


def find_unseen(
    before: Mapping[str, CachedVersion], listed: Mapping[str, int], after: Mapping[str, CachedVersion]
) -> set[str]:
    """Find the uids of the Tenants that the watch has not reported as listed, although it had time to."""
    return {
        uid
        for uid, version in listed.items()
        if (uid not in before and uid not in after)
        or (uid in before and before[uid] == after.get(uid) and before[uid].version != version)
    }

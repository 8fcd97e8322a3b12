"""Finds Tenants that no longer exist, but whose deletion the watch missed.

A watch that was broken for so long that it has to start over reports all Tenants that exist, and none that
went in the meantime. A Tenant whose finalizer somebody removed then would keep its tenantID forever.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress

from landlord.api.tenant import Key
from landlord.controller.kube import KubeClient
from landlord.controller.watch.cache import Cache
from landlord.controller.watch.preflight import list_uids
from landlord.kubernetes_api import KubeError

SETTLE_SECONDS = 5.0
"""Time for a new watch to list: what is deleted after that, it reports."""

log = logging.getLogger(__name__)

RELIST_SECONDS = 600.0
"""Between two lists, which are of metadata only and in pages, because such a gap is rare."""


async def relist(
    kube: KubeClient,
    namespaces: Sequence[str],
    cache: Cache,
    drop: Callable[[Key, str], None],
    missed: asyncio.Event,
) -> None:
    """Call `drop` with key and uid of each cached Tenant that no longer exists, until cancelled.

    It looks now and then, and soon after `missed` is set.
    """
    while True:
        with suppress(TimeoutError):
            async with asyncio.timeout(RELIST_SECONDS):
                await missed.wait()
                missed.clear()
                await asyncio.sleep(SETTLE_SECONDS)
        known = cache.map_uids()
        try:
            there = await list_uids(kube, namespaces)
        except KubeError as error:
            log.warning("landlord can't look for Tenants whose deletion it missed: %s", error)
            continue
        for uid in known.keys() - there:
            drop(known[uid], uid)

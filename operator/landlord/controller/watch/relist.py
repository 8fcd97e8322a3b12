"""Finds Tenants that went without a word.

A watch that was broken for so long that it has to begin anew tells of all Tenants that are there, and of none
that went in the meantime. One whose finalizer somebody removed then would keep its tenantID for ever.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence

from landlord.api.tenant import Key
from landlord.controller.kube import KubeClient
from landlord.controller.watch.cache import Cache
from landlord.controller.watch.preflight import there_now
from landlord.kubernetes_api import KubeError

log = logging.getLogger(__name__)

RELIST_SECONDS = 600.0
"""Between two lists, of metadata only and in pages: such a gap is rare."""


async def relist(
    kube: KubeClient, namespaces: Sequence[str], cache: Cache, gone: Callable[[Key, str], None]
) -> None:
    """Tell `gone` the key and uid of each Tenant of the cache that is not there, until cancelled."""
    while True:
        await asyncio.sleep(RELIST_SECONDS)
        known = cache.uids()
        try:
            there = await there_now(kube, namespaces)
        except KubeError as error:
            log.warning("Tenants that went unseen can't be looked for: %s", error)
            continue
        for uid in known.keys() - there:
            gone(known[uid], uid)

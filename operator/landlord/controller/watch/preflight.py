"""What must be so before the watch starts: the API server answers, the CRD is there, RBAC allows our calls.

Absence is waited for (a cluster may still be coming up); a refusal ends the program with what to grant.
"""

import asyncio
import logging
from collections.abc import Sequence

from landlord.api import names
from landlord.controller.decide.rights import rights, scopes
from landlord.controller.kube import KubeClient, tenants_path
from landlord.controller.watch.cache import Cache
from landlord.controller.watch.gates import Gates
from landlord.errors import SettingsError
from landlord.kubernetes_api import KubeError
from landlord.settings import OperatorSettings

log = logging.getLogger(__name__)

RETRY_SECONDS = 2.0
RELIST_SECONDS = 5.0
LOOK_SECONDS = 5.0

NO_CRD = f"the CRD {names.CRD_NAME} is not installed: kubectl apply -f crds/tenants.yaml"


async def preflight(kube: KubeClient, settings: OperatorSettings, gates: Gates) -> None:
    """Return when the watch can start. Raises SettingsError for what waiting can't mend."""
    announced = ""
    while True:
        problem = await _missing(kube, settings.watch_namespaces, gates)
        if problem is None:
            break
        if problem != announced:
            log.warning("waiting: %s", problem)
            announced = problem
        await asyncio.sleep(RETRY_SECONDS)
    missing = [str(right) for right in rights(settings) if not await kube.may(*right)]
    if missing:
        raise SettingsError(
            "the API server does not allow what the operator needs; grant its ServiceAccount or user: "
            + ", ".join(missing)
        )


async def _missing(kube: KubeClient, namespaces: Sequence[str], gates: Gates) -> str | None:
    refusal = await look(kube, namespaces, gates)
    if refusal is None or refusal.status == 403:
        return None  # what is to be granted is found out next
    if refusal.status == 401:
        raise SettingsError(
            f"the API server refuses these credentials (HTTP 401): {refusal}; give KUBECONFIG others"
        ) from refusal
    return NO_CRD if refusal.status == 404 else str(refusal)


async def look(kube: KubeClient, namespaces: Sequence[str], gates: Gates) -> KubeError | None:
    """See whether the API server answers and has the CRD, and set their gates. Returns its refusal."""
    refusal = None
    try:
        async with asyncio.timeout(LOOK_SECONDS):
            await kube.call("GET", tenants_path(namespaces[0] if namespaces else None), query={"limit": "1"})
    except TimeoutError:
        refusal = KubeError(0, f"the API server does not answer within {LOOK_SECONDS:g} s")
    except KubeError as error:
        refusal = error
    if refusal is None or refusal.status == 404:
        gates.set("apiServer", True, "answers")
        gates.set("crd", refusal is None, NO_CRD if refusal else "installed")
    else:
        gates.set("apiServer", False, str(refusal))
    return refusal


async def there_now(kube: KubeClient, namespaces: Sequence[str]) -> set[str]:
    """The uids of all Tenants. An API server that is too busy to list them is asked again."""
    while True:
        try:
            return {uid for namespace in scopes(namespaces) async for uid in kube.tenant_uids(namespace)}
        except KubeError as error:
            # 410: the list took so long that its next page is gone.
            if 0 < error.status < 500 and error.status not in (410, 429):
                raise
            log.warning("waiting: Tenants can't be listed: %s", error)
            await asyncio.sleep(RETRY_SECONDS)


async def cache_filled(
    kube: KubeClient, namespaces: Sequence[str], pending: set[str], cache: Cache, gates: Gates
) -> None:
    """Return when the watch has seen every Tenant in `pending` that is still there.

    Acting on half a cache could give a tenantID to the younger of two Tenants. kopf does not say when its
    initial list is through, so it is compared with a list of our own, made before the watch is started.
    """
    loop = asyncio.get_running_loop()
    total, progressed = len(pending), loop.time()
    while unseen := pending - cache.uids().keys():
        if len(unseen) < len(pending):
            pending, progressed = unseen, loop.time()
        elif loop.time() - progressed > RELIST_SECONDS:  # some may have been deleted since
            pending, progressed = pending & await there_now(kube, namespaces), loop.time()
        gates.set("cache", False, f"{total - len(unseen)} of {total} Tenants seen")
        await asyncio.sleep(0.05)
    gates.set("cache", True, f"{total} Tenants seen at start")

"""Checks before the watch starts that the API server answers, the CRD is installed, and RBAC allows our
calls.

landlord waits for what is missing, because a cluster may still be starting. If something is not allowed, the
program ends and says what to grant.
"""

import asyncio
import logging
from collections.abc import Sequence

from landlord.api import names
from landlord.controller.decide.rights import list_rights, list_scopes
from landlord.controller.kube import KubeClient, build_tenants_path
from landlord.controller.watch.cache import Cache
from landlord.controller.watch.gates import Gates
from landlord.errors import SettingsError
from landlord.kubernetes_api import KubeError
from landlord.settings import OperatorSettings

log = logging.getLogger(__name__)

RETRY_SECONDS = 2.0
RELIST_SECONDS = 5.0
CHECK_SECONDS = 5.0

NO_CRD = f"the CRD {names.CRD_NAME} is not installed; run kubectl apply -f crds/tenants.yaml"


async def run_preflight(kube: KubeClient, settings: OperatorSettings, gates: Gates) -> None:
    """Return when the watch can start. Raises SettingsError for problems that waiting can't solve."""
    announced = ""
    while True:
        problem = await _find_problem(kube, settings.watch_namespaces, gates)
        if problem is None:
            break
        if problem != announced:
            log.warning("landlord is waiting: %s", problem)
            announced = problem
        await asyncio.sleep(RETRY_SECONDS)
    missing = [str(right) for right in list_rights(settings) if not await kube.is_allowed(*right)]
    if missing:
        raise SettingsError(
            "the API server does not allow what the operator needs; grant its ServiceAccount or user: "
            + ", ".join(missing)
        )


async def _find_problem(kube: KubeClient, namespaces: Sequence[str], gates: Gates) -> str | None:
    refusal = await check_api_server(kube, namespaces, gates)
    if refusal is None or refusal.status == 403:
        return None  # the next check finds out what to grant
    if refusal.status == 401:
        raise SettingsError(
            f"the API server refuses these credentials (HTTP 401): {refusal}; set KUBECONFIG to others"
        ) from refusal
    return NO_CRD if refusal.status == 404 else str(refusal)


async def check_api_server(kube: KubeClient, namespaces: Sequence[str], gates: Gates) -> KubeError | None:
    """Check that the API server answers and has the CRD, and set their gates. Returns its refusal."""
    refusal = None
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            await kube.call(
                "GET", build_tenants_path(namespaces[0] if namespaces else None), query={"limit": "1"}
            )
    except TimeoutError:
        refusal = KubeError(0, f"the API server did not answer within {CHECK_SECONDS:g} s")
    except KubeError as error:
        refusal = error
    if refusal is None or refusal.status == 404:
        gates.set("apiServer", True, "answers")
        gates.set("crd", refusal is None, NO_CRD if refusal else "installed")
    else:
        gates.set("apiServer", False, str(refusal))
    return refusal


async def list_versions(kube: KubeClient, namespaces: Sequence[str]) -> dict[str, int]:
    """Map the uid of each existing Tenant to its resourceVersion. Asks a busy API server again."""
    while True:
        try:
            return {
                metadata["uid"]: int(metadata["resourceVersion"])
                for namespace in list_scopes(namespaces)
                async for metadata in kube.list_tenants(namespace)
            }
        except KubeError as error:
            # 410: the list took so long that its next page is gone.
            if 0 < error.status < 500 and error.status not in (410, 429):
                raise
            log.warning("landlord is waiting because it can't list Tenants: %s", error)
            await asyncio.sleep(RETRY_SECONDS)


async def wait_for_cache(
    kube: KubeClient, namespaces: Sequence[str], pending: set[str], cache: Cache, gates: Gates
) -> None:
    """Return when the watch has observed every Tenant in `pending` that still exists.

    Acting on half a cache could give a tenantID to the younger of two Tenants. kopf does not say when its
    initial list is complete, so landlord compares it with a list of its own, made before the watch started.
    """
    loop = asyncio.get_running_loop()
    total, progressed = len(pending), loop.time()
    while unseen := pending - cache.map_versions().keys():
        if len(unseen) < len(pending):
            pending, progressed = unseen, loop.time()
        elif loop.time() - progressed > RELIST_SECONDS:  # some may have been deleted since
            pending, progressed = pending & (await list_versions(kube, namespaces)).keys(), loop.time()
        gates.set("cache", False, f"{total - len(unseen)} of {total} Tenants seen")
        await asyncio.sleep(0.05)
    gates.set("cache", True, f"{total} Tenants seen at start")

"""Delete the Tenants of a cluster before the cluster itself."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from dev.docker import find_engine, remove_tenants, remove_unused_networks
from dev.kubectl import Kubectl
from dev.progress import say
from landlord.api.names import ANNOTATION_RELEASED, CRD_NAME

_DELETE_SECONDS = 60


def remove_all(kubectl: Kubectl, *, deprovision: bool) -> None:
    """Delete all Tenants, so that none of their containers keeps running.

    `deprovision` must be False if landlord is not working. Their containers and volumes on the Docker engine
    are then removed directly.
    """
    if not kubectl.answers():
        return
    found = kubectl.run("get", "tenants", "-A", "-o", "json")
    tenants = json.loads(found.stdout)["items"] if found.returncode == 0 else []
    tenant_ids = [each["status"]["tenantID"] for each in tenants if "status" in each]
    if not tenant_ids:
        return
    if deprovision:
        _allow_deletion(kubectl, tenants)
        timeout = f"--timeout={_DELETE_SECONDS}s"
        deleted = kubectl.run("delete", "tenants", "--all", "-A", timeout, timeout=2 * _DELETE_SECONDS)
        if deleted.returncode == 0:
            return
        say(f"landlord did not deprovision all Tenants: {deleted.stderr.strip()}")
    client = find_engine()
    if client is not None:
        removed = remove_tenants(client, tenant_ids)
        remove_unused_networks(client)
        client.close()
        if removed:
            say(f"removed these containers: {', '.join(removed)}")


def _allow_deletion(kubectl: Kubectl, tenants: list[dict[str, Any]]) -> None:
    """Confirm the mass deletion and remove each Tenant's own protection, because `down` deletes all data."""
    until = datetime.now(UTC) + timedelta(seconds=2 * _DELETE_SECONDS)
    released = f"{ANNOTATION_RELEASED}={until:%Y-%m-%dT%H:%M:%SZ}"
    kubectl("annotate", "crd", CRD_NAME, "--overwrite", released)
    for tenant in tenants:
        if "deletion" in tenant["spec"]:
            place = (tenant["metadata"]["name"], "-n", tenant["metadata"]["namespace"])
            kubectl("patch", "tenant", *place, "--type=merge", '-p={"spec":{"deletion":null}}')

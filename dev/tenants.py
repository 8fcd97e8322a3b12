"""Taking the Tenants of a cluster away before the cluster itself goes."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from dev.docker import engine, remove_tenants, remove_unused_networks
from dev.kubectl import Kubectl
from dev.progress import say
from landlord.api.names import ANNOTATION_RELEASED, CRD_NAME

_DELETE_SECONDS = 60


def remove_all(kubectl: Kubectl, *, deprovision: bool) -> None:
    """Delete all Tenants so that nothing of theirs keeps running.

    Without `deprovision`, when landlord itself does not work any more, what they have on the Docker engine is
    removed from here.
    """
    if not kubectl.answers():
        return
    found = kubectl.run("get", "tenants", "-A", "-o", "json")
    tenants = json.loads(found.stdout)["items"] if found.returncode == 0 else []
    tenant_ids = [each["status"]["tenantID"] for each in tenants if "status" in each]
    if not tenant_ids:
        return
    if deprovision:
        _leave_nothing_to_hold_them(kubectl, tenants)
        timeout = f"--timeout={_DELETE_SECONDS}s"
        deleted = kubectl.run("delete", "tenants", "--all", "-A", timeout, timeout=2 * _DELETE_SECONDS)
        if deleted.returncode == 0:
            return
        say(f"not all Tenants were deprovisioned: {deleted.stderr.strip()}")
    client = engine()
    if client is not None:
        removed = remove_tenants(client, tenant_ids)
        remove_unused_networks(client)
        client.close()
        if removed:
            say(f"removed the containers {', '.join(removed)}")


def _leave_nothing_to_hold_them(kubectl: Kubectl, tenants: list[dict[str, Any]]) -> None:
    """The data goes with the environment, whatever was to become of it in a longer life."""
    until = datetime.now(UTC) + timedelta(seconds=2 * _DELETE_SECONDS)
    released = f"{ANNOTATION_RELEASED}={until:%Y-%m-%dT%H:%M:%SZ}"
    kubectl("annotate", "crd", CRD_NAME, "--overwrite", released)
    for tenant in tenants:
        if "deletion" in tenant["spec"]:
            place = (tenant["metadata"]["name"], "-n", tenant["metadata"]["namespace"])
            kubectl("patch", "tenant", *place, "--type=merge", '-p={"spec":{"deletion":null}}')

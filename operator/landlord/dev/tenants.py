"""Taking the Tenants of a cluster away before the cluster itself goes."""

from landlord.dev.docker import engine, remove_tenants
from landlord.dev.kubectl import Kubectl
from landlord.dev.progress import say

_DELETE_SECONDS = 60


def remove_all(kubectl: Kubectl, *, deprovision: bool) -> None:
    """Delete all Tenants so that nothing of theirs keeps running.

    Without `deprovision`, when landlord itself does not work any more, what they have on the Docker engine is
    removed from here.
    """
    if not kubectl.answers():
        return
    found = kubectl.run("get", "tenants", "-A", "-o", "jsonpath={.items[*].status.tenantID}")
    tenant_ids = found.stdout.split()
    if found.returncode != 0 or not tenant_ids:
        return
    if deprovision:
        timeout = f"--timeout={_DELETE_SECONDS}s"
        deleted = kubectl.run("delete", "tenants", "--all", "-A", timeout, timeout=2 * _DELETE_SECONDS)
        if deleted.returncode == 0:
            return
        say(f"not all Tenants were deprovisioned: {deleted.stderr.strip()}")
    client = engine()
    if client is not None:
        removed = remove_tenants(client, tenant_ids)
        client.close()
        if removed:
            say(f"removed the containers {', '.join(removed)}")

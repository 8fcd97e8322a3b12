"""Reading a Tenant as `kubectl get -o json` shows it."""

from typing import Any

Tenant = dict[str, Any]


def conditions(tenant: Tenant) -> dict[str, tuple[str, str]]:
    """Status and reason of each condition, by type."""
    listed = tenant.get("status", {}).get("conditions", [])
    return {each["type"]: (each["status"], each["reason"]) for each in listed}


def message(tenant: Tenant, kind: str) -> str:
    """The message of a condition; empty if it is not there."""
    listed = tenant.get("status", {}).get("conditions", [])
    return next((str(each["message"]) for each in listed if each["type"] == kind), "")


def workflow(tenant: Tenant) -> dict[str, Any]:
    """status.workflow; empty while there is none."""
    found: dict[str, Any] = tenant.get("status", {}).get("workflow", {})
    return found


def kstatus(tenant: Tenant) -> str:
    """What Flux and Argo CD make of an object, by the rules of the kstatus library."""
    status = tenant.get("status", {})
    said = {kind: verdict for kind, (verdict, _) in conditions(tenant).items()}
    if "deletionTimestamp" in tenant["metadata"]:
        return "Terminating"
    if status.get("observedGeneration") != tenant["metadata"]["generation"]:
        return "InProgress"
    if said.get("Reconciling") == "True":
        return "InProgress"
    if said.get("Stalled") == "True":
        return "Failed"
    return "Current" if said.get("Ready") == "True" else "InProgress"

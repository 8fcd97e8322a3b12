"""What the API server's refusals mean: hopeless or not yet, and what to do about it. No I/O."""

import re
from collections.abc import Mapping

from landlord.api.names import OBJECT_NAME
from landlord.api.workload import Quantity
from landlord.backends.quantity import parse_quantity
from landlord.errors import Retryable, StepError, Stuck, Terminal

QUOTA_EXCEEDED = re.compile(r"exceeded quota: (?P<name>\S+), requested: (?P<requested>\S+), used: ")
CREDENTIALS = "correct the kubeconfig or service account of the worker; it is tried again"
RIGHTS = "give the worker's service account this right; it is tried again"


class Gone(Retryable):
    """What earlier steps had made was removed by somebody else, or is outdated: it has to be made again."""


def explain_refusal(status: int, said: str, quota: Mapping[str, Quantity]) -> StepError:
    """Why the API server did not do what it was asked, from the HTTP status (0: no answer) and its text."""
    if "is being terminated" in said or "object is being deleted" in said:
        return Retryable("StillTerminating", f"{said}\nIt is tried again when that has ended.")
    if status == 404:
        return Gone("NamespaceGone", f"{said}: somebody else removed it; it is made again")
    if QUOTA_EXCEEDED.search(said):
        return _explain_exceeded_quota(said, quota)
    if "denied the request" in said or "denied request" in said:
        return Stuck("Denied", f"{said}\nTo do: change the spec, or the policy that denies it.")
    if status == 401:
        return Retryable(
            "Unauthorized", f"the API server does not know the worker: {said}\nTo do: {CREDENTIALS}."
        )
    if status == 403:
        return Retryable("Forbidden", f"{said}\nTo do: {RIGHTS}.")
    if status == 409 or (status == 422 and "metadata.uid: Invalid" in said):
        return Retryable("Changed", f"{said}; it is tried again")
    if status in (400, 413, 422):
        return Terminal("InvalidSpec", f"the API server refuses it: {said}\nTo do: correct the spec.")
    return Retryable("ApiServerUnavailable", f"{said}; it is tried again")


def explain_forbidden_secrets(namespace: str) -> str:
    """Why Secrets of a namespace are not read, and what to do about it."""
    return (
        f"the worker may not read the Secrets of the namespace {namespace}; to allow it: "
        f"`kubectl create rolebinding landlord-secrets-reader -n {namespace} "
        "--clusterrole=landlord-secrets-reader --serviceaccount=landlord-system:landlord-worker`"
    )


def explain_missing_pods(said: str, quota: Mapping[str, Quantity]) -> StepError:
    """Why no pod is made, from what the ReplicaSet says about it."""
    if QUOTA_EXCEEDED.search(said):
        return _explain_exceeded_quota(said, quota)
    if "failed quota: " in said:
        todo = "set these amounts in spec.workload.containers[].resources"
        return Terminal("QuotaExceeded", f"{said}\nTo do: {todo}.")
    if " is invalid: " in said:
        return Terminal("InvalidSpec", f"{said}\nTo do: correct spec.workload.")
    return Retryable("PodsRefused", f"{said}\nTo do: see `kubectl get events`; it is tried again.")


def _explain_exceeded_quota(said: str, quota: Mapping[str, Quantity]) -> StepError:
    """Hopeless if more is requested at once than the tenant's own quota allows, else it may pass."""
    match = QUOTA_EXCEEDED.search(said)
    if match and match["name"] == OBJECT_NAME and _exceeds(match["requested"], quota):
        todo = "raise compute.kubernetes.quota, or ask for less in spec.workload"
        return Terminal("QuotaExceeded", f"{said}\nTo do: {todo}.")
    todo = "raise the quota, or have others in the namespace use less; an update needs room for one pod more"
    return Retryable("QuotaExceeded", f"{said}\nTo do: {todo}. It is tried again.")


def _exceeds(requested: str, quota: Mapping[str, Quantity]) -> bool:
    amounts = dict(pair.split("=", 1) for pair in requested.split(",") if "=" in pair)
    return any(
        parse_quantity(amount) > parse_quantity(quota[name])
        for name, amount in amounts.items()
        if name in quota
    )

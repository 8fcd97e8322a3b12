"""What the API server's refusals mean: whether they are permanent, and how to fix them. No I/O."""

import re
from collections.abc import Mapping

from landlord.api.amounts import Quantity
from landlord.api.names import OBJECT_NAME
from landlord.backends.quantity import parse_quantity
from landlord.errors import Retryable, StepError, Stuck, Terminal

QUOTA_EXCEEDED = re.compile(r"exceeded quota: (?P<name>\S+), requested: (?P<requested>\S+), used: ")


class Gone(Retryable):
    """Something that earlier steps created no longer exists or is outdated; they must create it again."""


def explain_refusal(status: int, reason: str, quota: Mapping[str, Quantity]) -> StepError:
    """Explain why the API server refused a request, from the HTTP status (0: no answer) and its text."""
    if "is being terminated" in reason or "object is being deleted" in reason:
        return Retryable("StillTerminating", reason, "wait until the deletion has ended")
    if status == 404:
        return Gone("NamespaceGone", f"{reason}: somebody deleted it, and landlord is creating it again")
    if QUOTA_EXCEEDED.search(reason):
        return _explain_exceeded_quota(reason, quota)
    if "denied the request" in reason or "denied request" in reason:
        return Stuck("Denied", reason, "change the spec, or the policy that denies it")
    if status == 401:
        return Retryable(
            "Unauthorized",
            f"the API server does not accept the worker's credentials: {reason}",
            "correct the kubeconfig or the service account of the worker",
        )
    if status == 403:
        return Retryable("Forbidden", reason, "grant this right to the worker's service account")
    if status == 409 or (status == 422 and "metadata.uid: Invalid" in reason):
        return Retryable("Changed", f"{reason}: somebody changed it at the same time")
    if status in (400, 413, 422):
        return Terminal("InvalidSpec", f"the API server rejects it: {reason}", "correct the spec")
    return Retryable("ApiServerUnavailable", reason, "check that the API server is up and reachable")


def explain_forbidden_secrets(namespace: str, details: str = "") -> Retryable:
    """Explain that the worker may not read the Secrets of a namespace."""
    message = f"the worker may not read the Secrets of the namespace {namespace}"
    return Retryable(
        "Forbidden",
        f"{message}: {details}" if details else message,
        f"grant it with `kubectl create rolebinding landlord-secrets-reader -n {namespace} "
        "--clusterrole=landlord-secrets-reader --serviceaccount=landlord-system:landlord-worker`",
    )


def explain_missing_pods(reason: str, quota: Mapping[str, Quantity], namespace: str) -> StepError:
    """Explain why no pod is created, from the ReplicaSet's condition."""
    if QUOTA_EXCEEDED.search(reason):
        return _explain_exceeded_quota(reason, quota)
    if "failed quota: " in reason:
        return Terminal("QuotaExceeded", reason, "set these amounts in spec.workload.containers[].resources")
    if " is invalid: " in reason:
        # The API server accepted the Deployment, so admission made the pod invalid.
        return Stuck(
            "PodsRefused",
            reason,
            "set resources.requests and resources.limits in spec.workload, or correct the LimitRange "
            f"(`kubectl get limitranges -n {namespace}`) or the webhook that changes pods",
        )
    return Retryable("PodsRefused", reason, f"see `kubectl get events -n {namespace}`")


def _explain_exceeded_quota(reason: str, quota: Mapping[str, Quantity]) -> StepError:
    """Permanent if the tenant requests more at once than its own quota allows; otherwise transient."""
    match = QUOTA_EXCEEDED.search(reason)
    if match and match["name"] == OBJECT_NAME and _exceeds(match["requested"], quota):
        return Terminal(
            "QuotaExceeded", reason, "raise compute.kubernetes.quota, or request less in spec.workload"
        )
    return Retryable(
        "QuotaExceeded",
        reason,
        "raise the quota, or make others in the namespace use less; an update needs room for one more pod",
    )


def _exceeds(requested: str, quota: Mapping[str, Quantity]) -> bool:
    amounts = dict(pair.split("=", 1) for pair in requested.split(",") if "=" in pair)
    return any(
        parse_quantity(amount) > parse_quantity(quota[name])
        for name, amount in amounts.items()
        if name in quota
    )

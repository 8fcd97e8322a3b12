"""`landlord retry`: requests that landlord tries again now, says what follows, and waits for the end."""

import asyncio
import re
import time
from datetime import datetime

from landlord.api import names
from landlord.api.conditions import ACCEPTED, DELETION_HELD, READY, STALLED, find
from landlord.api.tenant import Key, Tenant
from landlord.controller.decide.last_work import may_be_running
from landlord.controller.kube import build_tenant_path
from landlord.errors import LandlordError
from landlord.kubernetes_api import MERGE_PATCH, ApiServer, KubeError

FIELD_MANAGER = "landlord-retry"
POLL_SECONDS = 1.0
_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")


class RetryImpossible(LandlordError):
    """The request could not be made, or nobody can see what became of it."""


async def request_retry(api: ApiServer, key: Key, now: datetime) -> Tenant:
    """Annotate the Tenant with the present time, and return it as it is then. Raises RetryImpossible."""
    for part in key:
        if not _NAME.fullmatch(part):
            raise RetryImpossible(
                f"{part!r} is not a name", "give the names that kubectl get tenants -A shows"
            )
    patch = {"metadata": {"annotations": {names.ANNOTATION_RETRY: f"{now:%Y-%m-%dT%H:%M:%S.%fZ}"}}}
    try:
        body = await api.call(
            "PATCH",
            build_tenant_path(key),
            patch,
            content_type=MERGE_PATCH,
            query={"fieldManager": FIELD_MANAGER},
        )
    except KubeError as error:
        raise _explain(error, key, "patch") from error
    return Tenant.model_validate(body)


def describe_request(tenant: Tenant) -> str:
    """Describe for a person what was requested, what follows, and where to see it."""
    key = tenant.key
    return "\n".join(
        [
            f"Requested a retry of Tenant {key} ({names.ANNOTATION_RETRY}={_read_request(tenant)}).",
            _predict(tenant),
            f"To follow it: kubectl get tenant {key.name} -n {key.namespace} --watch",
            f"To see why it fails: kubectl describe tenant {key.name} -n {key.namespace}",
        ]
    )


async def wait_for_end(api: ApiServer, requested: Tenant, seconds: float) -> tuple[bool, str]:
    """Wait until the retry that was requested has ended; return whether it helped, and what is so then.

    Raises RetryImpossible if the Tenant may not be read.
    """
    deadline, key = time.monotonic() + seconds, requested.key
    while True:
        try:
            tenant = Tenant.model_validate(await api.call("GET", build_tenant_path(key)))
        except KubeError as error:
            if error.status == 404 and requested.deleting:
                return True, f"Tenant {key} is gone."
            if error.status in (401, 403, 404):
                raise _explain(error, key, "get") from error
            state = str(error)
        else:
            if (end := _find_end(tenant, _read_request(requested))) is not None:
                return end
            state = _describe_ready(tenant)
        if time.monotonic() >= deadline:
            return False, f"The retry did not end within {seconds:g} s. {state}"
        await asyncio.sleep(POLL_SECONDS)


def _find_end(tenant: Tenant, requested_at: str) -> tuple[bool, str] | None:
    status = tenant.status
    if status.last_handled_retry_at != requested_at:
        return None
    ready, stalled = find(status.conditions, READY), find(status.conditions, STALLED)
    is_ready = ready is not None and ready.status == "True" and not tenant.deleting
    return (is_ready, _describe_ready(tenant)) if is_ready or stalled else None


def _predict(tenant: Tenant) -> str:
    """Say what landlord does now; retry_request.py decides it."""
    status = tenant.status
    ready, accepted = find(status.conditions, READY), find(status.conditions, ACCEPTED)
    if held := find(status.conditions, DELETION_HELD):
        return f"landlord retries nothing while the deletion is held. {held.message}"
    if tenant.paused and not tenant.deleting:
        resume = "To resume, set spec.management.mode to Managed"
        return f"landlord retries nothing while the Tenant is paused. {resume}."
    if accepted and accepted.status == "False" and not tenant.deleting:
        return f"landlord retries it as soon as it can accept the Tenant. {accepted.message}"
    if ready and ready.status == "True" and not tenant.deleting:
        return (
            "The tenant is Ready, so landlord does nothing unless it finds the tenant changed or unhealthy."
        )
    workflow = status.workflow
    if workflow and may_be_running(workflow) and workflow.sub_state in ("Pending", "Running"):
        return "The workflow is running. If it fails, landlord starts it again at once."
    return f"landlord starts the workflow again now. Before, it was this: {_describe_ready(tenant)}"


def _describe_ready(tenant: Tenant) -> str:
    ready = find(tenant.status.conditions, READY)
    if ready is None:
        return "The Tenant has no status yet: no operator has seen it."
    return f"Ready is {ready.status}, {ready.reason}: {ready.message}"


def _read_request(tenant: Tenant) -> str:
    return tenant.metadata.annotations[names.ANNOTATION_RETRY]


def _explain(error: KubeError, key: Key, verb: str) -> RetryImpossible:
    match error.status:
        case 404 if f'"{key.name}" not found' in str(error):
            message = f"there is no Tenant {key.name} in the namespace {key.namespace}"
            fix = "find it with `kubectl get tenants -A`, and give its namespace with -n"
        case 404:
            message, fix = (
                f"the cluster has no Tenants: {error}",
                "install landlord's CRD, or check KUBECONFIG",
            )
        case 401:
            message, fix = f"the API server rejects the credentials: {error}", "log in, or check KUBECONFIG"
        case 403:
            message = f"you may not {verb} the Tenant {key}: {error}"
            fix = f"have somebody bind the ClusterRole edit to you in the namespace {key.namespace}"
        case 0:
            message, fix = str(error), "check that `kubectl get tenants` works with the same KUBECONFIG"
        case _:
            message, fix = f"the API server rejected the request: {error}", ""
    return RetryImpossible(message, fix)

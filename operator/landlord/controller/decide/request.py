"""The one request that stands for what a Tenant needs now: the same object gives the same key."""

from landlord.api.request import Desired, Operation, Request
from landlord.api.tenant import Tenant, TenantSpec, WorkflowSpec
from landlord.controller.decide.acceptance import choose_provider
from landlord.controller.decide.facts import Case, Flight
from landlord.controller.decide.last_work import is_same_work
from landlord.controller.decide.retry_request import find_retry, is_stuck


def build_request(case: Case, operation: Operation) -> Request:
    """Build the request for an operation on the Tenant at its present generation."""
    tenant, spec = case.tenant, case.tenant.spec
    provider = choose_provider(case)
    return Request(
        tenant_id=tenant.tenant_id,
        operation=operation,
        uid=tenant.metadata.uid,
        created_at=tenant.metadata.creation_timestamp,
        generation=tenant.metadata.generation,
        attempt=_choose_attempt(case, operation),
        provider=provider,
        timeout_seconds=(spec.workflow if spec else WorkflowSpec()).timeout_seconds,
        desired=build_desired(tenant, spec, provider) if operation == "apply" and spec is not None else None,
        keeps_data=operation == "delete" and tenant.deletion.policy == "Archive",
    )


def build_desired(tenant: Tenant, spec: TenantSpec, provider: str) -> Desired:
    """Build what that backend has to make true."""
    return Desired(
        tenant_id=tenant.tenant_id,
        workload=spec.workload,
        # Settings of other backends are left out, so that changing them replaces nothing.
        docker=spec.compute.docker if provider == "docker" else None,
        kubernetes=spec.compute.kubernetes if provider == "kubernetes" else None,
        config=spec.compute.config or None,
        adoption=spec.management.adoption,
        secrets_namespace=tenant.key.namespace if spec.workload.refers_to_secrets else None,
    )


def _choose_attempt(case: Case, operation: Operation) -> int:
    """Count up for each workflow of a generation, whatever it does, so that no two have the same key."""
    tenant = case.tenant
    workflow, generation = tenant.status.workflow, tenant.metadata.generation
    attempt = 1
    if workflow is not None and workflow.generation == generation:
        is_due = (
            workflow.next_retry_time is None
            or workflow.next_retry_time <= case.now
            or find_retry(tenant) is not None
        )
        is_over = workflow.sub_state == "Succeeded" or (workflow.sub_state == "Failed" and is_due)
        attempt = workflow.attempt + (1 if is_over or not is_same_work(tenant, operation) else 0)
    flight = case.facts.flight
    if flight and (flight.request.uid, flight.request.generation) == (tenant.metadata.uid, generation):
        # The status does not mention work that ends within a second.
        is_other = flight.request.operation != operation or _is_to_be_replaced(case, flight)
        return max(attempt, flight.request.attempt + is_other)
    return attempt


def _is_to_be_replaced(case: Case, flight: Flight) -> bool:
    """Whether a person requested another attempt at work that is stuck, and the engine can take it now."""
    return find_retry(case.tenant) is not None and is_stuck(flight) and case.facts.registration.ready

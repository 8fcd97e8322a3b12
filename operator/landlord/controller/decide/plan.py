"""Decides what to do about one Tenant. Pure: the object, the facts and the time in, a Plan out.

| the Tenant …                         | work known here   | → finalizer | submit | status says              |
|--------------------------------------|-------------------|-------------|--------|--------------------------|
| is paused                            | any               |             |        | as before, Paused        |
| expires into its deletion            | any               |             |        | (the Tenant is deleted)  |
| is as wanted, and was found so       | none              |             |        | as before, registration  |
| is as wanted, but was found otherwise| none              |             |        | what was found           |
| … and is to be repaired, now         | none              |             | yes    | so, and what was found   |
| can't be accepted                    | any               |             |        | why, Stalled             |
| failed for good at its generation    | none              |             |        | what was found           |
| failed, may pass                     | none              |             | later  | what was found           |
| needs work, is not held              | none              | add         |        |                          |
| needs work, engine not ready         | none              |             |        | what is waited for       |
| needs work                           | none              |             | yes    |                          |
| needs work                           | under way         |             |        | progress                 |
| needs work                           | ended             |             |        | outcome                  |
| needs work                           | engine error      |             | later  | what is waited for       |
| is being deleted, owns nothing       | none              | remove      |        |                          |
| is being deleted, leaves all behind  | none              | remove      |        |                          |
| is being deleted, but that is held   | none              |             |        | as before, DeletionHeld  |
| is being deleted, failed, is forced  | none              | remove      |        |                          |
| is being deleted, maybe with others  | none              |             | later  |                          |
| is being deleted                     | none or under way |             | delete | progress                 |
| is being deleted                     | ended well        | remove      |        |                          |

"Work" is an apply, or a suspend or archive if that is the state in which the Tenant is wanted at the time.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from landlord.api.conditions import PROVISIONED, find
from landlord.api.outcome import Failure, Outcome, ResourceRef
from landlord.api.request import Desired, Operation, Request
from landlord.api.status import TenantStatus
from landlord.api.tenant import Tenant, TenantSpec, WorkflowSpec
from landlord.controller.decide import acceptance, health, hold, lifecycle, paused, retry
from landlord.controller.decide import status as say
from landlord.controller.decide.facts import Facts, Flight
from landlord.controller.decide.hold import Departure, Hold
from landlord.controller.decide.workflow_status import performed, ran_before
from landlord.errors import RequestRejected


@dataclass(frozen=True)
class Plan:
    """What to do, in this order: hold, submit, status, let go."""

    hold: bool = False
    """Add our finalizer."""
    submit: Request | None = None
    repairs: bool = False
    """What is submitted puts right what a survey has found. The status is told before: nothing else of the
    object says that it was asked for, and the attempt of a repair that has ended must not be used again."""
    status: TenantStatus | None = None
    """The whole status that should be there; None leaves it."""
    requeue_after: float | None = None
    """Seconds until the Tenant must be looked at again without any event."""
    retry: bool = False
    """Look again with backoff: the engine could not be asked."""
    let_go: Departure | None = None
    """Remove our finalizer, and tell what has become of what was made."""
    left: tuple[ResourceRef, ...] = ()
    """What an archive has left of it."""
    expire: bool = False
    """Delete the Tenant: its time is over."""
    settled: bool = False
    """Nothing is left to do, or to wait for but a time."""


def plan(tenant: Tenant, facts: Facts, now: datetime) -> Plan:
    """Decide what to do next. deletionTimestamp comes first: setting it also bumps the generation."""
    if tenant.deleting:
        return _deletion(tenant, facts, now)
    if tenant.paused:
        return Plan(status=paused.paused(tenant, facts, now), settled=True)
    if lifecycle.expires_into_deletion(tenant, now):
        return Plan(expire=True, settled=True)
    return _until_expiry(tenant, now, _upkeep(tenant, facts, now))


def _until_expiry(tenant: Tenant, now: datetime, decided: Plan) -> Plan:
    """Have the Tenant looked at when it expires, whatever else is to be done."""
    expiry = lifecycle.expires_at(tenant)
    if expiry is None or expiry <= now:
        return decided
    waits = [(expiry - now).total_seconds(), decided.requeue_after]
    return replace(decided, requeue_after=min(wait for wait in waits if wait is not None))


def _upkeep(tenant: Tenant, facts: Facts, now: datetime) -> Plan:
    if _as_wanted(tenant, now):
        return _kept(tenant, facts, now)
    if refusal := acceptance.refusal(tenant, facts):
        return Plan(status=say.refused(tenant, facts, now, *refusal))
    if not tenant.held:
        return Plan(hold=True)
    return _work(tenant, facts, now, lifecycle.OPERATIONS[lifecycle.wanted(tenant, now)])


def _kept(tenant: Tenant, facts: Facts, now: datetime) -> Plan:
    """Landlord has brought the Tenant where it shall be; somebody may have changed that since."""
    finding = health.current(tenant, facts.finding)
    due = finding and finding.repair and finding.repair_at is None
    if finding and due and tenant.spec and facts.flight is None and facts.registration.ready:
        if not tenant.held:
            return Plan(hold=True)
        request = request_for(tenant, facts, lifecycle.OPERATIONS[lifecycle.wanted(tenant, now)], now)
        told = say.under_way(health.noted(tenant, finding), facts, now, request, None)
        return Plan(submit=request, repairs=True, status=told)
    return Plan(status=_still(tenant, facts, now), settled=True)


def _still(tenant: Tenant, facts: Facts, now: datetime) -> TenantStatus | None:
    """Nothing is done: only what is around the Tenant, and what is seen of it, may have changed."""
    status, finding = say.settled(tenant, facts, now), health.current(tenant, facts.finding)
    return health.told(tenant, status or tenant.status, finding, now) if finding else status


def _deletion(tenant: Tenant, facts: Facts, now: datetime) -> Plan:
    if not tenant.held:
        return Plan(settled=True)
    if facts.owner is not None and not ran_before(tenant):
        # What runs under this tenantID was made for another Tenant.
        return Plan(let_go="NothingMade", settled=True)
    if tenant.status.provider is None and acceptance.lacks_backend(tenant, facts):
        # Nothing was ever asked of a backend, and there is none to ask now.
        return Plan(let_go="NothingMade", settled=True)
    if not hold.under_way(tenant, facts.flight):
        if hold.retains(tenant):
            return Plan(let_go="Retained", settled=True)
        if held_by := hold.hold(tenant, facts.deletions, now):
            return _held(tenant, facts, now, held_by)
        if hold.gives_up(tenant):
            return Plan(let_go="LeftBehind", settled=True)
        asked = tenant.metadata.deletion_timestamp
        if facts.deletions and asked and (settled_at := facts.deletions.settled_at(asked)) > now:
            return Plan(requeue_after=(settled_at - now).total_seconds())
    return _work(tenant, facts, now, "delete")


def _held(tenant: Tenant, facts: Facts, now: datetime, why: Hold) -> Plan:
    wait = (why.until - now).total_seconds() if why.until else None
    return Plan(status=paused.held(tenant, facts, now, why), requeue_after=wait, settled=True)


def _work(tenant: Tenant, facts: Facts, now: datetime, operation: Operation) -> Plan:
    held_until = _held_until(tenant, operation)
    request = request_for(tenant, facts, operation, now)
    flight = facts.flight
    if flight is None or not flight.is_for(request):
        if held_until == "change":
            return Plan(status=_still(tenant, facts, now), settled=True)
        if isinstance(held_until, datetime) and held_until > now:
            wait = (held_until - now).total_seconds()
            return Plan(status=_still(tenant, facts, now), requeue_after=wait)
        if not facts.registration.ready:
            return Plan(status=say.waiting(tenant, facts, now, request))
        return Plan(submit=request)
    if flight.outcome is not None:
        return _ended(tenant, facts, now, request, flight.outcome)
    if isinstance(flight.error, RequestRejected):
        failure = Failure(code="RequestRejected", message=str(flight.error), retryable=False)
        return _ended(tenant, facts, now, request, Outcome(result="Failed", failure=failure))
    if flight.error is not None:
        return Plan(status=say.waiting(tenant, facts, now, request), retry=True)
    return Plan(status=say.under_way(tenant, facts, now, request, flight.progress))


def _ended(tenant: Tenant, facts: Facts, now: datetime, request: Request, outcome: Outcome) -> Plan:
    if outcome.result == "Succeeded":
        if request.operation == "delete":
            if request.keeps_data:
                return Plan(let_go="Archived", left=outcome.made.resources, settled=True)
            return Plan(let_go="Deprovisioned", settled=True)
        return Plan(status=say.succeeded(tenant, facts, now, request, outcome), settled=True)
    status = say.failed(tenant, facts, now, request, outcome)
    wait = retry.retry_after(request, outcome)
    return Plan(status=status, requeue_after=wait, settled=wait is None)


def _as_wanted(tenant: Tenant, now: datetime) -> bool:
    condition = find(tenant.status.conditions, PROVISIONED)
    return (
        condition is not None
        and condition.status == "True"
        and condition.observed_generation == tenant.metadata.generation
        and lifecycle.reached(tenant) == lifecycle.wanted(tenant, now)
    )


def _held_until(tenant: Tenant, operation: Operation) -> datetime | Literal["change"] | None:
    """When a workflow that failed for this very work may be started again."""
    workflow = tenant.status.workflow
    if workflow is None or not _same_work(tenant, operation) or workflow.sub_state != "Failed":
        return None
    return workflow.next_retry_time or "change"


def _same_work(tenant: Tenant, operation: Operation) -> bool:
    workflow = tenant.status.workflow
    return (
        workflow is not None
        and workflow.generation == tenant.metadata.generation
        and performed(workflow.operation) == operation
    )


def request_for(tenant: Tenant, facts: Facts, operation: Operation, now: datetime) -> Request:
    """The one request that stands for the Tenant's present need: the same object gives the same key."""
    spec = tenant.spec
    provider = acceptance.provider(tenant, facts)
    return Request(
        tenant_id=tenant.tenant_id,
        operation=operation,
        uid=tenant.metadata.uid,
        created_at=tenant.metadata.creation_timestamp,
        generation=tenant.metadata.generation,
        attempt=_attempt(tenant, facts.flight, operation, now),
        provider=provider,
        timeout_seconds=(spec.workflow if spec else WorkflowSpec()).timeout_seconds,
        desired=desired(tenant, spec, provider) if operation == "apply" and spec is not None else None,
        keeps_data=operation == "delete" and tenant.deletion.policy == "Archive",
    )


def desired(tenant: Tenant, spec: TenantSpec, provider: str) -> Desired:
    """What that backend has to make true."""
    return Desired(
        tenant_id=tenant.tenant_id,
        workload=spec.workload,
        # Another backend's settings are no part of what is desired: changing them must replace nothing.
        docker=spec.compute.docker if provider == "docker" else None,
        kubernetes=spec.compute.kubernetes if provider == "kubernetes" else None,
        config=spec.compute.config or None,
        adoption=spec.management.adoption,
        secrets_namespace=tenant.key.namespace if spec.workload.refers_to_secrets else None,
    )


def _attempt(tenant: Tenant, flight: Flight | None, operation: Operation, now: datetime) -> int:
    """Counts up for each workflow of a generation, whatever it does, so that no two have the same key."""
    workflow, generation = tenant.status.workflow, tenant.metadata.generation
    attempt = 1
    if workflow is not None and workflow.generation == generation:
        due = workflow.next_retry_time is None or workflow.next_retry_time <= now
        over = workflow.sub_state == "Succeeded" or (workflow.sub_state == "Failed" and due)
        attempt = workflow.attempt + (1 if over or not _same_work(tenant, operation) else 0)
    asked = flight.request if flight else None
    if asked and (asked.uid, asked.generation) == (tenant.metadata.uid, generation):
        # Of what ends within a second the status does not say that it was asked for.
        return max(attempt, asked.attempt + (asked.operation != operation))
    return attempt

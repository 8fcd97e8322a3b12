"""Tenants in the situations that a plan is made for, and what is known beside them."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from landlord.api.conditions import find
from landlord.api.names import ANNOTATION_RETRY, FINALIZER
from landlord.api.outcome import Endpoint, Failure, Outcome, ResourceRef, Result
from landlord.api.request import Operation
from landlord.api.status import TenantStatus
from landlord.api.tenant import Tenant
from landlord.controller.decide.facts import Case, Facts, Flight
from landlord.controller.decide.hold import Departure
from landlord.controller.decide.plan import Plan, plan
from landlord.controller.decide.request import build_request
from landlord.controller.decide.situation import Releasing, Repairing, Situation
from landlord.controller.decide.status import compose
from landlord.engines.contract import Registration

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
REGISTERED = Registration(
    "True", "Registered", "registered", deployment_id="dp_1", revision="r1", backends=frozenset({"memory"})
)
LOST = Registration("False", "RegistrationLost", "the store was lost", backends=frozenset({"memory"}))
AWAY = Registration("Unknown", "EngineUnreachable", "Restate does not answer")
REJECTED = Registration(
    "False", "RegistrationRejected", "META0006: change the service type back", hopeless=True
)
FACTS = Facts(registration=REGISTERED, steady=None, default_provider="memory")
MADE = Result(
    endpoints=(Endpoint(name="http", url="http://127.0.0.1:1"),),
    resources=(ResourceRef(kind="container", name="c"),),
)
DONE = Outcome(result="Succeeded", made=MADE, spec_hash="5eed")
HOPELESS = Outcome(
    result="Failed",
    failure=Failure(code="ImageInvalid", message="no such tag", retryable=False, step="image"),
)
GIVEN_UP = Outcome(
    result="Failed", failure=Failure(code="Timeout", message="503", retryable=True, step="image")
)


@dataclass(frozen=True)
class Decided(Plan):
    """A plan, and the status that follows from its situation."""

    status: TenantStatus = field(kw_only=True)

    @property
    def is_repair(self) -> bool:
        """Whether what is submitted undoes what a survey has found."""
        return isinstance(self.situation, Repairing)

    @property
    def departure(self) -> Departure | None:
        """How the Tenant is released, if it is."""
        return self.situation.departure if isinstance(self.situation, Releasing) else None


def decide(tenant: Tenant, facts: Facts = FACTS, now: datetime = NOW) -> Decided:
    case = Case(tenant, facts, now)
    planned = plan(case)
    return Decided(**vars(planned), status=compose(case, planned.situation))


def unchanged(tenant: Tenant, situation: Situation, **actions: Any) -> Decided:
    """What is decided about a Tenant that keeps its status: these actions, and no others."""
    return Decided(situation, status=tenant.status, **actions)


def a_tenant(
    generation: int = 1,
    *,
    has_finalizer: bool = True,
    deleting: bool = False,
    status: TenantStatus | None = None,
    retry: str = "",
    **spec: Any,
) -> Tenant:
    metadata = {
        "name": "acme",
        "namespace": "tenants",
        "uid": "u1",
        "resourceVersion": "7",
        "generation": generation,
        "creationTimestamp": NOW.isoformat(),
        "finalizers": [FINALIZER] if has_finalizer else [],
        "annotations": {ANNOTATION_RETRY: retry} if retry else {},
    }
    if deleting:
        metadata["deletionTimestamp"] = NOW.isoformat()
    workload = {"containers": [{"name": "app", "image": "app:1"}]}
    return Tenant.model_validate(
        {"metadata": metadata, "spec": {"workload": workload} | spec, "status": status or TenantStatus()}
    )


def with_flight(tenant: Tenant, facts: Facts = FACTS, operation: Operation = "apply", **known: Any) -> Facts:
    return replace(facts, flight=Flight(build_request(Case(tenant, facts, NOW), operation), **known))


def a_ready_tenant(generation: int = 1, **changes: Any) -> Tenant:
    """One that was provisioned at generation 1 and is now at `generation`."""
    tenant = a_tenant()
    status = decide(tenant, with_flight(tenant, outcome=DONE)).status
    return a_tenant(generation, status=status, **changes)


def a_failed_tenant(outcome: Outcome, *, retry: str = "") -> Tenant:
    tenant = a_tenant()
    return a_tenant(status=decide(tenant, with_flight(tenant, outcome=outcome)).status, retry=retry)


def says(decided: Decided, kind: str) -> tuple[str, str] | None:
    condition = find(decided.status.conditions, kind)
    return (condition.status, condition.reason) if condition else None

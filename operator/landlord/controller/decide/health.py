"""Composes what the status reports of a survey's finding.

Ready follows ComputeHealthy once a survey found that to be False, and until a survey finds it to be True: a
survey that fails makes no tenant that runs unready, and no other tenant ready.
"""

from collections.abc import Sequence
from datetime import datetime

from landlord.api import conditions
from landlord.api.conditions import COMPUTE_HEALTHY, READY, Verdict, shortened
from landlord.api.status import Drift, Phase, TenantStatus
from landlord.api.tenant import Tenant
from landlord.controller.decide import lifecycle
from landlord.controller.decide.comparison import MAX_ITEM, Finding
from landlord.controller.decide.facts import Case

UNWELL = ("Unhealthy", "Missing")
"""Reasons of Ready that come from ComputeHealthy."""


def with_finding(case: Case, status: TenantStatus, finding: Finding) -> TenantStatus:
    """Add a finding to the status of a Tenant that no work is under way for."""
    drift = status.drift if finding.drift is None else _merge_drift(status.drift, finding.drift, finding.at)
    if finding.health is None:
        return status.model_copy(update={"drift": drift})
    verdicts = {c.type: Verdict(c.type, c.status, c.reason, c.message) for c in status.conditions}
    verdicts[COMPUTE_HEALTHY] = finding.health
    phase, ready = status.phase, verdicts.get(READY)
    if ready is not None and (ready.status == "True" or ready.reason in UNWELL):
        verdicts[READY], phase = _judge_ready(case, ready, finding.health)
    generation = case.tenant.metadata.generation
    merged = conditions.merge(status.conditions, verdicts.values(), generation, case.now)
    return status.model_copy(update={"conditions": merged, "phase": phase or status.phase, "drift": drift})


def with_drift(tenant: Tenant, finding: Finding) -> Tenant:
    """Add what landlord repairs to the Tenant, which reports it until that has succeeded."""
    items = finding.drift or (shortened(finding.repair, MAX_ITEM),)
    drift = _merge_drift(tenant.status.drift, items, finding.at)
    return tenant.model_copy(update={"status": tenant.status.model_copy(update={"drift": drift})})


def describe_drift(drift: Drift | None) -> str:
    """Describe what a survey found in one line; empty if that is no longer known."""
    return "; ".join(drift.items) if drift else ""


def _merge_drift(before: Drift | None, items: Sequence[str], at: datetime) -> Drift | None:
    if not items:
        return None
    since = before.first_detected_at if before else at.replace(microsecond=0)
    return Drift(first_detected_at=since, items=tuple(items))


def _judge_ready(case: Case, ready: Verdict, health: Verdict) -> tuple[Verdict, Phase | None]:
    if health.status == "False":
        return Verdict(READY, "False", health.reason, health.message), "Degraded"
    if health.status == "True" and ready.status != "True":
        state = lifecycle.find_reached_state(case.tenant)
        reason = "Provisioned" if state == "Active" else state
        message = lifecycle.describe_state(case.tenant, state, case.now)
        return Verdict(READY, "True", reason, message), "Ready" if state == "Active" else state
    return ready, None

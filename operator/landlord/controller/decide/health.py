"""What the status says of a survey's findings. Pure.

Ready follows ComputeHealthy once that is seen to be False, and until it is seen to be True: that nothing can
be seen for a while makes no tenant unready that runs, and none ready that does not.
"""

from collections.abc import Sequence
from datetime import datetime

from landlord.api import conditions
from landlord.api.conditions import COMPUTE_HEALTHY, READY, Verdict, shortened
from landlord.api.status import Drift, Phase, TenantStatus
from landlord.api.tenant import Tenant
from landlord.controller.decide import lifecycle
from landlord.controller.decide.comparison import MAX_ITEM, Finding

UNWELL = ("Unhealthy", "Missing")
"""Reasons of Ready that come from ComputeHealthy."""


def current(tenant: Tenant, finding: Finding | None) -> Finding | None:
    """The finding, if no other workflow has ended since the survey that it comes from."""
    workflow = tenant.status.workflow
    if finding is None or workflow is None:
        return None
    return finding if finding.work == (tenant.metadata.uid, workflow.generation, workflow.attempt) else None


def told(tenant: Tenant, status: TenantStatus, finding: Finding, now: datetime) -> TenantStatus:
    """The status of a Tenant that no work is under way for, with what was found."""
    drift = status.drift if finding.drift is None else _drift(status.drift, finding.drift, finding.at)
    if finding.health is None:
        return status.model_copy(update={"drift": drift})
    verdicts = {c.type: Verdict(c.type, c.status, c.reason, c.message) for c in status.conditions}
    verdicts[COMPUTE_HEALTHY] = finding.health
    phase, ready = status.phase, verdicts.get(READY)
    if ready is not None and (ready.status == "True" or ready.reason in UNWELL):
        verdicts[READY], phase = _ready(tenant, ready, finding.health, now)
    merged = conditions.merge(status.conditions, verdicts.values(), tenant.metadata.generation, now)
    return status.model_copy(update={"conditions": merged, "phase": phase or status.phase, "drift": drift})


def noted(tenant: Tenant, finding: Finding) -> Tenant:
    """The Tenant that is being repaired, which shows why until that has succeeded."""
    drift = _drift(tenant.status.drift, finding.drift or (shortened(finding.repair, MAX_ITEM),), finding.at)
    return tenant.model_copy(update={"status": tenant.status.model_copy(update={"drift": drift})})


def in_words(drift: Drift | None) -> str:
    """What was found, in one line; empty if that is not known any more."""
    return "; ".join(drift.items) if drift else ""


def _drift(before: Drift | None, items: Sequence[str], at: datetime) -> Drift | None:
    if not items:
        return None
    since = before.first_detected_at if before else at.replace(microsecond=0)
    return Drift(first_detected_at=since, items=tuple(items))


def _ready(tenant: Tenant, ready: Verdict, health: Verdict, now: datetime) -> tuple[Verdict, Phase | None]:
    if health.status == "False":
        return Verdict(READY, "False", health.reason, health.message), "Degraded"
    if health.status == "True" and ready.status != "True":
        state = lifecycle.reached(tenant)
        reason = "Provisioned" if state == "Active" else state
        verdict = Verdict(READY, "True", reason, lifecycle.told(tenant, state, now))
        return verdict, "Ready" if state == "Active" else state
    return ready, None

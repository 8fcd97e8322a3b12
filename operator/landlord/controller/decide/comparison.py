"""Compares what a survey observed of a tenant with what its Tenant reports.

| the tenant …                                 | → ComputeHealthy   | drift     | work is done again  |
|----------------------------------------------|--------------------|-----------|---------------------|
| is as landlord created it, and healthy       | Healthy            |           |                     |
| is as landlord created it, and not healthy   | Unhealthy, at the  |           |                     |
|                                              | second such survey |           |                     |
| does not exist                               | Missing            | yes       | if it must run      |
| is suspended or archived, and left nothing   | Healthy            |           |                     |
| must run, but is suspended or archived       | Missing            | yes       | yes                 |
| runs, but must be suspended or archived      | Unhealthy          | yes       | yes                 |
| has another spec, or somebody changed it     | Healthy, Unhealthy | yes       | yes                 |
| refers to something changed, such as a Secret| Healthy, Unhealthy |           | yes, in every mode  |
| can't be observed, three surveys in a row    | NotSurveyed        | as before |                     |

`spec.management.drift` decides what follows from drift: with Repair landlord does the work again, with Report
it reports the drift, and with Ignore it does neither. Before a repair, an inspection confirms that a field
differs, because a survey also notices what changed nothing of landlord's, such as a Secret that somebody
rewrote. After a workflow that failed, only the health is judged: the next workflow is on its way, or waits
for a change of the spec.
"""

import re
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, replace
from datetime import datetime
from typing import Literal

from landlord.api.conditions import COMPUTE_HEALTHY, PROVISIONED, Verdict, shortened
from landlord.api.lifecycle import State
from landlord.api.schema import JsonObject
from landlord.api.survey import Seen

Mode = Literal["Repair", "Report", "Ignore"]
WorkId = tuple[str, int, int]
"""The Tenant's uid, and generation and attempt of a workflow."""

MAX_ITEMS = 32
MAX_ITEM = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class LastReported:
    """What a Tenant that no work is under way for reports, as far as a survey can contradict it."""

    provider: str
    tenant_id: str
    work: WorkId
    """The workflow that ended last."""
    has_succeeded: bool
    """Whether that brought the tenant into the state that it must be in."""
    state: State
    spec_hash: str | None
    has_objects: bool
    """Whether any of the tenant's objects must exist on the backend."""
    mode: Mode
    health: tuple[str, str, str] | None
    """Status, reason and message of ComputeHealthy."""
    drift: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """What a survey found out about a Tenant."""

    work: WorkId
    """The workflow that had ended before the survey began. The finding is outdated once another has ended."""
    at: datetime
    health: Verdict | None
    """The new ComputeHealthy; None: as before."""
    drift: tuple[str, ...] | None
    """The new `status.drift`; None: as before."""
    _: KW_ONLY
    repair: str = ""
    """For a person: why landlord has to do the work again; empty if it has not."""
    repair_at: datetime | None = None
    """When landlord may do so, if not now."""

    @property
    def is_repair_due(self) -> bool:
        """Whether landlord is to do the work again now."""
        return bool(self.repair) and self.repair_at is None


def read_last_reported(body: JsonObject) -> LastReported | None:
    """Read what to compare with; None while work is under way, or if landlord leaves the tenant unchanged."""
    metadata, spec, status = body["metadata"], body.get("spec") or {}, body.get("status") or {}
    workflow, management = status.get("workflow"), spec.get("management") or {}
    if (
        "deletionTimestamp" in metadata
        or management.get("mode") == "Paused"
        or workflow is None
        or workflow["subState"] not in ("Succeeded", "Failed")
        or workflow["operation"] == "Delete"
        or not status.get("provider")
    ):
        return None
    state, generation = status.get("state", "Active"), metadata["generation"]
    conditions = {condition["type"]: condition for condition in status.get("conditions", ())}
    provisioned, health = conditions.get(PROVISIONED, {}), conditions.get(COMPUTE_HEALTHY)
    has_succeeded = provisioned.get("status") == "True"
    if workflow["generation"] != generation or not (has_succeeded or status.get("resources")):
        return None
    return LastReported(
        provider=status["provider"],
        tenant_id=spec.get("tenantID") or metadata["name"],
        work=(metadata["uid"], workflow["generation"], workflow["attempt"]),
        has_succeeded=has_succeeded,
        state=state,
        spec_hash=status.get("specHash"),
        has_objects=state == "Active" or bool(status.get("resources")),
        mode=management.get("drift", "Repair"),
        health=(health["status"], health["reason"], health["message"]) if health else None,
        drift=tuple(status.get("drift", {}).get("items", ())),
    )


def judge_healthy(state: State) -> Verdict:
    """Judge ComputeHealthy of a tenant that is as it must be."""
    message = "The tenant is healthy" if state == "Active" else "Nothing of the tenant runs, as requested"
    return Verdict(COMPUTE_HEALTHY, "True", "Healthy", message)


def compare(
    reported: LastReported, seen: Seen | None, at: datetime, *, was_unhealthy: bool = False
) -> Finding:
    """Compare with the survey that began at that time; `seen` is None if it found none of the tenant's
    objects.

    `was_unhealthy` says whether the survey before found the tenant unhealthy, too.
    """
    health, drift = _judge_health(reported, seen), _describe_drift(reported, seen)
    is_reported = reported.health is not None and reported.health[1] == health.reason
    # What nobody changed may be unhealthy just for a moment, for instance while a pod is replaced.
    may_pass = health.reason == "Unhealthy" and not (drift or was_unhealthy or is_reported)
    believed = None if may_pass else health
    if not reported.has_succeeded:
        return Finding(reported.work, at, believed, None)
    repair = seen.outdated if seen else ""
    if reported.mode == "Repair" and drift and (seen or reported.state == "Active"):
        repair = drift
    shown = (shortened(drift, MAX_ITEM),) if drift and reported.mode != "Ignore" else ()
    return Finding(reported.work, at, believed, shown, repair=repair)


def needs_confirmation(reported: LastReported, seen: Seen | None, finding: Finding) -> bool:
    """Whether an inspection may show that there is nothing to repair.

    A survey sees that somebody wrote something, and not always whether that changed what landlord applied.
    """
    if not finding.repair or seen is None or (reported.state, seen.state) != ("Active", "Active"):
        return False
    return finding.repair in (seen.drift, seen.outdated)


def with_inspection(finding: Finding, lines: Sequence[str]) -> Finding:
    """Complete a finding with the fields that differ; without any, there is nothing to repair."""
    if not lines:
        return replace(finding, drift=finding.drift and (), repair="")
    return replace(finding, drift=finding.drift and shorten_lines(lines))


def shorten_lines(lines: Sequence[str]) -> tuple[str, ...]:
    """Shorten the lines of an inspection to what fits into `status.drift`."""
    return tuple(shortened(line, MAX_ITEM) for line in lines[:MAX_ITEMS])


def with_repair_at(finding: Finding, due: datetime) -> Finding:
    """Postpone the repair of a tenant that was repaired only moments ago."""
    health = finding.health
    if health:
        again = f"landlord repaired it moments ago, and does so again at {due:%Y-%m-%dT%H:%M:%SZ}"
        why = "" if health.status == "False" else f"{finding.repair}; "
        health = replace(health, message=shortened(f"{health.message}.\n{why}{again}"))
    return replace(finding, health=health, repair_at=due)


def find_nothing(reported: LastReported, at: datetime, why: str) -> Finding:
    """Conclude from too many failed surveys that nothing is known of the tenant."""
    return Finding(reported.work, at, Verdict(COMPUTE_HEALTHY, "Unknown", "NotSurveyed", why), None)


def is_news(reported: LastReported, finding: Finding) -> bool:
    """Whether the Tenant reports something else, or landlord has to do the work again now."""
    if finding.work != reported.work:
        return False
    if finding.is_repair_due:
        return True
    if finding.drift is not None and finding.drift != reported.drift:
        return True
    health = finding.health
    if health is None or reported.health is None:
        return health is not None
    status, reason, message = reported.health
    if (status, reason) != (health.status, health.reason):
        return True
    # The reason why surveys fail changes its words from time to time, which is not worth a write for all
    # Tenants; neither is how long a tenant has been unhealthy.
    return reason != "NotSurveyed" and _strip_numbers(message) != _strip_numbers(health.message)


def is_deferrable(reported: LastReported, finding: Finding) -> bool:
    """Whether the news needs no action, and may concern all Tenants at once."""
    if finding.repair or finding.drift not in (None, reported.drift) or finding.health is None:
        return False
    was_bad = reported.health is not None and reported.health[0] == "False"
    return finding.health.status == "Unknown" or (finding.health.status == "True" and not was_bad)


def _judge_health(reported: LastReported, seen: Seen | None) -> Verdict:
    if seen is None and reported.has_objects:
        message = f"None of the tenant's objects exist on backend {reported.provider}"
        return Verdict(COMPUTE_HEALTHY, "False", "Missing", message)
    if seen is None:
        return judge_healthy(reported.state)
    if seen.state != reported.state:
        reason = "Missing" if reported.state == "Active" else "Unhealthy"
        return Verdict(COMPUTE_HEALTHY, "False", reason, _describe_other_state(reported, seen))
    if not seen.healthy:
        return Verdict(COMPUTE_HEALTHY, "False", "Unhealthy", shortened(seen.reason))
    healthy = judge_healthy(reported.state)
    if not seen.left:
        return healthy
    message = f"{healthy.message}; {seen.left}, and landlord leaves that unchanged"
    return replace(healthy, message=shortened(message))


def _describe_drift(reported: LastReported, seen: Seen | None) -> str:
    if seen is None:
        return _judge_health(reported, seen).message if reported.has_objects else ""
    if seen.state != reported.state:
        return _describe_other_state(reported, seen)
    must, runs = reported.spec_hash, seen.spec_hash
    if reported.state == "Active" and must and runs and runs != must:
        return f"the tenant runs another spec (hash {runs}, must be {must})"
    return seen.drift


def _describe_other_state(reported: LastReported, seen: Seen) -> str:
    return f"The tenant is {seen.state} on backend {reported.provider}, and must be {reported.state}"


def _strip_numbers(message: str) -> str:
    return re.sub(r"[0-9]+", "", message)

"""Compares what a survey saw of a tenant with what its Tenant says. Pure.

| the tenant …                                | → ComputeHealthy   | drift | work to be done again |
|---------------------------------------------|--------------------|-------|-----------------------|
| is as it was made, and healthy              | Healthy            |       |                       |
| is as it was made, and not healthy          | Unhealthy, at the  |       |                       |
|                                             | second such survey |       |                       |
| is not there                                | Missing            | yes   | if it should run      |
| is at rest, and left nothing                | Healthy            |       |                       |
| is only what a suspended or archived one is | Missing            | yes   | yes                   |
| runs, and should be suspended or archived   | Unhealthy          | yes   | yes                   |
| was made from another spec, or was changed  | Healthy, Unhealthy | yes   | yes                   |
| refers to what has changed, such as a Secret| Healthy, Unhealthy |       | yes, in every mode    |
| can't be seen, again and again              | NotSurveyed        | as before |                   |

`spec.management.drift` decides what becomes of drift: with Repair the work is done again, with Report it is
shown, with Ignore neither. After a workflow that failed only the health is judged: the next one is on its
way, or waits for a change of the spec.
"""

import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from landlord.api.conditions import COMPUTE_HEALTHY, PROVISIONED, Verdict, shortened
from landlord.api.lifecycle import State
from landlord.api.schema import JsonObject
from landlord.api.survey import Seen

Mode = Literal["Repair", "Report", "Ignore"]
Work = tuple[str, int, int]
"""The Tenant's uid, and generation and attempt of a workflow."""

MAX_ITEMS = 32
MAX_ITEM = 512


@dataclass(frozen=True, slots=True)
class Standing:
    """What a Tenant that no work is under way for says of itself, as far as a survey can tell otherwise."""

    provider: str
    tenant_id: str
    work: Work
    """The workflow that ended last."""
    succeeded: bool
    """Whether that has brought the tenant into the state that it shall be in."""
    state: State
    spec_hash: str | None
    left: bool
    """Whether there should be anything of it on the backend."""
    mode: Mode
    health: tuple[str, str, str] | None
    """Status, reason and message of ComputeHealthy."""
    drift: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """What a survey has found out about a Tenant."""

    work: Work
    """The workflow that had ended before the survey began. After another one, this is no news any more."""
    at: datetime
    health: Verdict | None
    """What ComputeHealthy shall say; None: as before."""
    drift: tuple[str, ...] | None
    """What `status.drift` shall show; None: as before."""
    repair: str = ""
    """For a person: why the work is to be done again; empty if it is not."""
    repair_at: datetime | None = None
    """When it may be done again, if not now."""


def standing(body: JsonObject) -> Standing | None:
    """What there is to compare with; None while work goes on, or if the Tenant is left alone."""
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
    succeeded = provisioned.get("status") == "True"
    if workflow["generation"] != generation or not (succeeded or status.get("resources")):
        return None
    return Standing(
        provider=status["provider"],
        tenant_id=spec.get("tenantID") or metadata["name"],
        work=(metadata["uid"], workflow["generation"], workflow["attempt"]),
        succeeded=succeeded,
        state=state,
        spec_hash=status.get("specHash"),
        left=state == "Active" or bool(status.get("resources")),
        mode=management.get("drift", "Repair"),
        health=(health["status"], health["reason"], health["message"]) if health else None,
        drift=tuple(status.get("drift", {}).get("items", ())),
    )


def healthy(state: State) -> Verdict:
    """What ComputeHealthy says of a tenant that is as it should be."""
    message = "What runs is healthy" if state == "Active" else "Nothing runs, as it should be"
    return Verdict(COMPUTE_HEALTHY, "True", "Healthy", message)


def compare(says: Standing, seen: Seen | None, at: datetime, *, seen_unhealthy: bool = False) -> Finding:
    """What the survey that began at that time has found out; `seen` is None if the tenant was not there.

    `seen_unhealthy` tells whether the survey before found it unhealthy, too.
    """
    health, drift = _health(says, seen), _drift(says, seen)
    told_before = says.health is not None and says.health[1] == health.reason
    # What nobody has changed may be unhealthy just for a moment, for instance while a pod is replaced.
    passing = health.reason == "Unhealthy" and not (drift or seen_unhealthy or told_before)
    believed = None if passing else health
    if not says.succeeded:
        return Finding(says.work, at, believed, None)
    repair = seen.outdated if seen else ""
    if says.mode == "Repair" and drift and (seen or says.state == "Active"):
        repair = drift
    shown = (shortened(drift, MAX_ITEM),) if drift and says.mode != "Ignore" else ()
    return Finding(says.work, at, believed, shown, repair)


def later(finding: Finding, due: datetime) -> Finding:
    """The finding of a tenant that was repaired only just now."""
    health = finding.health
    if health and health.status == "False":
        again = f"It is repaired again at {due:%Y-%m-%dT%H:%M:%SZ}, as it was only just now"
        health = replace(health, message=f"{health.message}.\n{again}")
    return replace(finding, health=health, repair_at=due)


def unseen(says: Standing, at: datetime, why: str) -> Finding:
    """Too many surveys have been missed: nothing is known of the tenant."""
    return Finding(says.work, at, Verdict(COMPUTE_HEALTHY, "Unknown", "NotSurveyed", why), None)


def is_news(says: Standing, finding: Finding) -> bool:
    """Whether the Tenant says otherwise, or work is to be done again now."""
    if finding.work != says.work:
        return False
    if finding.repair and finding.repair_at is None:
        return True
    if finding.drift is not None and finding.drift != says.drift:
        return True
    health = finding.health
    if health is None or says.health is None:
        return health is not None
    status, reason, message = says.health
    if (status, reason) != (health.status, health.reason):
        return True
    # Why nothing can be seen changes its words from time to time, which is not worth a write for all Tenants;
    # neither is how long something has been unhealthy.
    return reason != "NotSurveyed" and _worded(message) != _worded(health.message)


def is_calm(says: Standing, finding: Finding) -> bool:
    """Whether the news is nothing to act upon, and may be true of all Tenants at once: it has time."""
    if finding.repair or finding.drift not in (None, says.drift) or finding.health is None:
        return False
    was_bad = says.health is not None and says.health[0] == "False"
    return finding.health.status == "Unknown" or (finding.health.status == "True" and not was_bad)


def _health(says: Standing, seen: Seen | None) -> Verdict:
    if seen is None and says.left:
        message = f"Nothing of the tenant is on the backend {says.provider} any more"
        return Verdict(COMPUTE_HEALTHY, "False", "Missing", message)
    if seen is None:
        return healthy(says.state)
    if seen.state != says.state:
        reason = "Missing" if says.state == "Active" else "Unhealthy"
        return Verdict(COMPUTE_HEALTHY, "False", reason, _other_state(says, seen))
    if not seen.healthy:
        return Verdict(COMPUTE_HEALTHY, "False", "Unhealthy", shortened(seen.reason))
    return healthy(says.state)


def _drift(says: Standing, seen: Seen | None) -> str:
    if seen is None:
        return _health(says, seen).message if says.left else ""
    if seen.state != says.state:
        return _other_state(says, seen)
    if says.state == "Active" and says.spec_hash and seen.spec_hash and seen.spec_hash != says.spec_hash:
        return f"what runs was made from another spec (hash {seen.spec_hash}, should be {says.spec_hash})"
    return seen.drift


def _other_state(says: Standing, seen: Seen) -> str:
    return f"What is left of the tenant is as of one that is {seen.state}, and it should be {says.state}"


def _worded(message: str) -> str:
    return re.sub(r"[0-9]+", "", message)

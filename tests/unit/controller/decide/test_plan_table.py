"""The table in plan's docstring: each row is driven once, and each situation is reached by one."""

import ast
import inspect
from dataclasses import replace
from datetime import timedelta
from typing import Any, NamedTuple, get_args

import pytest
from tests.support.plans import (
    AWAY,
    DONE,
    FACTS,
    GIVEN_UP,
    HOPELESS,
    NOW,
    a_failed_tenant,
    a_ready_tenant,
    a_tenant,
    decide,
    with_flight,
)

from landlord.api.conditions import COMPUTE_HEALTHY, Verdict
from landlord.api.outcome import Outcome
from landlord.api.tenant import Tenant
from landlord.controller.decide import plan, situation
from landlord.controller.decide.breaker import Deletions
from landlord.controller.decide.comparison import Finding
from landlord.controller.decide.facts import Facts
from landlord.engines.contract import Progress
from landlord.errors import EngineUnreachable


class Row(NamedTuple):
    tenant: str
    work: str
    actions: str
    situation: str


def table() -> list[Row]:
    lines = [line for line in (plan.__doc__ or "").splitlines() if line.startswith("| ")]
    return [Row(*(cell.strip() for cell in line.strip("|").split("|"))) for line in lines[1:]]


CHANGED = Finding(
    ("u1", 1, 1), NOW, Verdict(COMPUTE_HEALTHY, "True", "Healthy", "…"), ("scaled",), repair="scaled"
)
FOUND, REPORTED = replace(FACTS, finding=CHANGED), replace(FACTS, finding=replace(CHANGED, repair=""))
EXPIRED: dict[str, Any] = {"lifetime": {"expireAfter": "1h", "onExpiry": "Delete"}}
LATER = "2026-01-01T12:05:00Z"
AN_HOUR_AGO = NOW - timedelta(hours=1)
MAYBE_MANY = Deletions(allowed=30, window=timedelta(minutes=10), tenants=2000, times=(NOW,))
NEW = a_tenant()


def deleted(**deletion: Any) -> Tenant:
    return a_ready_tenant(2, deleting=True, deletion=deletion)


def given_up() -> Tenant:
    tenant = deleted()
    return a_tenant(
        2,
        deleting=True,
        status=decide(tenant, deleting(tenant, outcome=HOPELESS)).status,
        deletion={"force": True},
    )


def deleting(tenant: Tenant, **known: Any) -> Facts:
    return with_flight(tenant, operation="delete", **known)


def expired() -> Tenant:
    tenant = a_ready_tenant(**EXPIRED)
    metadata = tenant.metadata.model_copy(update={"creation_timestamp": AN_HOUR_AGO})
    return tenant.model_copy(update={"metadata": metadata})


RUNNING = Progress("Running")
ROWS: dict[tuple[str, str], tuple[Tenant, Facts]] = {
    ("is paused", "any"): (a_ready_tenant(2, management={"mode": "Paused"}), with_flight(NEW)),
    ("expires into its deletion", "any"): (expired(), with_flight(NEW)),
    ("matches its spec", "none"): (a_ready_tenant(), FACTS),
    ("matches it, but a survey disagrees", "none"): (a_ready_tenant(), REPORTED),
    ("… and landlord is to repair that now", "none"): (a_ready_tenant(), FOUND),
    ("… but the Tenant lacks the finalizer", "none"): (a_ready_tenant(has_finalizer=False), FOUND),
    ("… and a person requested a retry", "none"): (
        a_ready_tenant(retry=LATER),
        replace(FACTS, finding=replace(CHANGED, repair_at=NOW + timedelta(minutes=1))),
    ),
    ("can't be accepted", "any"): (NEW, with_flight(NEW, replace(FACTS, owner="other/acme"))),
    ("needs work, lacks the finalizer", "none"): (a_tenant(has_finalizer=False), FACTS),
    ("needs work", "none"): (NEW, FACTS),
    ("needs work, a person requested a retry", "none"): (a_failed_tenant(HOPELESS, retry=LATER), FACTS),
    ("… and the work is stuck", "under way"): (
        a_tenant(retry=LATER),
        with_flight(NEW, progress=Progress("Paused")),
    ),
    ("needs work, but it just failed", "none"): (a_failed_tenant(GIVEN_UP), FACTS),
    ("needs work, but it failed permanently", "none"): (a_failed_tenant(HOPELESS), FACTS),
    ("needs work, engine not ready", "none"): (NEW, replace(FACTS, registration=AWAY)),
    ("needs work", "engine error"): (NEW, with_flight(NEW, error=EngineUnreachable("gone"))),
    ("needs work", "under way"): (NEW, with_flight(NEW, progress=RUNNING)),
    ("needs work", "succeeded"): (NEW, with_flight(NEW, outcome=DONE)),
    ("needs work", "failed"): (NEW, with_flight(NEW, outcome=GIVEN_UP)),
    ("needs work", "failed for good"): (NEW, with_flight(NEW, outcome=HOPELESS)),
    ("is being deleted, lacks the finalizer", "any"): (
        a_ready_tenant(2, deleting=True, has_finalizer=False),
        with_flight(NEW),
    ),
    ("is being deleted, owns nothing", "none"): (
        a_tenant(2, deleting=True),
        replace(FACTS, owner="other/acme"),
    ),
    ("is being deleted, keeps everything", "none"): (deleted(policy="Retain"), FACTS),
    ("is being deleted, is protected", "none"): (deleted(protected=True), FACTS),
    ("is being deleted, in its grace period", "none"): (deleted(gracePeriod="1h"), FACTS),
    ("is being deleted, failed, is forced", "none"): (given_up(), FACTS),
    ("is being deleted, maybe with others", "none"): (deleted(), replace(FACTS, deletions=MAYBE_MANY)),
    ("is being deleted", "none"): (deleted(), FACTS),
    ("is being deleted", "under way"): (deleted(), deleting(deleted(), progress=RUNNING)),
    ("is being deleted", "succeeded"): (
        deleted(),
        deleting(deleted(), outcome=Outcome(result="Succeeded")),
    ),
    ("is being deleted", "failed"): (deleted(), deleting(deleted(), outcome=HOPELESS)),
}


def actions_of(decided: plan.Plan) -> str:
    taken = {
        "add finalizer": decided.add_finalizer,
        "submit": decided.submit is not None,
        "delete": decided.delete,
        "remove finalizer": decided.remove_finalizer,
        "requeue": decided.requeue_after is not None,
        "retry": decided.retry,
    }
    return ", ".join(action for action, is_taken in taken.items() if is_taken)


@pytest.mark.parametrize("row", table(), ids=lambda row: f"{row.tenant}, work: {row.work}")
def test_each_row_is_what_plan_decides(row: Row) -> None:
    tenant, facts = ROWS[row.tenant, row.work]
    decided = decide(tenant, facts)
    assert (actions_of(decided), type(decided.situation).__name__) == (row.actions, row.situation)


def test_each_situation_has_a_row() -> None:
    rows = table()
    assert len(rows) == len(ROWS) > 20
    situations = {each.__name__ for each in get_args(situation.Situation)}
    assert {row.situation for row in rows} == situations
    classes = [
        node for node in ast.parse(inspect.getsource(situation)).body if isinstance(node, ast.ClassDef)
    ]
    assert {node.name for node in classes} == situations

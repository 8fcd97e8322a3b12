"""When a deleted Tenant is deprovisioned, and what holds it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import durationpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.plans import (
    AWAY,
    DONE,
    FACTS,
    HOPELESS,
    NOW,
    a_failed_tenant,
    a_ready_tenant,
    a_tenant,
    says,
    with_flight,
)

from landlord.api.conditions import find
from landlord.api.status import TenantStatus
from landlord.api.tenant import Tenant
from landlord.controller.decide.facts import Facts
from landlord.controller.decide.plan import Plan, plan
from landlord.engines.contract import Progress
from landlord.errors import EngineUnreachable, InvocationLost, NotRegistered

PROTECTED: dict[str, Any] = {"protected": True}
RETAIN: dict[str, Any] = {"policy": "Retain"}
GRACE: dict[str, Any] = {"gracePeriod": "72h"}


def deleted(generation: int = 2, status: TenantStatus | None = None, **deletion: Any) -> Tenant:
    """One that was Ready at generation 1, and then deleted."""
    before = status or a_ready_tenant().status
    return a_tenant(generation, deleting=True, status=before, deletion=deletion)


def submits(decided: Plan) -> bool:
    return decided.submit is not None and decided.submit.operation == "delete"


def test_a_protected_tenant_is_held_and_stays_what_it_was() -> None:
    decided = plan(deleted(**PROTECTED), FACTS, NOW)
    assert (decided.submit, decided.let_go, decided.settled) == (None, None, True)
    assert says(decided, "DeletionHeld") == ("True", "Protected")
    assert says(decided, "Ready") == ("True", "Provisioned")
    assert decided.status is not None
    assert decided.status.phase == "DeletionHeld"
    held = find(decided.status.conditions, "DeletionHeld")
    assert held is not None
    assert "set spec.deletion.protected to false" in held.message
    again = plan(deleted(status=decided.status, **PROTECTED), FACTS, NOW)
    assert again.status == decided.status


def test_it_is_deprovisioned_when_it_is_protected_no_more() -> None:
    held = plan(deleted(**PROTECTED), FACTS, NOW).status
    tenant = deleted(3, held)
    assert submits(plan(tenant, FACTS, NOW))
    begun = plan(tenant, with_flight(tenant, operation="delete"), NOW)
    assert says(begun, "Ready") == ("False", "Deleting")
    assert says(begun, "DeletionHeld") is None


def test_a_protected_tenant_is_provisioned_as_any_other() -> None:
    tenant = a_tenant(deletion=PROTECTED)
    assert plan(tenant, FACTS, NOW).submit is not None
    assert says(plan(tenant, with_flight(tenant, outcome=DONE), NOW), "Ready") == ("True", "Provisioned")


def test_what_has_begun_goes_on_whatever_the_tenant_says_since() -> None:
    tenant = deleted()
    running = with_flight(tenant, operation="delete", progress=Progress("BackingOff", last_error="503"))
    known = plan(tenant, running, NOW).status
    late = deleted(3, known, **PROTECTED)
    for facts in (running, FACTS):  # of this process, and of one that ended
        assert submits(plan(late, facts, NOW))


@pytest.mark.parametrize(
    "known",
    [
        {"progress": Progress("Running", step="volumes")},
        {"progress": Progress("Pending", invocation_id="inv_1")},
        {"error": EngineUnreachable("the connection broke")},
        {"error": InvocationLost("the store is new")},
    ],
    ids=["runs", "waits its turn", "maybe taken", "lost"],
)
def test_what_may_have_begun_goes_on_though_restate_goes_away_and_the_operator_is_another(
    known: dict[str, Any],
) -> None:
    tenant = deleted()
    asked = with_flight(tenant, operation="delete", **known)
    begun = plan(tenant, asked, NOW).status
    assert plan(deleted(3, begun, **RETAIN), replace(asked, registration=AWAY), NOW).let_go is None
    restarted = replace(FACTS, registration=AWAY)
    for generation in (2, 3, 4):  # and its spec is edited in the meantime
        begun = plan(deleted(generation, begun), restarted, NOW).status
    for change in (PROTECTED, RETAIN):
        assert submits(plan(deleted(5, begun, **change), FACTS, NOW))


def test_what_was_only_waited_for_can_still_be_kept() -> None:
    waits = plan(deleted(), replace(FACTS, registration=AWAY), NOW).status
    assert waits is not None
    assert waits.workflow is not None
    assert waits.workflow.sub_state == "Pending"
    assert plan(deleted(3, waits, **RETAIN), FACTS, NOW).let_go == "Retained"


def test_what_was_removed_is_not_called_retained_because_the_spec_changed_meanwhile() -> None:
    tenant = deleted()
    done = with_flight(tenant, operation="delete", outcome=DONE)
    assert submits(plan(deleted(3, **RETAIN), done, NOW))


def test_a_namesake_is_held_whatever_goes_on_for_the_one_before() -> None:
    earlier = deleted()
    running = with_flight(earlier, operation="delete")
    namesake = deleted(**PROTECTED)
    namesake = namesake.model_copy(
        update={"metadata": namesake.metadata.model_copy(update={"uid": "another"})}
    )
    assert says(plan(namesake, running, NOW), "DeletionHeld") == ("True", "Protected")


@pytest.mark.parametrize("error", [None, NotRegistered("no such service")], ids=["failed", "not taken"])
def test_what_is_not_under_way_any_more_is_held(error: NotRegistered | None) -> None:
    tenant = deleted()
    ended: Facts = (
        with_flight(tenant, operation="delete", error=error)
        if error
        else with_flight(tenant, operation="delete", outcome=HOPELESS)
    )
    known = plan(tenant, ended, NOW).status
    for facts in (ended, FACTS):
        decided = plan(deleted(3, known, **PROTECTED), facts, NOW)
        assert says(decided, "DeletionHeld") == ("True", "Protected")


def test_a_protected_tenant_that_nothing_was_made_for_is_held_too() -> None:
    decided = plan(a_tenant(2, deleting=True, deletion=PROTECTED), FACTS, NOW)
    assert says(decided, "DeletionHeld") == ("True", "Protected")
    assert says(decided, "Ready") == ("False", "DeletionHeld")


@pytest.mark.parametrize("facts", [FACTS, replace(FACTS, registration=AWAY)], ids=["registered", "away"])
def test_a_retained_tenant_is_let_go_at_once_and_nothing_is_asked_of_the_engine(facts: Facts) -> None:
    for deletion in (RETAIN, RETAIN | GRACE):
        assert plan(deleted(**deletion), facts, NOW) == Plan(let_go="Retained", settled=True)


def test_protection_counts_for_a_retained_tenant_too() -> None:
    assert says(plan(deleted(**RETAIN, **PROTECTED), FACTS, NOW), "DeletionHeld") == ("True", "Protected")


def test_to_retain_comes_too_late_while_deprovisioning_goes_on_and_not_when_it_failed() -> None:
    tenant = deleted()
    running = plan(tenant, with_flight(tenant, operation="delete"), NOW).status
    assert submits(plan(deleted(3, running, **RETAIN), FACTS, NOW))
    failed = plan(tenant, with_flight(tenant, operation="delete", outcome=HOPELESS), NOW).status
    assert plan(deleted(3, failed, **RETAIN), FACTS, NOW).let_go == "Retained"


def test_nothing_is_removed_before_the_grace_period_is_over() -> None:
    decided = plan(deleted(**GRACE), FACTS, NOW + timedelta(hours=1))
    assert (decided.submit, decided.let_go) == (None, None)
    assert says(decided, "DeletionHeld") == ("True", "GracePeriod")
    assert says(decided, "Ready") == ("True", "Provisioned")
    assert decided.requeue_after == timedelta(hours=71).total_seconds()
    assert decided.status is not None
    held = find(decided.status.conditions, "DeletionHeld")
    assert held is not None
    assert "2026-01-04T12:00:00Z" in held.message
    assert submits(plan(deleted(status=decided.status, **GRACE), FACTS, NOW + timedelta(hours=72)))


@given(period=st.timedeltas(timedelta(0), timedelta(hours=8760)), later=st.timedeltas(timedelta(0)))
def test_the_grace_period_is_counted_from_the_deletion_and_nothing_else(
    period: timedelta, later: timedelta
) -> None:
    period, later = (timedelta(milliseconds=each // timedelta(milliseconds=1)) for each in (period, later))
    now = NOW + min(later, timedelta(days=1000))
    tenant = deleted(gracePeriod=durationpy.to_str(period))
    decided = plan(tenant, FACTS, now)
    assert submits(decided) == (now >= NOW + period)
    if decided.requeue_after is not None:
        assert submits(plan(tenant, FACTS, now + timedelta(seconds=decided.requeue_after)))


def test_a_shorter_grace_period_cuts_it_short() -> None:
    held = plan(deleted(**GRACE), FACTS, NOW).status
    assert submits(plan(deleted(3, held), FACTS, NOW))


UNREADABLE: dict[str, Any] = {"workload": {"containers": []}}


@pytest.mark.parametrize(
    ("deletion", "reason"),
    [(PROTECTED, "Protected"), (GRACE, "GracePeriod"), ({"policy": "Bequeath"}, "Protected")],
)
def test_what_an_unreadable_spec_says_of_deletion_is_heeded(deletion: dict[str, Any], reason: str) -> None:
    before = a_ready_tenant().status
    tenant = a_tenant(2, deleting=True, status=before, deletion=deletion, **UNREADABLE)
    assert tenant.spec is None
    assert says(plan(tenant, FACTS, NOW), "DeletionHeld") == ("True", reason)


FORCE: dict[str, Any] = {"force": True}


def failed_once() -> TenantStatus:
    tenant = deleted()
    status = plan(tenant, with_flight(tenant, operation="delete", outcome=HOPELESS), NOW).status
    assert status is not None
    return status


def test_force_lets_go_only_of_what_could_not_be_removed() -> None:
    assert submits(plan(deleted(**FORCE), FACTS, NOW))
    tenant = deleted(**FORCE)
    running = plan(tenant, with_flight(tenant, operation="delete"), NOW)
    assert running.let_go is None
    assert plan(deleted(3, failed_once(), **FORCE), FACTS, NOW) == Plan(let_go="LeftBehind", settled=True)


def test_without_force_what_failed_is_tried_again_and_says_what_to_do() -> None:
    status = failed_once()
    assert plan(deleted(status=status), FACTS, NOW).let_go is None
    ready = find(status.conditions, "Ready")
    assert ready is not None
    assert "set spec.deletion.force to true" in ready.message


def test_what_failed_with_force_shows_the_failure_before_it_is_let_go() -> None:
    tenant = deleted(**FORCE)
    decided = plan(tenant, with_flight(tenant, operation="delete", outcome=HOPELESS), NOW)
    assert decided.let_go is None
    assert says(decided, "Stalled") == ("True", "Deleting")
    assert plan(deleted(status=decided.status, **FORCE), FACTS, NOW).let_go == "LeftBehind"


def test_a_failure_to_provision_is_none_to_deprovision() -> None:
    status = a_failed_tenant(HOPELESS).status
    assert submits(plan(a_tenant(2, deleting=True, status=status, deletion=FORCE), FACTS, NOW))

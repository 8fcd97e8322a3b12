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
    Decided,
    a_failed_tenant,
    a_ready_tenant,
    a_tenant,
    decide,
    says,
    unchanged,
    with_flight,
)

from landlord.api.conditions import find
from landlord.api.status import TenantStatus
from landlord.api.tenant import Tenant
from landlord.controller.decide.facts import Facts
from landlord.controller.decide.situation import Releasing
from landlord.engines.contract import Progress
from landlord.errors import EngineUnreachable, InvocationLost, NotRegistered

PROTECTED: dict[str, Any] = {"protected": True}
RETAIN: dict[str, Any] = {"policy": "Retain"}
GRACE: dict[str, Any] = {"gracePeriod": "72h"}


def deleted(generation: int = 2, status: TenantStatus | None = None, **deletion: Any) -> Tenant:
    """One that was Ready at generation 1, and then deleted."""
    before = status or a_ready_tenant().status
    return a_tenant(generation, deleting=True, status=before, deletion=deletion)


def submits(decided: Decided) -> bool:
    return decided.submit is not None and decided.submit.operation == "delete"


def test_a_protected_tenant_is_held_and_stays_what_it_was() -> None:
    decided = decide(deleted(**PROTECTED), FACTS, NOW)
    assert (decided.submit, decided.departure, decided.is_settled) == (None, None, True)
    assert says(decided, "DeletionHeld") == ("True", "Protected")
    assert says(decided, "Ready") == ("True", "Provisioned")
    assert decided.status.phase == "DeletionHeld"
    held = find(decided.status.conditions, "DeletionHeld")
    assert held is not None
    assert "set spec.deletion.protected to false" in held.message
    again = decide(deleted(status=decided.status, **PROTECTED), FACTS, NOW)
    assert again.status == decided.status


def test_it_is_deprovisioned_when_it_is_protected_no_more() -> None:
    held = decide(deleted(**PROTECTED), FACTS, NOW).status
    tenant = deleted(3, held)
    assert submits(decide(tenant, FACTS, NOW))
    begun = decide(tenant, with_flight(tenant, operation="delete"), NOW)
    assert says(begun, "Ready") == ("False", "Deleting")
    assert says(begun, "DeletionHeld") is None


def test_a_protected_tenant_is_provisioned_as_any_other() -> None:
    tenant = a_tenant(deletion=PROTECTED)
    assert decide(tenant, FACTS, NOW).submit is not None
    assert says(decide(tenant, with_flight(tenant, outcome=DONE), NOW), "Ready") == ("True", "Provisioned")


def test_what_has_begun_goes_on_whatever_the_tenant_says_since() -> None:
    tenant = deleted()
    running = with_flight(tenant, operation="delete", progress=Progress("BackingOff", last_error="503"))
    known = decide(tenant, running, NOW).status
    late = deleted(3, known, **PROTECTED)
    for facts in (running, FACTS):  # of this process, and of one that ended
        assert submits(decide(late, facts, NOW))


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
    begun = decide(tenant, asked, NOW).status
    assert decide(deleted(3, begun, **RETAIN), replace(asked, registration=AWAY), NOW).departure is None
    restarted = replace(FACTS, registration=AWAY)
    for generation in (2, 3, 4):  # and its spec is edited in the meantime
        begun = decide(deleted(generation, begun), restarted, NOW).status
    for change in (PROTECTED, RETAIN):
        assert submits(decide(deleted(5, begun, **change), FACTS, NOW))


def test_what_was_only_waited_for_can_still_be_kept() -> None:
    waits = decide(deleted(), replace(FACTS, registration=AWAY), NOW).status
    assert waits is not None
    assert waits.workflow is not None
    assert waits.workflow.sub_state == "Pending"
    assert decide(deleted(3, waits, **RETAIN), FACTS, NOW).departure == "Retained"


def test_what_was_removed_is_not_called_retained_because_the_spec_changed_meanwhile() -> None:
    tenant = deleted()
    done = with_flight(tenant, operation="delete", outcome=DONE)
    assert submits(decide(deleted(3, **RETAIN), done, NOW))


def test_a_namesake_is_held_whatever_goes_on_for_the_one_before() -> None:
    earlier = deleted()
    running = with_flight(earlier, operation="delete")
    namesake = deleted(**PROTECTED)
    namesake = namesake.model_copy(
        update={"metadata": namesake.metadata.model_copy(update={"uid": "another"})}
    )
    assert says(decide(namesake, running, NOW), "DeletionHeld") == ("True", "Protected")


@pytest.mark.parametrize("error", [None, NotRegistered("no such service")], ids=["failed", "not taken"])
def test_what_is_not_under_way_any_more_is_held(error: NotRegistered | None) -> None:
    tenant = deleted()
    ended: Facts = (
        with_flight(tenant, operation="delete", error=error)
        if error
        else with_flight(tenant, operation="delete", outcome=HOPELESS)
    )
    known = decide(tenant, ended, NOW).status
    for facts in (ended, FACTS):
        decided = decide(deleted(3, known, **PROTECTED), facts, NOW)
        assert says(decided, "DeletionHeld") == ("True", "Protected")


def test_a_protected_tenant_that_nothing_was_made_for_is_held_too() -> None:
    decided = decide(a_tenant(2, deleting=True, deletion=PROTECTED), FACTS, NOW)
    assert says(decided, "DeletionHeld") == ("True", "Protected")
    assert says(decided, "Ready") == ("False", "DeletionHeld")


@pytest.mark.parametrize("facts", [FACTS, replace(FACTS, registration=AWAY)], ids=["registered", "away"])
def test_a_retained_tenant_is_let_go_at_once_and_nothing_is_asked_of_the_engine(facts: Facts) -> None:
    for deletion in (RETAIN, RETAIN | GRACE):
        tenant = deleted(**deletion)
        assert decide(tenant, facts, NOW) == unchanged(
            tenant, Releasing("Retained"), remove_finalizer=True, is_settled=True
        )


def test_protection_counts_for_a_retained_tenant_too() -> None:
    assert says(decide(deleted(**RETAIN, **PROTECTED), FACTS, NOW), "DeletionHeld") == ("True", "Protected")


def test_to_retain_comes_too_late_while_deprovisioning_goes_on_and_not_when_it_failed() -> None:
    tenant = deleted()
    running = decide(tenant, with_flight(tenant, operation="delete"), NOW).status
    assert submits(decide(deleted(3, running, **RETAIN), FACTS, NOW))
    failed = decide(tenant, with_flight(tenant, operation="delete", outcome=HOPELESS), NOW).status
    assert decide(deleted(3, failed, **RETAIN), FACTS, NOW).departure == "Retained"


def test_nothing_is_removed_before_the_grace_period_is_over() -> None:
    decided = decide(deleted(**GRACE), FACTS, NOW + timedelta(hours=1))
    assert (decided.submit, decided.departure) == (None, None)
    assert says(decided, "DeletionHeld") == ("True", "GracePeriod")
    assert says(decided, "Ready") == ("True", "Provisioned")
    assert decided.requeue_after == timedelta(hours=71).total_seconds()
    held = find(decided.status.conditions, "DeletionHeld")
    assert held is not None
    assert "2026-01-04T12:00:00Z" in held.message
    assert submits(decide(deleted(status=decided.status, **GRACE), FACTS, NOW + timedelta(hours=72)))


@given(period=st.timedeltas(timedelta(0), timedelta(hours=8760)), later=st.timedeltas(timedelta(0)))
def test_the_grace_period_is_counted_from_the_deletion_and_nothing_else(
    period: timedelta, later: timedelta
) -> None:
    period, later = (timedelta(milliseconds=each // timedelta(milliseconds=1)) for each in (period, later))
    now = NOW + min(later, timedelta(days=1000))
    tenant = deleted(gracePeriod=durationpy.to_str(period))
    decided = decide(tenant, FACTS, now)
    assert submits(decided) == (now >= NOW + period)
    if decided.requeue_after is not None:
        assert submits(decide(tenant, FACTS, now + timedelta(seconds=decided.requeue_after)))


def test_a_shorter_grace_period_cuts_it_short() -> None:
    held = decide(deleted(**GRACE), FACTS, NOW).status
    assert submits(decide(deleted(3, held), FACTS, NOW))


UNREADABLE: dict[str, Any] = {"workload": {"containers": []}}


@pytest.mark.parametrize(
    ("deletion", "reason"),
    [(PROTECTED, "Protected"), (GRACE, "GracePeriod"), ({"policy": "Bequeath"}, "Protected")],
)
def test_what_an_unreadable_spec_says_of_deletion_is_heeded(deletion: dict[str, Any], reason: str) -> None:
    before = a_ready_tenant().status
    tenant = a_tenant(2, deleting=True, status=before, deletion=deletion, **UNREADABLE)
    assert tenant.spec is None
    assert says(decide(tenant, FACTS, NOW), "DeletionHeld") == ("True", reason)


FORCE: dict[str, Any] = {"force": True}


def failed_once() -> TenantStatus:
    tenant = deleted()
    return decide(tenant, with_flight(tenant, operation="delete", outcome=HOPELESS), NOW).status


def test_force_lets_go_only_of_what_could_not_be_removed() -> None:
    assert submits(decide(deleted(**FORCE), FACTS, NOW))
    tenant = deleted(**FORCE)
    running = decide(tenant, with_flight(tenant, operation="delete"), NOW)
    assert running.departure is None
    tenant = deleted(3, failed_once(), **FORCE)
    assert decide(tenant, FACTS, NOW) == unchanged(
        tenant, Releasing("LeftBehind"), remove_finalizer=True, is_settled=True
    )


def test_without_force_what_failed_is_tried_again_and_says_what_to_do() -> None:
    status = failed_once()
    assert decide(deleted(status=status), FACTS, NOW).departure is None
    ready = find(status.conditions, "Ready")
    assert ready is not None
    assert "set spec.deletion.force to true" in ready.message


def test_what_failed_with_force_shows_the_failure_before_it_is_let_go() -> None:
    tenant = deleted(**FORCE)
    decided = decide(tenant, with_flight(tenant, operation="delete", outcome=HOPELESS), NOW)
    assert decided.departure is None
    assert says(decided, "Stalled") == ("True", "Deleting")
    assert decide(deleted(status=decided.status, **FORCE), FACTS, NOW).departure == "LeftBehind"


def test_a_failure_to_provision_is_none_to_deprovision() -> None:
    status = a_failed_tenant(HOPELESS).status
    assert submits(decide(a_tenant(2, deleting=True, status=status, deletion=FORCE), FACTS, NOW))

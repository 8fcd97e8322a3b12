"""Suspend, archive, expiry: which state a Tenant is brought into, when, and what it says of it."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.plans import (
    DONE,
    FACTS,
    GIVEN_UP,
    MADE,
    NOW,
    Decided,
    a_ready_tenant,
    a_tenant,
    decide,
    says,
    unchanged,
    with_flight,
)

from landlord.api.lifecycle import State
from landlord.api.outcome import Outcome, ResourceRef, Result
from landlord.api.request import Operation
from landlord.api.tenant import Tenant
from landlord.controller.decide.facts import Flight
from landlord.controller.decide.lifecycle import choose_state, find_expiry
from landlord.controller.decide.situation import Expired, Releasing, Settled

VOLUME = ResourceRef(kind="volume", name="data")
STOPPED = Outcome(result="Succeeded")
KEPT = Outcome(result="Succeeded", made=Result(resources=(VOLUME,)))
HOUR = timedelta(hours=1)


def lifetime(after: str = "1h", on_expiry: str = "Suspend") -> dict[str, Any]:
    return {"lifetime": {"expireAfter": after, "onExpiry": on_expiry}}


def after(operation: Operation, outcome: Outcome, tenant: Tenant, **spec: Any) -> Tenant:
    """The Tenant once that workflow has ended so."""
    status = decide(tenant, with_flight(tenant, operation=operation, outcome=outcome), NOW).status
    return a_tenant(tenant.metadata.generation, status=status, **spec)


def suspended(**spec: Any) -> Tenant:
    asked = {"desiredState": "Suspended"} | spec
    return after("suspend", STOPPED, a_ready_tenant(2, **asked), **asked)


def archived(**spec: Any) -> Tenant:
    asked = {"desiredState": "Archived"} | spec
    return after("archive", KEPT, a_ready_tenant(2, **asked), **asked)


def submitted(decided: Decided) -> tuple[str, str] | None:
    return (decided.submit.operation, decided.submit.idempotency_key) if decided.submit else None


@pytest.mark.parametrize(
    ("state", "spec", "at", "expected"),
    [
        ("Active", {}, NOW, "Active"),
        ("Suspended", {}, NOW, "Suspended"),
        ("Archived", {}, NOW, "Archived"),
        ("Active", lifetime(), NOW + HOUR - timedelta(seconds=1), "Active"),
        ("Active", lifetime(), NOW + HOUR, "Suspended"),
        ("Active", lifetime(on_expiry="Archive"), NOW + HOUR, "Archived"),
        ("Active", lifetime(on_expiry="Delete"), NOW + HOUR, "Active"),
        ("Suspended", lifetime(on_expiry="Archive"), NOW + HOUR, "Archived"),
        ("Archived", lifetime(on_expiry="Suspend"), NOW + HOUR, "Archived"),
        ("Active", lifetime("2h"), NOW + HOUR, "Active"),
    ],
)
def test_an_expired_tenant_is_wanted_in_the_state_that_keeps_less_running(
    state: State, spec: dict[str, Any], at: datetime, expected: State
) -> None:
    assert choose_state(a_tenant(desiredState=state, **spec), at) == expected


@pytest.mark.parametrize(
    ("tenant", "work"),
    [
        (a_ready_tenant(2, desiredState="Suspended"), ("suspend", "u1-2-1")),
        (a_ready_tenant(2, desiredState="Archived"), ("archive", "u1-2-1")),
        (a_tenant(desiredState="Suspended"), ("suspend", "u1-1-1")),
        (suspended().model_copy(update={"spec": a_tenant().spec}), ("apply", "u1-2-2")),
    ],
    ids=["suspend", "archive", "suspended from the start", "resume at the same generation"],
)
def test_another_state_is_another_workflow(tenant: Tenant, work: tuple[str, str]) -> None:
    assert submitted(decide(tenant, FACTS, NOW)) == work


def test_a_suspended_tenant_is_ready_and_keeps_all_but_its_endpoints() -> None:
    tenant = a_ready_tenant(2, desiredState="Suspended")
    decided = decide(tenant, with_flight(tenant, operation="suspend", outcome=STOPPED), NOW)
    assert says(decided, "Ready") == ("True", "Suspended")
    assert decided.is_settled
    assert (decided.status.phase, decided.status.state) == ("Suspended", "Suspended")
    assert decided.status.endpoints == ()
    assert decided.status.resources == MADE.resources
    assert decided.status.spec_hash == DONE.spec_hash


def test_an_archived_tenant_is_ready_and_names_what_holds_its_data() -> None:
    tenant = a_ready_tenant(2, desiredState="Archived")
    decided = decide(tenant, with_flight(tenant, operation="archive", outcome=KEPT), NOW)
    assert says(decided, "Ready") == ("True", "Archived")
    assert (decided.status.phase, decided.status.state) == ("Archived", "Archived")
    assert decided.status.resources == (VOLUME,)


@pytest.mark.parametrize("tenant", [suspended(), archived()], ids=["suspended", "archived"])
def test_what_is_in_the_wanted_state_is_left_alone(tenant: Tenant) -> None:
    assert decide(tenant, FACTS, NOW) == unchanged(tenant, Settled(), is_settled=True)


@pytest.mark.parametrize(
    ("tenant", "operation", "said"),
    [
        (a_ready_tenant(2, desiredState="Suspended"), "suspend", ("Suspend", "Suspending")),
        (a_ready_tenant(2, desiredState="Archived"), "archive", ("Archive", "Archiving")),
        (suspended().model_copy(update={"spec": a_tenant().spec}), "apply", ("Resume", "Resuming")),
        (archived().model_copy(update={"spec": a_tenant().spec}), "apply", ("Restore", "Restoring")),
    ],
)
def test_the_status_says_what_for_a_workflow_runs(
    tenant: Tenant, operation: Operation, said: tuple[str, str]
) -> None:
    decided = decide(tenant, with_flight(tenant, operation=operation), NOW)
    assert decided.status.workflow is not None
    assert (decided.status.workflow.operation, decided.status.phase) == said
    assert says(decided, "Ready") == ("False", said[1])
    again = tenant.model_copy(update={"status": decided.status})
    assert decide(again, with_flight(again, operation=operation), NOW).status == decided.status


def test_a_failed_suspend_is_tried_again_as_a_suspend() -> None:
    tenant = a_ready_tenant(2, desiredState="Suspended")
    failed = after("suspend", GIVEN_UP, tenant, desiredState="Suspended")
    assert decide(failed, FACTS, NOW).requeue_after == 300
    assert submitted(decide(failed, FACTS, NOW + timedelta(seconds=300))) == ("suspend", "u1-2-2")


def test_a_tenant_says_when_it_expires_and_is_looked_at_then() -> None:
    tenant = a_tenant(**lifetime())
    decided = decide(tenant, with_flight(tenant, outcome=DONE), NOW)
    assert decided.status.expires_at == NOW + HOUR
    assert decided.requeue_after == HOUR.total_seconds()
    ready = tenant.model_copy(update={"status": decided.status})
    later = NOW + timedelta(minutes=20)
    assert decide(ready, FACTS, later) == unchanged(ready, Settled(), requeue_after=40 * 60, is_settled=True)


def test_work_that_waits_is_looked_at_at_its_expiry_too() -> None:
    failed = after("apply", GIVEN_UP, a_tenant(**lifetime("1m")), **lifetime("1m"))
    assert decide(failed, FACTS, NOW).requeue_after == 60


def test_an_expired_tenant_is_suspended_at_the_same_generation_under_a_key_of_its_own() -> None:
    tenant = a_ready_tenant(**lifetime())
    decided = decide(tenant, FACTS, NOW + HOUR)
    assert submitted(decided) == ("suspend", "u1-1-2")
    assert decided.requeue_after is None


def test_what_ends_well_as_the_tenant_expires_is_not_taken_for_its_suspend() -> None:
    tenant = a_tenant(**lifetime())
    facts = with_flight(tenant, outcome=DONE)
    decided = decide(tenant, facts, NOW + HOUR)
    assert submitted(decided) == ("suspend", "u1-1-2")
    assert decided.submit is not None
    suspending = replace(facts, flight=Flight(decided.submit))
    assert submitted(decide(tenant, suspending, NOW + HOUR)) is None


@pytest.mark.parametrize(
    "spec", [{"desiredState": "Suspended"}, lifetime(on_expiry="Suspend")], ids=["asked for", "expired"]
)
def test_an_archived_tenant_stays_archived_where_it_would_be_suspended(spec: dict[str, Any]) -> None:
    tenant = a_tenant(3, status=archived().status, **spec)
    decided = decide(tenant, FACTS, NOW + HOUR)
    assert submitted(decided) == ("archive", "u1-3-1")
    status = decide(tenant, with_flight(tenant, operation="archive", outcome=KEPT), NOW + HOUR).status
    assert status.state == "Archived"
    assert decide(a_tenant(3, status=status, **spec), FACTS, NOW + HOUR).submit is None


def test_an_expired_tenant_says_how_it_comes_back() -> None:
    tenant = a_ready_tenant(**lifetime())
    facts = with_flight(tenant, operation="suspend", outcome=STOPPED)
    status = decide(tenant, facts, NOW + HOUR).status
    ready = status.conditions[0]
    assert ready.reason == "Suspended"
    assert "expired at 2026-01-01T13:00:00Z" in ready.message
    assert "spec.lifetime" in ready.message


def test_a_tenant_that_expires_into_its_deletion_is_deleted_whatever_else_it_needs() -> None:
    spec = lifetime(on_expiry="Delete")
    for tenant in (a_tenant(has_finalizer=False, **spec), a_ready_tenant(**spec), a_ready_tenant(2, **spec)):
        assert decide(tenant, FACTS, NOW + HOUR) == unchanged(tenant, Expired(), delete=True, is_settled=True)
        assert not decide(tenant, FACTS, NOW).delete


def test_nothing_expires_while_it_is_paused() -> None:
    paused: dict[str, Any] = {"management": {"mode": "Paused"}}
    for on_expiry in ("Suspend", "Archive", "Delete"):
        decided = decide(a_ready_tenant(**paused, **lifetime(on_expiry=on_expiry)), FACTS, NOW + HOUR)
        assert decided.submit is None
        assert not decided.delete


def test_a_deletion_that_archives_keeps_what_holds_data_and_says_what() -> None:
    tenant = a_tenant(2, deleting=True, status=a_ready_tenant().status, deletion={"policy": "Archive"})
    request = decide(tenant, FACTS, NOW).submit
    assert request is not None
    assert (request.operation, request.keeps_data) == ("delete", True)
    decided = decide(tenant, with_flight(tenant, operation="delete", outcome=KEPT), NOW)
    assert decided.situation == Releasing("Archived", (VOLUME,))


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=400)))
def test_expiry_depends_on_the_object_alone(since: timedelta) -> None:
    tenant = a_tenant(**lifetime("100h"))
    assert find_expiry(tenant) == NOW + timedelta(hours=100)
    expected = "Suspended" if since >= timedelta(hours=100) else "Active"
    assert choose_state(tenant, NOW + since) == expected

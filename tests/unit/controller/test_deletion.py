"""When a deleted Tenant is deprovisioned, and what holds it."""

from typing import Any

import pytest
from tests.support.plans import DONE, FACTS, HOPELESS, NOW, a_ready_tenant, a_tenant, says, with_flight

from landlord.api.conditions import find
from landlord.api.status import TenantStatus
from landlord.api.tenant import Tenant
from landlord.controller.facts import Facts
from landlord.controller.plan import Plan, plan
from landlord.engines import Progress
from landlord.errors import EngineUnreachable

PROTECTED = {"protected": True}


def deleted(generation: int = 2, status: TenantStatus | None = None, **deletion: Any) -> Tenant:
    """One that was Ready at generation 1, and then deleted."""
    before = status or a_ready_tenant().status
    return a_tenant(generation, deleting=True, status=before, deletion=deletion)


def submits(decided: Plan) -> bool:
    return decided.submit is not None and decided.submit.operation == "delete"


def test_a_protected_tenant_is_held_and_stays_what_it_was() -> None:
    decided = plan(deleted(**PROTECTED), FACTS, NOW)
    assert (decided.submit, decided.finalizer, decided.settled) == (None, None, True)
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


@pytest.mark.parametrize("error", [None, EngineUnreachable("gone")], ids=["failed", "not taken"])
def test_what_is_not_under_way_any_more_is_held(error: EngineUnreachable | None) -> None:
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

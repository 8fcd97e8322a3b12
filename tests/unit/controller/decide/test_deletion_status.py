"""What the status says of a tenant that is being deleted."""

from typing import Any

import pytest
from tests.support.plans import NOW, a_ready_tenant, decide, says, with_flight

from landlord.api.outcome import Failure, Outcome
from landlord.controller.decide.facts import Facts
from landlord.controller.decide.news import describe_departure
from landlord.engines.contract import Progress
from landlord.errors import EngineUnreachable, NotRegistered

HELD = Failure(code="StillTerminating", message="2 pods exist", retryable=True, step="workload")


@pytest.mark.parametrize(
    "known",
    [
        pytest.param({"progress": Progress("Running")}, id="running"),
        pytest.param({"progress": Progress("BackingOff", last_error="X: y")}, id="backing off"),
        pytest.param({"outcome": Outcome(result="Failed", failure=HELD)}, id="failed"),
    ],
)
def test_a_tenant_of_which_objects_may_be_gone_is_not_called_healthy(known: dict[str, Any]) -> None:
    tenant = a_ready_tenant(deleting=True)
    assert says(decide(a_ready_tenant()), "ComputeHealthy") == ("True", "Healthy")
    facts: Facts = with_flight(tenant, operation="delete", **known)
    under_way = decide(tenant, facts, NOW)
    assert says(under_way, "ComputeHealthy") == ("Unknown", "Deleting")
    later = tenant.model_copy(update={"status": under_way.status})
    lost = with_flight(later, operation="delete", error=EngineUnreachable("gone"))
    assert says(decide(later, lost, NOW), "ComputeHealthy") == ("Unknown", "Deleting")


def test_a_tenant_whose_deletion_could_not_begin_is_as_healthy_as_before() -> None:
    tenant = a_ready_tenant(deleting=True)
    waits = decide(tenant, with_flight(tenant, operation="delete", error=NotRegistered("404")), NOW)
    assert says(waits, "ComputeHealthy") == ("True", "Healthy")


def test_what_a_forced_release_leaves_is_told_with_the_step_that_failed() -> None:
    tenant = a_ready_tenant(deleting=True)
    failed = with_flight(tenant, operation="delete", outcome=Outcome(result="Failed", failure=HELD))
    tenant = tenant.model_copy(update={"status": decide(tenant, failed, NOW).status})
    note = describe_departure(tenant, "LeftBehind").note
    assert "failed with StillTerminating at step workload: 2 pods exist" in note

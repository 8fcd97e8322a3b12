"""A Tenant that is paused: left alone, and seen to be; with either engine."""

from typing import Any

import pytest
from tests.support.events import reasons
from tests.support.polling import eventually, steadily
from tests.support.specs import Spec, memory
from tests.support.status import conditions, kstatus
from tests.support.system import Landlord, System


def paused(spec: Spec) -> Spec:
    return spec | {"management": {"mode": "Paused"}}


def endpoints(tenant: dict[str, Any]) -> int:
    return len(tenant["status"].get("endpoints", ()))


def test_a_paused_tenant_runs_on_as_it_was_and_catches_up_when_it_is_managed_again(
    any_landlord: System, name: str
) -> None:
    any_landlord.apply(name, memory(ports=1))
    any_landlord.until(name, "Ready", "True")
    for ports in (1, 2, 3):
        any_landlord.apply(name, paused(memory(ports=ports)))
        tenant = any_landlord.until(name, "Paused", "True")
        assert conditions(tenant)["Ready"] == ("True", "Provisioned")
        assert (endpoints(tenant), tenant["status"]["phase"], kstatus(tenant)) == (1, "Paused", "Current")
    # What kubectl wait goes by: Ready speaks of the generation that runs, and not of the newest.
    assert any_landlord.condition(name, "Ready")["observedGeneration"] == 1

    any_landlord.apply(name, memory(ports=3))
    tenant = any_landlord.until(name, "Ready", "True")
    assert endpoints(tenant) == 3
    assert "Paused" not in conditions(tenant)

    def told() -> list[str]:
        return reasons(any_landlord.kubectl, any_landlord.namespace, "Tenant", name)[3:]

    eventually(lambda: told() == ["Normal Paused", "Normal Provisioned"], what="the Events")


def test_a_tenant_that_is_created_paused_is_not_begun(any_landlord: System, name: str) -> None:
    any_landlord.apply(name, paused(memory()))
    tenant = any_landlord.until(name, "Paused", "True")
    assert conditions(tenant)["Ready"] == ("False", "Paused")
    assert "finalizers" not in tenant["metadata"]
    steadily(lambda: "workflow" not in any_landlord.tenant(name)["status"], seconds=1)
    any_landlord.apply(name, memory(ports=1))
    any_landlord.until(name, "Ready", "True")


def test_a_paused_tenant_is_deleted_as_any_other(any_landlord: System, name: str) -> None:
    any_landlord.apply(name, memory())
    any_landlord.until(name, "Ready", "True")
    any_landlord.apply(name, paused(memory()))
    any_landlord.until(name, "Paused", "True")
    any_landlord.delete(name)
    assert name not in any_landlord.tenants()


@pytest.mark.parametrize("settings", [{}, {"LANDLORD_ENGINE": "local"}], ids=["restate", "local"])
def test_an_operator_that_was_away_finds_it_paused_and_managed_again(
    new_landlord: Landlord, settings: dict[str, str], name: str
) -> None:
    system = new_landlord(**settings)
    system.start()
    system.apply(name, memory(ports=1))
    system.until(name, "Ready", "True")

    system.operator.kill()
    system.apply(name, paused(memory(ports=2)))
    system.operator.start()
    assert endpoints(system.until(name, "Paused", "True")) == 1

    system.operator.kill()
    system.apply(name, memory(ports=3))
    system.operator.start()
    assert endpoints(system.until(name, "Ready", "True")) == 3

"""What keeps a deleted Tenant from being deprovisioned, with either engine and across restarts."""

from typing import Any

import pytest
from tests.support.events import reasons
from tests.support.polling import eventually, steadily
from tests.support.specs import Spec, memory
from tests.support.status import conditions, kstatus, message
from tests.support.system import Landlord, System

PROTECTED = {"protected": True}


@pytest.fixture(params=[{}, {"LANDLORD_ENGINE": "local"}], ids=["restate", "local"], scope="module")
def own_landlord(request: pytest.FixtureRequest, new_landlord: Landlord) -> System:
    """One whose operator may be killed."""
    system = new_landlord(**request.param)
    system.start()
    return system


def with_deletion(spec: Spec, **deletion: Any) -> Spec:
    return spec | {"deletion": deletion}


def ready(system: System, name: str, **deletion: Any) -> None:
    system.apply(name, with_deletion(memory(ports=1), **deletion))
    system.until(name, "Ready", "True")


def delete(system: System, name: str) -> None:
    system.kubectl("delete", "tenant", name, "-n", system.namespace, "--wait=false")


def change(system: System, name: str, patch: str) -> None:
    system.kubectl("patch", "tenant", name, "-n", system.namespace, "--type=merge", "-p", patch)


def gone(system: System, name: str) -> bool:
    return name not in system.tenants()


def restart(system: System) -> None:
    system.operator.kill()
    system.operator.start()


def held(system: System, name: str, reason: str) -> None:
    tenant = system.until(name, "DeletionHeld", "True", reason=reason)
    assert conditions(tenant)["Ready"] == ("True", "Provisioned")
    assert tenant["status"]["phase"] == "DeletionHeld"
    assert kstatus(tenant) == "Terminating"


def test_a_protected_tenant_outlives_its_deletion_and_a_restart(own_landlord: System, name: str) -> None:
    ready(own_landlord, name, **PROTECTED)
    delete(own_landlord, name)
    held(own_landlord, name, "Protected")
    restart(own_landlord)
    steadily(lambda: "DeletionHeld" in conditions(own_landlord.tenant(name)), seconds=2)
    held(own_landlord, name, "Protected")
    assert "spec.deletion.protected to false" in message(own_landlord.tenant(name), "DeletionHeld")
    seen = reasons(own_landlord.kubectl, own_landlord.namespace, "Tenant", name)
    assert seen[:2] == ["Normal Provisioned", "Warning Protected"]

    change(own_landlord, name, '{"spec":{"deletion":{"protected":false}}}')
    eventually(lambda: gone(own_landlord, name), within=10)

"""Tenants whose lifetime ends: at its time, also when nobody was there, and what becomes of them."""

from datetime import UTC, datetime
from functools import partial

import pytest
from tests.support.events import reasons
from tests.support.lifetimes import LONG, in_seconds
from tests.support.polling import eventually, steadily
from tests.support.specs import Spec, memory
from tests.support.status import conditions, message
from tests.support.system import Landlord, System
from tests.support.views import View, as_asked

STATES = {"Suspend": "Suspended", "Archive": "Archived"}


def lasting(spec: Spec, expire_after: str, on_expiry: str) -> Spec:
    return spec | {"lifetime": {"expireAfter": expire_after, "onExpiry": on_expiry}}


@pytest.mark.parametrize("on_expiry", ["Suspend", "Archive"])
def test_an_expired_tenant_stops_and_comes_back_when_its_lifetime_is_extended(
    everywhere: System, view: View, name: str, on_expiry: str
) -> None:
    spec = view.spec(name)
    everywhere.apply(name, lasting(spec, LONG, on_expiry))
    tenant = everywhere.until(name, "Ready", "True", reason="Provisioned")
    lifetime = datetime.fromisoformat(tenant["status"]["expiresAt"]) - datetime.fromisoformat(
        tenant["metadata"]["creationTimestamp"]
    )
    assert lifetime.total_seconds() == 720 * 3600
    view.keep(name, "precious")

    everywhere.apply(name, lasting(spec, in_seconds(tenant, 3), on_expiry))
    tenant = everywhere.until(name, "Ready", "True", reason=STATES[on_expiry])
    assert datetime.now(UTC) >= datetime.fromisoformat(tenant["status"]["expiresAt"])
    assert view.running(name) == []
    assert view.kept(name) == "precious"
    assert tenant["spec"].get("desiredState", "Active") == "Active", "nobody's spec was changed"
    assert "it expired at" in message(tenant, "Ready")
    assert "raise spec.lifetime.expireAfter" in message(tenant, "Ready")

    everywhere.apply(name, lasting(spec, LONG, on_expiry))
    everywhere.until(name, "Ready", "True", reason="Provisioned")
    assert as_asked(view, name, spec)
    assert view.kept(name) == "precious"
    everywhere.delete(name)


def test_a_tenant_that_expires_into_its_deletion_is_gone_with_all_that_it_had(
    everywhere: System, view: View, name: str
) -> None:
    spec = view.spec(name)
    everywhere.apply(name, lasting(spec, LONG, "Delete"))
    tenant = everywhere.until(name, "Ready", "True")
    everywhere.apply(name, lasting(spec, in_seconds(tenant, 2), "Delete"))
    eventually(lambda: name not in everywhere.tenants(), what="it is gone")
    assert view.left(name) == []
    seen = reasons(everywhere.kubectl, everywhere.namespace, "Tenant", name)
    assert "Normal Expired" in seen
    eventually(
        lambda: "Normal Deprovisioned" in reasons(everywhere.kubectl, everywhere.namespace, "Tenant", name)
    )


def test_a_lifetime_that_is_removed_ends_no_more(any_landlord: System, name: str) -> None:
    any_landlord.apply(name, lasting(memory(), "1s", "Suspend"))
    any_landlord.until(name, "Ready", "True", reason="Suspended")
    any_landlord.apply(name, memory())
    tenant = any_landlord.until(name, "Ready", "True", reason="Provisioned")
    assert "expiresAt" not in tenant["status"]


def test_a_tenant_whose_time_is_not_over_is_left_alone(any_landlord: System, name: str) -> None:
    any_landlord.apply(name, lasting(memory(), "60s", "Delete"))
    any_landlord.until(name, "Ready", "True", reason="Provisioned")
    steadily(lambda: name in any_landlord.tenants(), seconds=1)


def test_a_deletion_at_the_expiry_keeps_to_the_grace_period_and_the_policy(
    any_landlord: System, name: str
) -> None:
    spec = lasting(memory(ports=1), "1s", "Delete") | {"deletion": {"gracePeriod": "1h"}}
    any_landlord.apply(name, spec)
    tenant = any_landlord.until(name, "DeletionHeld", "True", reason="GracePeriod")
    assert "deletionTimestamp" in tenant["metadata"]
    any_landlord.apply(name, spec | {"deletion": {"policy": "Retain"}})
    eventually(lambda: name not in any_landlord.tenants())
    eventually(
        lambda: "Normal Retained" in reasons(any_landlord.kubectl, any_landlord.namespace, "Tenant", name)
    )


def has_become(system: System, name: str, end: str) -> bool:
    tenant = system.tenants().get(name)
    return end == "gone" if tenant is None else conditions(tenant).get("Ready") == ("True", end)


@pytest.mark.parametrize("settings", [{}, {"LANDLORD_ENGINE": "local"}], ids=["restate", "local"])
def test_what_expired_while_the_operator_was_away_is_done_when_it_is_back(
    new_landlord: Landlord, settings: dict[str, str], name: str
) -> None:
    system = new_landlord(**settings)
    system.start()
    ends = {"Suspend": "Suspended", "Archive": "Archived", "Delete": "gone"}
    names = {f"{name}-{on_expiry.lower()}": end for on_expiry, end in ends.items()}
    system.apply_all(
        {each: lasting(memory(ports=1), "8s", on_expiry) for each, on_expiry in zip(names, ends, strict=True)}
    )
    system.until_all(names, "Ready", "True")
    system.operator.kill()
    tenants = system.tenants()
    assert {conditions(tenant)["Ready"] for tenant in tenants.values()} == {("True", "Provisioned")}
    latest = max(datetime.fromisoformat(tenant["status"]["expiresAt"]) for tenant in tenants.values())
    eventually(lambda: datetime.now(UTC) > latest, what="all have expired")
    assert system.tenants().keys() == names.keys()

    system.operator.start()
    for each, end in names.items():
        eventually(partial(has_become, system, each, end), what=f"{each} is {end}")

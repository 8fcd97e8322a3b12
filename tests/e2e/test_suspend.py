"""Tenants that are suspended and resumed: what runs, what is kept, and what the status says."""

import urllib.request
from typing import Any

import pytest
from tests.support.events import reasons
from tests.support.polling import eventually
from tests.support.specs import Spec, memory
from tests.support.status import conditions, kstatus, message, workflow
from tests.support.system import System
from tests.support.views import OnDocker, View, as_asked


def suspended(spec: Spec) -> Spec:
    return spec | {"desiredState": "Suspended"}


def endpoints(tenant: dict[str, Any]) -> list[dict[str, str]]:
    found: list[dict[str, str]] = tenant["status"].get("endpoints", [])
    return found


def test_a_suspended_tenant_runs_nothing_keeps_its_data_and_goes_on_as_it_was(
    everywhere: System, view: View, name: str
) -> None:
    spec = view.spec(name)
    everywhere.apply(name, spec)
    before = everywhere.until(name, "Ready", "True")
    assert as_asked(view, name, spec)
    view.keep(name, "precious")

    everywhere.apply(name, suspended(spec))
    tenant = everywhere.until(name, "Ready", "True", reason="Suspended")
    assert view.running(name) == []
    assert view.kept(name) == "precious"
    assert endpoints(tenant) == []
    assert (tenant["status"]["phase"], tenant["status"]["state"]) == ("Suspended", "Suspended")
    assert (workflow(tenant)["operation"], kstatus(tenant)) == ("Suspend", "Current")
    assert "set spec.desiredState to Active" in message(tenant, "Ready")

    everywhere.apply(name, spec)
    after = everywhere.until(name, "Ready", "True", reason="Provisioned")
    assert as_asked(view, name, spec)
    assert view.kept(name) == "precious"
    assert endpoints(after) == endpoints(before)
    assert after["status"]["resources"] == before["status"]["resources"]
    assert (workflow(after)["operation"], after["status"]["state"]) == ("Resume", "Active")
    told = ["Normal Provisioned", "Normal Suspended", "Normal Provisioned"]
    eventually(lambda: reasons(everywhere.kubectl, everywhere.namespace, "Tenant", name) == told)

    everywhere.delete(name)
    assert view.left(name) == []


def test_a_resumed_tenant_answers_again_where_it_did(
    everywhere: System, on_docker: OnDocker, name: str
) -> None:
    spec = on_docker.spec(name, "still here")
    everywhere.apply(name, spec)
    (endpoint,) = endpoints(everywhere.until(name, "Ready", "True"))
    everywhere.apply(name, suspended(spec))
    everywhere.until(name, "Ready", "True", reason="Suspended")
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(endpoint["url"], timeout=30)

    everywhere.apply(name, spec)
    everywhere.until(name, "Ready", "True", reason="Provisioned")
    with urllib.request.urlopen(endpoint["url"], timeout=30) as answer:
        assert b"still here" in answer.read()
    everywhere.delete(name)


def test_what_changes_in_the_spec_meanwhile_runs_when_the_tenant_is_resumed(
    everywhere: System, view: View, name: str
) -> None:
    everywhere.apply(name, view.spec(name, "old"))
    everywhere.until(name, "Ready", "True")
    everywhere.apply(name, suspended(view.spec(name, "old")))
    everywhere.until(name, "Ready", "True", reason="Suspended")

    everywhere.apply(name, suspended(view.spec(name, "new")))
    everywhere.until(name, "Ready", "True", reason="Suspended")
    assert view.running(name) == []

    everywhere.apply(name, view.spec(name, "new"))
    everywhere.until(name, "Ready", "True", reason="Provisioned")
    assert as_asked(view, name, view.spec(name, "new"))
    everywhere.delete(name)


def test_a_tenant_that_was_never_anything_but_suspended_runs_nothing_until_it_is_resumed(
    everywhere: System, view: View, name: str
) -> None:
    spec = view.spec(name)
    everywhere.apply(name, suspended(spec))
    everywhere.until(name, "Ready", "True", reason="Suspended")
    assert view.left(name) == []
    everywhere.apply(name, spec)
    everywhere.until(name, "Ready", "True", reason="Provisioned")
    assert as_asked(view, name, spec)
    everywhere.delete(name)


def test_a_suspended_tenant_is_deleted_with_all_that_it_has(
    everywhere: System, view: View, name: str
) -> None:
    spec = view.spec(name)
    everywhere.apply(name, spec)
    everywhere.until(name, "Ready", "True")
    everywhere.apply(name, suspended(spec))
    everywhere.until(name, "Ready", "True", reason="Suspended")
    everywhere.delete(name)
    assert view.left(name) == []


def test_a_tenant_that_can_not_run_can_be_suspended(any_landlord: System, name: str) -> None:
    spec = memory(MEMORY_ERROR="it never comes up")
    any_landlord.apply(name, spec)
    any_landlord.until(name, "Provisioned", "False", reason="BackingOff")
    any_landlord.apply(name, suspended(spec))
    tenant = any_landlord.until(name, "Ready", "True", reason="Suspended")
    assert conditions(tenant)["Provisioned"] == ("True", "Succeeded")


def test_a_paused_tenant_is_suspended_when_it_is_managed_again(any_landlord: System, name: str) -> None:
    paused = {"management": {"mode": "Paused"}}
    any_landlord.apply(name, memory(ports=1))
    any_landlord.until(name, "Ready", "True")
    any_landlord.apply(name, suspended(memory(ports=1)) | paused)
    tenant = any_landlord.until(name, "Paused", "True")
    assert (tenant["status"]["state"], len(endpoints(tenant))) == ("Active", 1)

    any_landlord.apply(name, suspended(memory(ports=1)))
    assert endpoints(any_landlord.until(name, "Ready", "True", reason="Suspended")) == []

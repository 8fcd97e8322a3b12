"""Tenants that are archived: only their data is left, and it comes back, by whichever way they went."""

import pytest
from tests.support.events import events
from tests.support.polling import eventually
from tests.support.specs import Spec
from tests.support.status import kstatus, message, workflow
from tests.support.system import System
from tests.support.views import View, as_asked

LET_GO = ("Archived", "Deprovision")


def archived(spec: Spec) -> Spec:
    return spec | {"desiredState": "Archived"}


def made(system: System, view: View, name: str, **fields: object) -> Spec:
    """A Tenant that runs and has data."""
    spec = view.spec(name) | fields
    system.apply(name, spec)
    system.until(name, "Ready", "True")
    view.keep(name, "precious")
    return spec


def refs(paths: list[str]) -> set[tuple[str, str]]:
    """Kind and name of each, as status.resources has them."""
    return {(kind.lower(), name) for kind, _, name in (path.partition("/") for path in paths)}


def test_an_archived_tenant_has_nothing_but_its_data_and_is_restored_with_it(
    everywhere: System, view: View, name: str
) -> None:
    spec = made(everywhere, view, name)
    data = view.data(name)
    assert set(view.left(name)) > set(data)

    everywhere.apply(name, archived(spec))
    tenant = everywhere.until(name, "Ready", "True", reason="Archived")
    assert view.left(name) == data
    assert view.kept(name) == "precious"
    status = tenant["status"]
    assert {(each["kind"].lower(), each["name"]) for each in status["resources"]} == refs(data)
    assert "endpoints" not in status
    assert (status["phase"], status["state"], kstatus(tenant)) == ("Archived", "Archived", "Current")
    assert workflow(tenant)["operation"] == "Archive"
    assert "set spec.desiredState to Active" in message(tenant, "Ready")

    everywhere.apply(name, spec)
    tenant = everywhere.until(name, "Ready", "True", reason="Provisioned")
    assert workflow(tenant)["operation"] == "Restore"
    assert as_asked(view, name, spec)
    assert view.kept(name) == "precious"
    everywhere.delete(name)
    assert view.left(name) == []


def test_a_suspended_tenant_is_archived_and_restored(everywhere: System, view: View, name: str) -> None:
    spec = made(everywhere, view, name)
    everywhere.apply(name, spec | {"desiredState": "Suspended"})
    everywhere.until(name, "Ready", "True", reason="Suspended")
    everywhere.apply(name, archived(spec))
    everywhere.until(name, "Ready", "True", reason="Archived")
    assert view.left(name) == view.data(name) != []
    everywhere.apply(name, spec)
    everywhere.until(name, "Ready", "True", reason="Provisioned")
    assert view.kept(name) == "precious"
    everywhere.delete(name)


def test_an_archived_tenant_that_is_deleted_leaves_nothing(everywhere: System, view: View, name: str) -> None:
    spec = made(everywhere, view, name)
    everywhere.apply(name, archived(spec))
    everywhere.until(name, "Ready", "True", reason="Archived")
    everywhere.delete(name)
    assert view.left(name) == []


@pytest.mark.parametrize("before", [None, "Suspended", "Archived"], ids=["runs", "suspended", "archived"])
def test_a_tenant_deleted_with_the_policy_archive_leaves_its_data_to_the_next_of_its_id(
    everywhere: System, view: View, name: str, before: str | None
) -> None:
    spec = made(everywhere, view, name, deletion={"policy": "Archive"})
    data = view.data(name)
    if before:
        everywhere.apply(name, spec | {"desiredState": before})
        everywhere.until(name, "Ready", "True", reason=before)

    everywhere.delete(name)
    assert name not in everywhere.tenants()
    assert view.left(name) == data
    assert view.kept(name) == "precious"
    told = eventually(lambda: archival(everywhere, name))
    for path in data:
        assert path.partition("/")[2] in told

    heir = f"{name}-again"
    everywhere.apply(heir, view.spec(name) | {"tenantID": name})
    everywhere.until(heir, "Ready", "True")
    assert as_asked(view, name, view.spec(name))
    assert view.kept(name) == "precious"
    everywhere.delete(heir)
    assert view.left(name) == []


def test_what_a_deletion_has_archived_can_be_removed_without_running_it_again(
    everywhere: System, view: View, name: str
) -> None:
    made(everywhere, view, name, deletion={"policy": "Archive"})
    everywhere.delete(name)
    heir = f"{name}-again"
    everywhere.apply(heir, archived(view.spec(name)) | {"tenantID": name})
    everywhere.until(heir, "Ready", "True", reason="Archived")
    assert view.kept(name) == "precious"
    everywhere.delete(heir)
    assert view.left(name) == []


def archival(system: System, name: str) -> str:
    """The note of the Event with which a Tenant was let go."""
    about = events(system.kubectl, system.namespace, "Tenant", name)
    return next((each["note"] for each in about if (each["reason"], each["action"]) == LET_GO), "")

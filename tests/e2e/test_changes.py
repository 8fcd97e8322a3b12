"""A Tenant that is changed or deleted while work on it goes on, with either engine."""

from tests.support.history import Record
from tests.support.polling import eventually
from tests.support.specs import memory
from tests.support.status import conditions, workflow
from tests.support.system import System

BROKEN = memory(MEMORY_ERROR="the database is full")


def test_a_change_while_one_runs_ends_with_the_newest(
    any_landlord: System, name: str, record: Record
) -> None:
    history = record(any_landlord, name)
    any_landlord.apply(name, memory(ports=1, MEMORY_DELAY="3"))
    any_landlord.until(name, "Provisioned", "False", reason="InProgress")
    for ports in (2, 3):
        any_landlord.apply(name, memory(ports=ports))
    tenant = any_landlord.until(name, "Ready", "True")

    assert len(tenant["status"]["endpoints"]) == 3
    assert workflow(tenant)["generation"] == tenant["metadata"]["generation"] == 3

    def ready() -> set[int]:
        versions = history.versions()
        seen = [each for each in versions if conditions(each).get("Ready", ("",))[0] == "True"]
        return {int(each["metadata"]["generation"]) for each in seen}

    assert eventually(ready, what="it is recorded as ready") == {3}


def test_a_change_supersedes_what_backs_off(any_landlord: System, name: str) -> None:
    any_landlord.apply(name, BROKEN)
    any_landlord.until(name, "Provisioned", "False", reason="BackingOff")
    any_landlord.apply(name, memory(ports=1))
    tenant = any_landlord.until(name, "Ready", "True")
    assert len(tenant["status"]["endpoints"]) == 1


def test_a_deletion_supersedes_what_backs_off(any_landlord: System, name: str) -> None:
    any_landlord.apply(name, BROKEN)
    any_landlord.until(name, "Provisioned", "False", reason="BackingOff")
    any_landlord.delete(name)
    assert name not in any_landlord.tenants()


def test_a_deletion_while_one_runs_comes_after_it(any_landlord: System, name: str) -> None:
    any_landlord.apply(name, memory(MEMORY_DELAY="2"))
    any_landlord.until(name, "Provisioned", "False", reason="InProgress")
    any_landlord.delete(name)
    any_landlord.apply(name, memory(ports=1))
    assert len(any_landlord.until(name, "Ready", "True")["status"]["endpoints"]) == 1


def test_a_failed_update_leaves_the_endpoints_of_what_still_runs(any_landlord: System, name: str) -> None:
    any_landlord.apply(name, memory(ports=1))
    any_landlord.until(name, "Ready", "True")
    any_landlord.apply(name, memory(ports=2, MEMORY_TERMINAL="no such image"))
    failed = any_landlord.until(name, "Ready", "False", reason="ProvisioningFailed")
    assert len(failed["status"]["endpoints"]) == 1


def test_what_failed_for_good_is_started_again_by_a_change(any_landlord: System, name: str) -> None:
    any_landlord.apply(name, memory(MEMORY_TERMINAL="no such image"))
    any_landlord.until(name, "Stalled", "True", reason="ProvisioningFailed")
    any_landlord.apply(name, memory(ports=1))
    assert "Stalled" not in conditions(any_landlord.until(name, "Ready", "True"))

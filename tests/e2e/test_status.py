"""What a Tenant says of itself while it is worked on, for people and for machines, with either engine."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.support.history import Record
from tests.support.polling import eventually
from tests.support.specs import memory
from tests.support.status import conditions, kstatus, message, workflow
from tests.support.system import System, Tenant

ERROR = "the database is full\nTraceback: not for the status"


def test_kubectl_wait_ends_with_the_tenant_ready(any_landlord: System, name: str) -> None:
    any_landlord.apply(name, memory(MEMORY_DELAY="1"))
    waited = any_landlord.kubectl(
        "wait", "tenant", name, "-n", any_landlord.namespace, "--for=condition=Ready", "--timeout=20s"
    )
    assert "condition met" in waited
    assert kstatus(any_landlord.tenant(name)) == "Current"


def test_kstatus_is_in_progress_until_current_and_terminating_until_gone(
    any_landlord: System, name: str, record: Record
) -> None:
    history = record(any_landlord, name)
    any_landlord.apply(name, memory(MEMORY_DELAY="1"))
    any_landlord.until(name, "Ready", "True")
    any_landlord.apply(name, memory(MEMORY_DELAY="1.1"))
    any_landlord.until(name, "Ready", "True")
    any_landlord.delete(name)

    seen = [kstatus(version) for version in history.versions()]
    phases = [now for before, now in zip(["", *seen], seen, strict=False) if now != before]
    assert phases == ["InProgress", "Current", "InProgress", "Current", "Terminating"]


@pytest.mark.parametrize(
    ("env", "kind", "reason", "expected"),
    [
        ({"MEMORY_TERMINAL": "no such image"}, "Stalled", "ProvisioningFailed", "Failed"),
        ({"MEMORY_ERROR": "not yet"}, "Reconciling", "Provisioning", "InProgress"),
    ],
)
def test_hopeless_is_told_apart_from_not_yet(
    any_landlord: System, name: str, env: dict[str, Any], kind: str, reason: str, expected: str
) -> None:
    any_landlord.apply(name, memory(**env))
    tenant = any_landlord.until(name, kind, "True", reason=reason)
    assert kstatus(tenant) == expected
    assert {"Stalled", "Reconciling"} & conditions(tenant).keys() == {kind}


def test_kubectl_get_shows_the_state_at_a_glance(any_landlord: System, name: str) -> None:
    any_landlord.apply(name, memory(ports=1) | {"displayName": "Acme Corporation"})
    any_landlord.until(name, "Ready", "True")

    def columns(*options: str) -> dict[str, str]:
        listed = any_landlord.kubectl("get", "ltn", name, "-n", any_landlord.namespace, *options)
        heads, row = listed.splitlines()
        starts = [heads.index(head) for head in heads.split("  ") if head.strip()]
        ends = [*starts[1:], None]
        return {
            heads[start:end].strip(): row[start:end].strip() for start, end in zip(starts, ends, strict=True)
        }

    shown = columns()
    assert shown.pop("AGE")
    assert shown == {
        "NAME": name,
        "READY": "True",
        "PHASE": "Ready",
        "BACKEND": "memory",
        "REGISTERED": "True",
        "WORKFLOW": "Succeeded",
        "ENDPOINT": f"memory://{name}/p0",
    }
    wide = columns("-o", "wide")
    assert (wide["DISPLAY NAME"], wide["MESSAGE"]) == ("Acme Corporation", "The tenant is provisioned")


def test_running_work_says_which_step_it_is_at(any_landlord: System, name: str) -> None:
    any_landlord.apply(name, memory(MEMORY_DELAY="5"))

    def at_a_step() -> Tenant:
        tenant = any_landlord.tenant(name)
        assert "step" in workflow(tenant), workflow(tenant)
        return tenant

    tenant = eventually(at_a_step)
    said = workflow(tenant)
    assert (said["subState"], said["step"], said["stepNumber"], said["totalSteps"]) == (
        "Running",
        "ready",
        2,
        2,
    )
    assert message(tenant, "Ready") == "The workflow is running step 2 of 2 (ready)"


def test_failing_work_says_what_fails_how_often_and_when_it_is_tried_again(
    any_landlord: System, name: str
) -> None:
    any_landlord.apply(name, memory(MEMORY_ERROR=ERROR))

    def backs_off() -> Tenant:
        tenant = any_landlord.tenant(name)
        assert workflow(tenant).get("subState") == "BackingOff", workflow(tenant)
        assert workflow(tenant)["stepAttempt"] > 1
        assert "nextRetryTime" in workflow(tenant)
        return tenant

    tenant = eventually(backs_off)
    said = workflow(tenant)
    assert (said["step"], said["stepNumber"], said["totalSteps"]) == ("ready", 2, 2)
    assert said["lastFailure"] == {
        "code": "Rehearsed",
        "message": "the database is full",
        "retryable": True,
        "step": "ready",
    }
    assert message(tenant, "Ready") == (
        "The workflow is retrying step 2 of 2 (ready): Rehearsed: the database is full"
    )
    assert conditions(tenant)["Provisioned"] == ("False", "BackingOff")


def test_after_the_timeout_the_tenant_has_failed_with_the_last_error_and_is_tried_again_later(
    any_landlord: System, name: str
) -> None:
    any_landlord.apply(name, memory(MEMORY_ERROR="the database is full") | {"workflow": {"timeout": "2s"}})
    failed = any_landlord.until(name, "Ready", "False", reason="ProvisioningFailed")
    said = workflow(failed)
    assert (said["subState"], said["attempt"]) == ("Failed", 1)
    assert said["lastFailure"]["message"].startswith("the database is full (tried for")
    assert said["lastFailure"]["retryable"]
    later = datetime.fromisoformat(said["nextRetryTime"]) - datetime.now(UTC)
    assert timedelta(minutes=4) < later <= timedelta(minutes=5)

    past = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    patch = f'[{{"op": "replace", "path": "/status/workflow/nextRetryTime", "value": "{past}"}}]'
    any_landlord.kubectl(
        *("patch", "tenant", name, "-n", any_landlord.namespace, "--subresource=status"),
        *("--type=json", "-p", patch),
    )
    eventually(lambda: workflow(any_landlord.tenant(name))["attempt"] == 2, what="it is tried again when due")

"""What kubectl describe and kubectl get events tell of Tenants, and of the registration."""

import json
import re
from datetime import UTC, datetime
from urllib.request import Request, urlopen

import pytest
from tests.support.events import events, reasons, until_told
from tests.support.polling import eventually, steadily
from tests.support.specs import memory
from tests.support.status import workflow
from tests.support.system import Landlord, System

from dev.net import request
from landlord.api.names import LEASE, WORKFLOW_SERVICE


@pytest.fixture(scope="module")
def leading(new_landlord: Landlord) -> System:
    """A landlord with leader election, whose Restate the tests may take away."""
    system = new_landlord(LANDLORD_LEADER_ELECTION="true")
    system.operator.settings["LANDLORD_NAMESPACE"] = system.namespace
    system.start()
    return system


def told_of_the_registration(system: System) -> list[str]:
    return reasons(system.kubectl, system.namespace, "Lease", LEASE)


def test_a_tenant_s_life_can_be_read_in_its_events(any_landlord: System, name: str) -> None:
    any_landlord.apply(name, memory(ports=1))
    any_landlord.until(name, "Ready", "True")
    any_landlord.apply(name, memory(MEMORY_TERMINAL="no such image"))
    any_landlord.until(name, "Stalled", "True")
    any_landlord.apply(name, memory(ports=2))
    any_landlord.until(name, "Ready", "True")
    story = ["Normal Provisioned", "Warning ProvisioningFailed", "Normal Provisioned"]
    until_told(any_landlord, name, *story)

    described = any_landlord.kubectl("describe", "tenant", name, "-n", any_landlord.namespace)
    _, _, shown = described.partition("\nEvents:")
    assert "no such image. landlord retries it when the spec changes." in shown
    assert "The tenant is provisioned (generation 3)" in shown
    assert "landlord.dev/operator" in shown
    any_landlord.delete(name)
    until_told(any_landlord, name, *story, "Normal Deprovisioned")


def test_tries_that_go_as_the_last_one_are_not_told(landlord: System, name: str) -> None:
    landlord.apply(name, memory(MEMORY_ERROR="the database is full"))
    landlord.until(name, "Provisioned", "False", reason="BackingOff")
    steadily(lambda: not events(landlord.kubectl, landlord.namespace, "Tenant", name), seconds=3)

    landlord.apply(name, memory(MEMORY_ERROR="the database is full") | {"workflow": {"timeout": "1s"}})
    landlord.until(name, "Ready", "False", reason="ProvisioningFailed")
    until_told(landlord, name, "Warning ProvisioningFailed")
    past = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    patch = f'[{{"op": "replace", "path": "/status/workflow/nextRetryTime", "value": "{past}"}}]'
    landlord.kubectl(
        *("patch", "tenant", name, "-n", landlord.namespace, "--subresource=status"),
        *("--type=json", "-p", patch),
    )
    eventually(lambda: (workflow(landlord.tenant(name))["attempt"], failed(landlord, name)) == (2, True))
    landlord.delete(name)
    until_told(landlord, name, "Warning ProvisioningFailed", "Normal Deprovisioned")


def failed(system: System, name: str) -> bool:
    return bool(workflow(system.tenant(name))["subState"] == "Failed")


def test_who_waits_for_restate_says_so_once_and_that_it_is_over(leading: System, name: str) -> None:
    leading.restate.stop()
    leading.apply(name, memory())
    leading.until(name, "Ready", "Unknown", reason="EngineUnreachable")
    until_told(leading, name, "Warning EngineUnreachable")
    leading.restate.start()
    leading.until(name, "Ready", "True")
    until_told(leading, name, "Warning EngineUnreachable", "Normal Provisioned")
    leading.delete(name)


def deregister(system: System) -> None:
    """Delete what is registered, as a person may: Restate itself is never away, which would be told too."""
    answer = request(f"{system.restate.admin_url}/services/{WORKFLOW_SERVICE}")
    assert answer is not None
    deployment = json.loads(answer[1])["deployment_id"]
    url = f"{system.restate.admin_url}/deployments/{deployment}?force=true"
    with urlopen(Request(url, method="DELETE")) as deleted:
        assert deleted.status == 202


def test_a_lost_registration_is_told_on_the_lease_with_its_cause_and_how_long_it_took(
    leading: System,
) -> None:
    leading.until_registered()
    before = len(told_of_the_registration(leading))
    deregister(leading)

    def lost_and_found() -> list[str]:
        seen = told_of_the_registration(leading)[before:]
        assert seen[-2:] == ["Warning RegistrationLost", "Normal Registered"]
        return seen

    eventually(lost_and_found)
    described = leading.kubectl("describe", "lease", LEASE, "-n", leading.namespace)
    _, _, shown = described.partition("\nEvents:")
    assert "(cause: deployment_deleted)" in shown
    assert re.search(r"landlord registered it again [\d.]+ s after it noticed the loss", shown), shown

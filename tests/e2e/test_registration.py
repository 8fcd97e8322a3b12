"""What Tenants say while the workflow is not registered, and that they go on when it is again."""

import json
from typing import Any

import pytest
from tests.support.specs import memory, web
from tests.support.status import conditions, kstatus, message
from tests.support.system import Landlord, System, Tenant

from dev.net import request
from landlord.controller.tell.sweep import BAD_NEWS_SECONDS

SOMEBODY_ELSES_KEY = "publickeyv1_w7YHemBctH5Ck2nQRQ47iBBqhNHy4FV7t2Usbye2A6f"


@pytest.fixture(scope="module")
def system(new_landlord: Landlord) -> System:
    system = new_landlord()
    system.start()
    return system


def asked(url: str) -> dict[str, Any]:
    """What the URL answers, as JSON; empty if it answers no."""
    answer = request(url)
    assert answer is not None
    found: dict[str, Any] = json.loads(answer[1]) if answer[0] == 200 else {}
    return found


def test_a_changed_worker_is_registered_again_and_serves_what_it_could_not_before(
    new_landlord: Landlord, name: str, web_image: str
) -> None:
    system = new_landlord(LANDLORD_BACKENDS="memory")
    system.start()
    system.apply(name, web(web_image))
    system.until(name, "Accepted", "False", reason="UnknownBackend")
    system.worker.stop()
    system.worker.settings["LANDLORD_BACKENDS"] = "memory,docker"
    system.worker.start()
    ready = system.until(name, "Ready", "True")
    assert ready["status"]["registration"]["revision"] == asked(f"{system.worker.url}/healthz")["revision"]
    system.delete(name)
    system.stop()


def test_a_worker_that_refuses_restate_s_signature_is_hopeless_until_it_changes(
    system: System, name: str
) -> None:
    right = system.worker.settings["LANDLORD_RESTATE_IDENTITY_KEYS"]
    system.worker.stop()
    system.restate.wipe()
    system.worker.settings["LANDLORD_RESTATE_IDENTITY_KEYS"] = SOMEBODY_ELSES_KEY
    system.worker.start()
    system.restate.start()
    system.apply(name, memory())
    tenant = system.until(name, "Stalled", "True", reason="RegistrationRejected")
    assert kstatus(tenant) == "Failed"
    assert conditions(tenant)["WorkflowRegistered"] == ("False", "RegistrationRejected")
    assert "set the worker's LANDLORD_RESTATE_IDENTITY_KEYS" in message(tenant, "Ready")

    system.worker.stop()
    system.worker.settings["LANDLORD_RESTATE_IDENTITY_KEYS"] = right
    system.worker.start()
    assert "Stalled" not in conditions(system.until(name, "Ready", "True"))
    system.delete(name)


def test_an_outage_of_restate_that_lasts_is_told_to_tenants_that_wait_for_nothing_and_stay_as_they_are(
    system: System, name: str
) -> None:
    failed = f"{name}-failed"
    system.apply(name, memory())
    system.apply(failed, memory(MEMORY_ERROR="full") | {"workflow": {"timeout": "1s"}})
    system.until(name, "Ready", "True")
    system.until(failed, "Ready", "False", reason="ProvisioningFailed")
    system.restate.stop()

    def told(each: str) -> Tenant:
        return system.until(
            each, "WorkflowRegistered", "Unknown", reason="EngineUnreachable", timeout=BAD_NEWS_SECONDS + 20
        )

    assert conditions(told(name))["Ready"] == ("True", "Provisioned")
    assert kstatus(told(name)) == "Current"
    assert conditions(told(failed))["Ready"] == ("False", "ProvisioningFailed")
    system.restate.start()
    system.delete(name, failed)

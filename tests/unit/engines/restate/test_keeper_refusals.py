"""The keeper, and a Restate that refuses to register the worker: when it is tried again."""

import httpx
import pytest
from tests.unit.engines.restate.keeping import (
    CHANGED_SERVICE,
    UNKNOWN_SERVICE,
    WORKER,
    Kept,
    Restate,
    healthy,
)

from landlord.engines.restate import verdict


async def test_a_hopeless_registration_is_sent_once(kept: Kept) -> None:
    kept.restate.will("GET /services/TenantProvisioning", UNKNOWN_SERVICE)
    kept.restate.will(
        "POST /deployments", httpx.Response(409, json={"message": "no", "restate_code": "META0006"})
    )
    assert (await kept.check(5)).reason == "RegistrationRejected"
    assert len(kept.restate.registered) == 1


async def test_a_worker_that_restate_registered_without_the_workflow_is_hopeless_until_it_changes(
    kept: Kept,
) -> None:
    kept.restate.will("GET /services/TenantProvisioning", UNKNOWN_SERVICE)
    kept.restate.will("POST /deployments", httpx.Response(201, json={"services": [{"name": "Greeter"}]}))
    registration = await kept.check(3)
    assert (registration.reason, registration.hopeless) == ("RegistrationRejected", True)
    assert registration.message == (
        f"the worker at {WORKER} offers Greeter instead of TenantProvisioning\n"
        "Fix: check LANDLORD_WORKER_URL: the server there is another worker."
    )
    assert len(kept.restate.registered) == 1


async def test_a_service_of_another_type_at_our_own_url_is_hopeless_until_it_changes(kept: Kept) -> None:
    kept.restate.will("GET /services/TenantProvisioning", CHANGED_SERVICE)
    offered = {"services": [{"name": "TenantProvisioning", "ty": "Service"}]}
    kept.restate.will("POST /deployments", httpx.Response(200, json=offered))
    registration = await kept.check(3)
    assert (registration.reason, registration.hopeless) == ("RegistrationRejected", True)
    assert "offers TenantProvisioning as a Service instead of as a VirtualObject" in registration.message
    assert len(kept.restate.registered) == 2, "without force, and with it"


@pytest.fixture
async def hopeless(kept: Kept) -> Kept:
    """Restate has refused the worker for good."""
    kept.restate.will("GET /services/TenantProvisioning", UNKNOWN_SERVICE)
    kept.restate.will(
        "POST /deployments", httpx.Response(409, json={"message": "no", "restate_code": "META0006"})
    )
    await kept.check(2)
    assert len(kept.restate.registered) == 1
    return kept


async def test_a_hopeless_registration_is_not_sent_or_told_each_time_that_a_proxy_hangs_up(
    hopeless: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = len(hopeless.said)
    for ended in 3 * (hopeless.keeper._note_engine_end, hopeless.keeper._note_worker_end):
        ended()
        await hopeless.check()
    assert len(hopeless.restate.registered) == 1
    monkeypatch.setattr(verdict, "NOW_AND_THEN_SECONDS", 0.0)
    await hopeless.check()
    assert len(hopeless.restate.registered) == 2
    monkeypatch.undo()
    await hopeless.check()
    assert len(hopeless.restate.registered) == 2, "no hint since"
    assert len(hopeless.said) == told


async def test_a_hopeless_registration_is_sent_at_once_and_once_after_an_outage_of_restate(
    hopeless: Kept,
) -> None:
    """A gateway in front of it keeps its connections all the time."""
    hopeless.restate.will("GET /services/TenantProvisioning", httpx.Response(503), UNKNOWN_SERVICE)
    await hopeless.check(4)
    assert len(hopeless.restate.registered) == 2


async def test_a_hopeless_registration_is_sent_at_once_and_once_after_the_worker_was_away() -> None:
    workers = [True, True, False, True, True]

    def worker(request: httpx.Request) -> httpx.Response:
        return healthy(request) if workers.pop(0) else httpx.Response(503)

    kept = Kept(Restate(), worker)
    kept.restate.will("GET /services/TenantProvisioning", UNKNOWN_SERVICE)
    kept.restate.will(
        "POST /deployments", httpx.Response(409, json={"message": "", "restate_code": "META0006"})
    )
    await kept.check(5)
    assert len(kept.restate.registered) == 2

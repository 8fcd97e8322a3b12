"""What `landlord registration` finds, by its own eyes and by the word of an operator."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from tests.unit.engines.restate.keeping import OTHER_INGRESS, UNKNOWN_SERVICE, Restate, healthy

from landlord.engines.restate import inspection
from landlord.engines.restate.clients import Clients
from landlord.engines.restate.http import HttpClient
from landlord.engines.restate.inspection import RegistrationReport, inspect
from landlord.registration import render

LEADS = {
    "leading": True,
    "status": "True",
    "reason": "Registered",
    "message": "all is well",
    "workerUrl": "http://worker:9080",
    "doing": "checks it",
}
STANDS_BY = LEADS | {"leading": False, "status": "Unknown", "doing": "nothing, because it is a standby"}
PASSED = {name: {"ok": True, "message": ""} for name in ("apiServer", "crd", "cache")}
REFUSED = httpx.Response(400, json={"message": "no", "restate_code": "META0014"})


class Surroundings:
    """All that the command asks."""

    def __init__(self) -> None:
        self.restate = Restate()
        self.restate.will("GET /version", httpx.Response(200, json={"version": "1.7.12"}))
        self.word: dict[str, Any] = LEADS
        self.gates: dict[str, Any] = PASSED
        self.clients = Clients("http://restate:9070", "http://restate:8080", "http://worker:9080")
        for name, answers in (("admin", self.restate), ("ingress", self.restate), ("worker", healthy)):
            before = getattr(self.clients, name)
            setattr(self.clients, name, self.client(before.name, before.url, answers))
        self.operator = self.client("the operator", "http://operator:8000", self._operator)

    def client(self, name: str, url: str, answers: Callable[[httpx.Request], httpx.Response]) -> HttpClient:
        return HttpClient(name, url, httpx.MockTransport(answers))

    def _operator(self, asked: httpx.Request) -> httpx.Response:
        body = self.word if asked.url.path == "/registration" else {"ready": False, "gates": self.gates}
        return httpx.Response(200, json=body)

    async def found(self, *, register: bool = False) -> RegistrationReport:
        return await inspect(self.clients, self.operator, "enforce", register=register)


@pytest.fixture
async def all_of_it(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Surroundings]:
    monkeypatch.setattr(inspection, "UNKNOWN_SECONDS", 0.01)
    surroundings = Surroundings()
    yield surroundings
    await surroundings.clients.close()
    await surroundings.operator.close()


def text(found: RegistrationReport) -> str:
    return render(found, datetime.now(UTC))


async def test_all_is_well(all_of_it: Surroundings) -> None:
    found = await all_of_it.found()
    assert found.well
    assert (found.engine_version, found.policy, found.attempt) == ("1.7.12", "enforce", None)
    assert "PROBLEM" not in text(found)
    assert "answers, is Restate 1.7.12" in text(found)


async def test_an_attempt_that_fails_is_told_also_where_the_old_registration_stands(
    all_of_it: Surroundings,
) -> None:
    all_of_it.restate.will("POST /deployments", REFUSED)
    found = await all_of_it.found(register=True)
    assert (found.reason, found.well) == ("Registered", False)
    assert found.attempt is not None
    assert found.attempt.outcome == "rejected"
    assert "META0014" in found.attempt.message
    assert "attempt        PROBLEM: rejected: Restate did not register the worker" in text(found)


async def test_an_attempt_that_can_t_be_made_is_told(all_of_it: Surroundings) -> None:
    all_of_it.restate.will("GET /services/TenantProvisioning", httpx.Response(503))
    found = await all_of_it.found(register=True)
    assert found.attempt is not None
    assert found.attempt.outcome == "not_made"
    assert "PROBLEM: not made: Restate's admin API at" in text(found)


async def test_an_attempt_that_succeeds_is_told(all_of_it: Surroundings) -> None:
    found = await all_of_it.found(register=True)
    assert found.well
    assert found.attempt is not None
    assert found.attempt.outcome == "verified"
    assert "attempt        verified" in text(found)


async def test_an_operator_that_stands_by_is_not_the_one_to_ask(all_of_it: Surroundings) -> None:
    all_of_it.word = STANDS_BY
    found = await all_of_it.found()
    assert (found.reason, found.well) == ("Registered", False)
    assert "is a standby and has not asked Restate" in text(found)
    assert "holderIdentity of the Lease landlord-operator names" in text(found)
    assert "last verified" not in text(found)


async def test_an_operator_that_can_not_start_says_what_it_waits_for(all_of_it: Surroundings) -> None:
    all_of_it.word = STANDS_BY
    all_of_it.gates = PASSED | {"crd": {"ok": False, "message": "the CRD is not installed"}}
    found = await all_of_it.found()
    assert not found.well
    assert found.operator.problem == (
        "the operator at http://operator:8000 does not lead: the CRD is not installed (gate crd)"
    )


async def test_an_ingress_of_another_restate_is_a_problem_and_one_without_a_registration_is_not(
    all_of_it: Surroundings,
) -> None:
    all_of_it.restate.will("GET /restate/health", OTHER_INGRESS)
    found = await all_of_it.found()
    assert (found.reason, found.well) == ("EngineUnreachable", False)
    assert found.ingress.problem is not None
    assert "to the same Restate" in found.ingress.problem
    all_of_it.restate.will("GET /services/TenantProvisioning", UNKNOWN_SERVICE)
    found = await all_of_it.found()
    assert (found.reason, found.ingress.problem) == ("NotRegistered", None)

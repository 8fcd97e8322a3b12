"""The keeper before answers that a real Restate can't be made to give."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from landlord import metrics
from landlord.engines import Registration
from landlord.engines.restate import verdict
from landlord.engines.restate.admin import Admin
from landlord.engines.restate.http import HttpClient
from landlord.engines.restate.ingress import Ingress
from landlord.engines.restate.keeper import Keeper
from landlord.engines.restate.seen import Seen
from landlord.engines.restate.verdict import Policy

RESTATE, INGRESS, WORKER = "http://restate:9070", "http://restate:8080", "http://worker:9080"
UNKNOWN_SERVICE = httpx.Response(404, json={"message": "does not exist", "restate_code": None})
SERVICE = httpx.Response(200, json={"deployment_id": "dp_1", "metadata": {"landlord.dev/revision": "one"}})
CHANGED_SERVICE = httpx.Response(
    200, json={"deployment_id": "dp_1", "metadata": {"landlord.dev/revision": "zero"}}
)
DEPLOYMENT = httpx.Response(200, json={"id": "dp_1", "uri": f"{WORKER}/"})
HEALTHY_INGRESS = httpx.Response(200, json={"services": []})

Answer = httpx.Response | Exception


class Restate:
    """Gives the answers it is told to; by default, those of a Restate that has the worker registered."""

    def __init__(self) -> None:
        self.answers: dict[str, list[Answer]] = {}
        self.registered: list[dict[str, Any]] = []

    def will(self, request: str, *answers: Answer) -> None:
        """Answer so, in turn; the last one for ever."""
        self.answers[request] = list(answers)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            self.registered.append(json.loads(request.content))
        name = f"{request.method} {request.url.path}"
        usual = {
            "GET /services/TenantProvisioning": SERVICE,
            "GET /deployments/dp_1": DEPLOYMENT,
            "GET /restate/health": HEALTHY_INGRESS,
        }
        answers = self.answers.get(name) or [usual.get(name) or httpx.Response(201, json={})]
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, content=answer.content)


def healthy(_: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json={"status": "ok", "revision": "one", "backends": ["memory"]})


def reachable() -> float:
    (family,) = metrics.engine_reachable.collect()
    return family.samples[0].value


class Kept:
    """A keeper and what it said."""

    def __init__(
        self,
        restate: Restate,
        worker: Callable[[httpx.Request], httpx.Response],
        policy: Policy = "enforce",
    ) -> None:
        self.restate = restate
        self.said: list[Registration] = []
        self.clients = (
            HttpClient("Restate's admin API", RESTATE, httpx.MockTransport(restate)),
            HttpClient("Restate's ingress", INGRESS, httpx.MockTransport(restate)),
            HttpClient("the worker", WORKER, httpx.MockTransport(worker)),
        )
        admin, ingress, worker_client = self.clients
        self.keeper = Keeper(Admin(admin), Ingress(ingress), worker_client, policy, changed=self.said.append)

    async def check(self, times: int = 1) -> Registration:
        for _ in range(times):
            await self.keeper.check()
        return self.keeper.registration


@pytest.fixture
async def kept() -> AsyncIterator[Kept]:
    kept = Kept(Restate(), healthy)
    yield kept
    for client in kept.clients:
        await client.close()


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (httpx.Response(401, text="who are you"), "answered 401: who are you"),
        (httpx.Response(403, text="no"), "answered 403: no"),
        (httpx.Response(500, json={"message": "partition"}), "answered 500"),
        (httpx.Response(502, text="<html>\nbad gateway"), "answered 502: <html>"),
        (httpx.Response(503), "answered 503: (no body)"),
        (httpx.Response(404, text="default backend - 404"), "answered 404: default backend - 404"),
        (httpx.Response(404, json={"code": 404, "message": "x", "source": "ingress"}), "answered 404"),
        (httpx.Response(200, text="<html>log in</html>"), "answered 200: <html>log in</html>"),
        (httpx.Response(200, json={"rows": []}), "answered 200"),
        (httpx.Response(302, text="moved"), "answered 302: moved"),
        (httpx.ReadTimeout("slow"), "did not answer within 5 s"),
        (httpx.ConnectError("refused"), "can't be reached: connection refused or broken"),
        (httpx.RemoteProtocolError("garbage"), "can't be reached: connection refused or broken"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
@pytest.mark.parametrize("path", ["/services/TenantProvisioning", "/deployments/dp_1"])
async def test_an_answer_that_says_nothing_leaves_it_unknown_and_is_never_a_loss(
    kept: Kept, path: str, answer: Answer, says: str
) -> None:
    await kept.check()
    assert kept.keeper.registration.ready
    kept.restate.will(f"GET {path}", answer)
    registration = await kept.check(3)
    assert (registration.status, registration.reason) == ("Unknown", "EngineUnreachable")
    assert registration.message.startswith(f"Restate's admin API at {RESTATE} ")
    assert says in registration.message
    assert kept.restate.registered == []
    assert [said.reason for said in kept.said] == ["Registered", "EngineUnreachable"], "each is said once"


async def test_a_404_that_a_second_look_does_not_confirm_is_no_loss(kept: Kept) -> None:
    await kept.check()
    kept.restate.will("GET /services/TenantProvisioning", UNKNOWN_SERVICE, SERVICE)
    assert (await kept.check()).ready
    assert kept.restate.registered == []
    assert len(kept.said) == 1


async def test_after_an_outage_too_a_404_is_no_loss_until_it_is_confirmed(kept: Kept) -> None:
    await kept.check()
    away = httpx.Response(503)
    kept.restate.will("GET /services/TenantProvisioning", away, away, UNKNOWN_SERVICE, SERVICE)
    assert (await kept.check()).reason == "EngineUnreachable"
    assert (await kept.check()).ready
    assert kept.restate.registered == []


async def test_a_404_that_is_confirmed_is_a_loss_and_is_repaired_at_once(kept: Kept) -> None:
    await kept.check()
    kept.restate.will("GET /services/TenantProvisioning", UNKNOWN_SERVICE, UNKNOWN_SERVICE, SERVICE)
    assert (await kept.check()).ready
    assert [registration.reason for registration in kept.said] == [
        "Registered",
        "RegistrationLost",
        "Registered",
    ]
    assert kept.restate.registered == [
        {"uri": WORKER, "force": False},
    ]


async def test_a_url_that_restate_knows_is_registered_again_with_force(kept: Kept) -> None:
    kept.restate.will("GET /services/TenantProvisioning", CHANGED_SERVICE, SERVICE)
    kept.restate.will("POST /deployments", httpx.Response(200, json={}))
    assert (await kept.check()).ready
    assert [body["force"] for body in kept.restate.registered] == [False, True]


async def test_a_registration_that_is_accepted_and_not_there_is_not_believed(kept: Kept) -> None:
    kept.restate.will("GET /services/TenantProvisioning", UNKNOWN_SERVICE)
    registration = await kept.check(3)
    assert (registration.status, registration.reason) == ("False", "NotRegistered")
    assert len(kept.restate.registered) == 3


async def test_a_worker_that_lets_restate_wait_is_called_unreachable(kept: Kept) -> None:
    kept.restate.will("GET /services/TenantProvisioning", UNKNOWN_SERVICE)
    kept.restate.will("POST /deployments", httpx.ReadTimeout("slow"))
    registration = await kept.check(2)
    assert (registration.status, registration.reason) == ("False", "WorkerUnreachable")
    assert "lets Restate wait" in registration.message
    assert [said.reason for said in kept.said] == ["NotRegistered", "WorkerUnreachable"]


@pytest.mark.parametrize("status", [401, 500, 503])
async def test_a_registration_that_gets_no_real_answer_is_tried_at_every_check(
    kept: Kept, status: int
) -> None:
    kept.restate.will("GET /services/TenantProvisioning", UNKNOWN_SERVICE)
    kept.restate.will("POST /deployments", httpx.Response(status, text="no"))
    registration = await kept.check(3)
    assert (registration.status, registration.reason) == ("Unknown", "EngineUnreachable")
    assert len(kept.restate.registered) == 3


async def test_a_hopeless_registration_is_sent_once(kept: Kept) -> None:
    kept.restate.will("GET /services/TenantProvisioning", UNKNOWN_SERVICE)
    kept.restate.will(
        "POST /deployments", httpx.Response(409, json={"message": "no", "restate_code": "META0006"})
    )
    assert (await kept.check(5)).reason == "RegistrationRejected"
    assert len(kept.restate.registered) == 1


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, json={"status": "ok"}),
        httpx.Response(200, json={"revision": "", "backends": []}),
        httpx.Response(200, text="hello"),
        httpx.Response(500, json={"revision": "one", "backends": []}),
    ],
    ids=["no revision", "empty revision", "no JSON", "error"],
)
async def test_what_is_not_a_landlord_worker_is_not_registered(answer: httpx.Response) -> None:
    restate = Restate()
    restate.will("GET /services/TenantProvisioning", UNKNOWN_SERVICE)
    kept = Kept(restate, lambda _: httpx.Response(answer.status_code, content=answer.content))
    registration = await kept.check()
    assert (registration.reason, registration.status) == ("WorkerUnreachable", "False")
    assert "is not a landlord worker; check LANDLORD_WORKER_URL" in registration.message
    assert restate.registered == []


async def test_an_ingress_that_is_away_is_told_and_nothing_is_registered_because_of_it(kept: Kept) -> None:
    await kept.check()
    kept.restate.will("GET /restate/health", httpx.Response(503))
    registration = await kept.check(2)
    assert (registration.status, registration.reason) == ("Unknown", "EngineUnreachable")
    assert registration.message == f"Restate's ingress at {INGRESS} answered 503: (no body)"
    assert kept.restate.registered == []
    assert kept.keeper.history.last_loss is None
    kept.restate.will("GET /restate/health", HEALTHY_INGRESS)
    assert (await kept.check()).ready


async def test_another_worker_is_left_alone_by_policy_until_a_person_takes_the_workflow_back() -> None:
    kept = Kept(Restate(), healthy, policy="observe")
    other = httpx.Response(200, json={"id": "dp_1", "uri": "http://other:9080/"})
    kept.restate.will("GET /deployments/dp_1", other)
    registration = await kept.check(3)
    assert (registration.reason, registration.hopeless) == ("Superseded", True)
    assert kept.restate.registered == []

    kept.restate.will("GET /deployments/dp_1", other, DEPLOYMENT)
    await kept.keeper.register()
    assert kept.keeper.registration.ready
    assert len(kept.restate.registered) == 1


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
    for ended in 3 * (hopeless.keeper._engine_ended, hopeless.keeper._worker_ended):
        ended()
        await hopeless.check()
    assert len(hopeless.restate.registered) == 1
    monkeypatch.setattr(verdict, "HINTED_RETRY_SECONDS", 0.0)
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
    kept.restate.will("POST /deployments", httpx.Response(409, json={"message": "", "restate_code": None}))
    await kept.check(5)
    assert len(kept.restate.registered) == 2


async def test_restate_is_not_called_reachable_while_it_takes_no_registration(kept: Kept) -> None:
    kept.restate.will("GET /services/TenantProvisioning", UNKNOWN_SERVICE)
    kept.restate.will("POST /deployments", httpx.Response(503, text="no"), httpx.Response(201, json={}))
    assert (await kept.check()).reason == "EngineUnreachable"
    assert reachable() == 0
    kept.restate.will("GET /services/TenantProvisioning", UNKNOWN_SERVICE, SERVICE)
    assert (await kept.check()).ready
    assert reachable() == 1


async def test_what_happened_is_remembered_for_a_person(kept: Kept) -> None:
    await kept.check()
    verified = kept.keeper.history.last_verified
    assert verified is not None
    kept.restate.will("GET /services/TenantProvisioning", UNKNOWN_SERVICE)
    await kept.check()
    loss = kept.keeper.history.last_loss
    assert loss is not None
    assert (loss.cause, loss.repaired_after) == ("deployment_deleted", None)
    assert kept.keeper.history.doing == "registers the worker"

    kept.restate.will("GET /services/TenantProvisioning", SERVICE)
    await kept.check()
    history = kept.keeper.history
    assert history.last_loss is not None
    assert history.last_loss.repaired_after is not None
    assert history.last_verified is not None
    assert history.last_verified > verified


async def test_looks_do_not_follow_each_other_as_fast_as_something_kicks(kept: Kept) -> None:
    looks = 0
    look = kept.keeper.look

    async def counted() -> Seen:
        nonlocal looks
        looks += 1
        return await look()

    kept.keeper.look = counted  # type: ignore[method-assign]
    checking = asyncio.create_task(kept.keeper._loop())
    for _ in range(2000):
        kept.keeper.kick("pods")
        await asyncio.sleep(0)
    checking.cancel()
    assert 1 <= looks < 20


async def test_a_worker_that_restate_registered_without_the_workflow_is_hopeless_until_it_changes(
    kept: Kept,
) -> None:
    kept.restate.will("GET /services/TenantProvisioning", UNKNOWN_SERVICE)
    kept.restate.will("POST /deployments", httpx.Response(201, json={"services": [{"name": "Greeter"}]}))
    registration = await kept.check(3)
    assert (registration.reason, registration.hopeless) == ("RegistrationRejected", True)
    assert registration.message == (
        f"{WORKER} offers Greeter, and not TenantProvisioning; what answers there is another worker of "
        "Restate: check LANDLORD_WORKER_URL"
    )
    assert len(kept.restate.registered) == 1


async def test_a_loss_after_restate_could_not_be_asked_is_a_lost_store(kept: Kept) -> None:
    await kept.check()
    kept.restate.will("GET /services/TenantProvisioning", *[httpx.Response(503)] * 2, UNKNOWN_SERVICE)
    await kept.check(3)
    loss = kept.keeper.history.last_loss
    assert loss is not None
    assert loss.cause == "store_lost"

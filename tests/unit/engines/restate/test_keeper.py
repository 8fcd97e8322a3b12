"""The keeper before answers that a real Restate can't be made to give."""

import asyncio

import httpx
import pytest
from tests.unit.engines.restate.keeping import (
    CHANGED_SERVICE,
    DEPLOYMENT,
    HEALTHY_INGRESS,
    INGRESS,
    OTHER_INGRESS,
    RESTATE,
    SERVICE,
    UNKNOWN_SERVICE,
    WORKER,
    Answer,
    Kept,
    Restate,
    healthy,
    losses,
    reachable,
    timed_repairs,
)

from landlord.engines.restate import verdict
from landlord.engines.restate.seen import Snapshot


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


PRIVATE = httpx.Response(
    200,
    json={"deployment_id": "dp_1", "metadata": {"landlord.dev/revision": "one"}, "public": False},
)


@pytest.mark.parametrize("service", ["TenantProvisioning", "TenantSurvey"])
async def test_a_service_that_somebody_made_private_is_registered_again_and_is_no_loss(
    kept: Kept, service: str
) -> None:
    await kept.check()
    before = losses()
    kept.restate.will(f"GET /services/{service}", PRIVATE, PRIVATE, SERVICE)
    kept.restate.will("POST /deployments", httpx.Response(200, json={}))
    assert (await kept.check()).ready
    assert [said.reason for said in kept.said] == ["Registered", "NotPublic", "Registered"]
    assert kept.said[1].message.startswith(
        f"Restate at {RESTATE} rejects all requests to {service}, which somebody made private; landlord is"
    )
    assert [body["force"] for body in kept.restate.registered] == [False, True]
    assert losses() == before


async def test_a_service_that_stays_private_is_not_registered_at_every_check(kept: Kept) -> None:
    kept.restate.will("GET /services/TenantProvisioning", PRIVATE)
    registration = await kept.check(10)
    assert (registration.status, registration.reason) == ("False", "NotPublic")
    assert "Fix: stop whatever makes it private" in registration.message
    assert len(kept.restate.registered) == 3


async def test_a_private_service_is_left_alone_by_policy_until_a_person_registers_it() -> None:
    kept = Kept(Restate(), healthy, policy="observe")
    kept.restate.will("GET /services/TenantProvisioning", PRIVATE)
    registration = await kept.check(3)
    assert (registration.reason, registration.hopeless) == ("NotPublic", True)
    assert "Fix: run `landlord registration --register`" in registration.message
    assert kept.restate.registered == []
    kept.restate.will("GET /services/TenantProvisioning", PRIVATE, SERVICE)
    await kept.keeper.register()
    assert kept.keeper.registration.ready


async def test_a_revision_that_never_becomes_ours_is_not_registered_at_every_check(kept: Kept) -> None:
    kept.restate.will("GET /services/TenantProvisioning", CHANGED_SERVICE)
    await kept.check(10)
    assert len(kept.restate.registered) == 3


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
    assert "keeps Restate waiting" in registration.message
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
    assert "is not a landlord worker\nFix: check LANDLORD_WORKER_URL" in registration.message
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


async def test_an_ingress_of_another_restate_is_not_believed_and_nothing_is_registered_because_of_it(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.restate.will("GET /restate/health", OTHER_INGRESS)
    assert (await kept.check(2)).ready, "it may be about to learn of it"
    monkeypatch.setattr(verdict, "UNKNOWN_SECONDS", 0.0)
    registration = await kept.check(2)
    assert (registration.status, registration.reason) == ("Unknown", "EngineUnreachable")
    assert registration.message == (
        f"Restate's ingress at {INGRESS} does not have TenantProvisioning, which is registered in Restate's "
        f"admin API at {RESTATE}\n"
        "Fix: set LANDLORD_RESTATE_INGRESS_URL and LANDLORD_RESTATE_ADMIN_URL to the same Restate."
    )
    assert kept.restate.registered == []
    assert reachable() == 0
    kept.restate.will("GET /restate/health", HEALTHY_INGRESS)
    assert (await kept.check()).ready


async def test_an_ingress_has_time_to_hear_of_each_registration(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verdict, "UNKNOWN_SECONDS", 0.3)
    kept.restate.will("GET /restate/health", OTHER_INGRESS)
    assert (await kept.check()).ready
    kept.restate.will("GET /services/TenantProvisioning", UNKNOWN_SERVICE)
    await kept.check()
    await asyncio.sleep(0.4)
    kept.restate.will("GET /services/TenantProvisioning", SERVICE)
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


async def test_restate_is_not_called_reachable_while_it_takes_no_registration(kept: Kept) -> None:
    kept.restate.will("GET /services/TenantProvisioning", UNKNOWN_SERVICE)
    kept.restate.will("POST /deployments", httpx.Response(503, text="no"), httpx.Response(201, json={}))
    assert (await kept.check()).reason == "EngineUnreachable"
    assert reachable() == 0
    kept.restate.will("GET /services/TenantProvisioning", UNKNOWN_SERVICE, SERVICE)
    assert (await kept.check()).ready
    assert reachable() == 1


async def test_a_store_that_is_lost_while_another_worker_is_registered_is_a_loss_and_counts() -> None:
    kept = Kept(Restate(), healthy, policy="observe")
    await kept.check()
    before = losses(), timed_repairs()
    kept.restate.will(
        "GET /deployments/dp_1", httpx.Response(200, json={"id": "dp_1", "uri": "http://other"})
    )
    assert (await kept.check(2)).hopeless
    kept.restate.will("GET /services/TenantProvisioning", httpx.Response(503), UNKNOWN_SERVICE)
    kept.restate.will("POST /deployments", httpx.Response(503))
    await kept.check(3)
    assert losses() - before[0] == 2
    assert kept.keeper.history.last_loss is not None
    assert kept.keeper.history.last_loss.cause == "store_lost"
    kept.restate.answers.clear()
    assert (await kept.check()).ready
    assert timed_repairs() - before[1] == 1


async def test_what_a_person_repairs_is_not_timed() -> None:
    kept = Kept(Restate(), healthy, policy="observe")
    await kept.check()
    before = timed_repairs()
    kept.restate.will(
        "GET /deployments/dp_1", httpx.Response(200, json={"id": "dp_1", "uri": "http://other"})
    )
    await kept.check(2)
    kept.restate.answers.clear()
    assert (await kept.check()).ready
    assert timed_repairs() == before
    assert kept.keeper.history.last_loss is not None
    assert kept.keeper.history.last_loss.repaired_after is not None


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
    look = kept.keeper.observe

    async def counted() -> Snapshot:
        nonlocal looks
        looks += 1
        return await look()

    kept.keeper.observe = counted  # type: ignore[method-assign]
    checking = asyncio.create_task(kept.keeper._loop())
    for _ in range(2000):
        kept.keeper.kick("pods")
        await asyncio.sleep(0)
    checking.cancel()
    assert 1 <= looks < 20


async def test_a_loss_after_restate_could_not_be_asked_is_a_lost_store(kept: Kept) -> None:
    await kept.check()
    kept.restate.will("GET /services/TenantProvisioning", *[httpx.Response(503)] * 2, UNKNOWN_SERVICE)
    await kept.check(3)
    loss = kept.keeper.history.last_loss
    assert loss is not None
    assert loss.cause == "store_lost"

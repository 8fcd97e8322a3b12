"""The tracker before a Restate whose tables and outputs say what they are told, or nothing."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from landlord.api.request import Request
from landlord.engines.contract import Progress
from landlord.engines.restate import tracker as module
from landlord.engines.restate.admin import Admin
from landlord.engines.restate.http import HttpClient
from landlord.engines.restate.ingress import Ingress
from landlord.engines.restate.tracker import Tracker
from landlord.errors import InvocationLost

SUCCEEDED = httpx.Response(200, json={"result": "Succeeded"})
UNKNOWN = httpx.Response(404, json={"message": "invocation not found", "source": "ingress"})
UNREGISTERED = httpx.Response(404, json={"message": "service 'x' not found", "source": "ingress"})
NOT_YET = httpx.Response(470, json={"message": "not completed", "source": "ingress"})
AWAY = httpx.Response(503, text="no upstream")


def request(tenant: str = "acme", generation: int = 1) -> Request:
    return Request(
        tenant_id=tenant,
        operation="delete",
        uid="u",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        generation=generation,
        attempt=1,
        provider="memory",
        timeout_seconds=60,
    )


class Restate:
    """Answers with its tables, and with outputs by idempotency key."""

    def __init__(self) -> None:
        self.invocations: dict[str, dict[str, Any]] = {}
        self.outputs: dict[str, httpx.Response] = {}
        self.pauses: list[dict[str, str]] = []
        self.fails: dict[str, httpx.Response] = {}
        """Answers by the method and the last part of the path, instead of what is said above."""
        self.asked: list[str] = []

    def has(self, work: Request, status: str, **columns: Any) -> None:
        key = work.idempotency_key
        self.invocations[f"inv_{key}"] = {
            "id": f"inv_{key}",
            "target_service_key": work.tenant_id,
            "target_handler_name": work.operation,
            "idempotency_key": key,
            "status": status,
        } | columns

    def paused(self, work: Request, code: str | None) -> None:
        """Restate has paused it, and keeps the reason in an event only."""
        self.has(work, "paused")
        why = {"error_code": 500, "error_message": "why", "restate_doc_error_code": code}
        event = {"ty": "Paused"} | ({"last_failure": why} if code else {})
        self.pauses.append({"id": f"inv_{work.idempotency_key}", "event_json": json.dumps(event)})

    def did(self, verb: str) -> list[str]:
        return [path.split("/")[-2] for path in self.asked if path.endswith(verb)]

    def __call__(self, asked: httpx.Request) -> httpx.Response:
        path = asked.url.path
        self.asked.append(path)
        last = path.rsplit("/", 1)[-1]
        if last in self.fails:
            return self.copied(self.fails[last])
        if last == "query":
            return httpx.Response(200, json={"rows": self.rows(json.loads(asked.content)["query"])})
        if last == "output":
            return self.copied(self.outputs.get(path.split("/")[-2], NOT_YET))
        return httpx.Response(202)

    def rows(self, sql: str) -> list[dict[str, Any]]:
        if "sys_journal_events" in sql:
            return [row for row in self.pauses if f"'{row['id']}'" in sql]
        if "sys_inbox" in sql:
            return [
                {"service_key": row["target_service_key"], "id": id} for id, row in self.invocations.items()
            ]
        return [row for id, row in self.invocations.items() if f"'{id}'" in sql]

    @staticmethod
    def copied(answer: httpx.Response) -> httpx.Response:
        return httpx.Response(answer.status_code, content=answer.content)


class Tracked:
    """A tracker and what it said. Its ticks are the test's."""

    def __init__(self) -> None:
        self.restate = Restate()
        self.progress: list[Progress] = []
        self.clients = [
            HttpClient(name, f"http://{name}", httpx.MockTransport(self.restate)) for name in "ai"
        ]
        self.tracker = Tracker(
            Admin(self.clients[0]), Ingress(self.clients[1]), send=self.send, on_progress=self.progressed
        )
        self.calls: list[asyncio.Task[Any]] = []

    async def send(self, work: Request) -> str:
        return f"inv_{work.idempotency_key}"

    def progressed(self, work: Request, progress: Progress) -> None:
        self.progress.append(progress)

    async def follow(self, work: Request) -> "asyncio.Task[Any]":
        call = asyncio.create_task(self.tracker.follow(work))
        self.calls.append(call)
        await asyncio.sleep(0)
        return call

    async def tick(self, times: int = 1) -> None:
        for _ in range(times):
            await self.tracker.tick()
        await asyncio.sleep(0)


@pytest.fixture
async def tracked() -> AsyncIterator[Tracked]:
    tracked = Tracked()
    yield tracked
    for call in tracked.calls:
        call.cancel()
    for client in tracked.clients:
        await client.close()


async def test_news_are_told_once_and_the_end_is_returned(tracked: Tracked) -> None:
    work = request()
    tracked.restate.has(work, "running", newest_step="1/2 network")
    call = await tracked.follow(work)
    await tracked.tick(3)
    assert [(said.sub_state, said.step) for said in tracked.progress] == [("Running", "network")]
    tracked.restate.has(work, "completed")
    tracked.restate.outputs[work.idempotency_key] = SUCCEEDED
    await tracked.tick()
    assert call.result().result == "Succeeded"
    assert call.result().invocation_id == f"inv_{work.idempotency_key}"
    assert tracked.tracker._followed == set()


async def test_work_that_restate_does_not_know_any_more_is_lost(tracked: Tracked) -> None:
    call = await tracked.follow(request())
    tracked.restate.outputs["u-1-1"] = UNKNOWN
    await tracked.tick()
    with pytest.raises(InvocationLost):
        await call


async def test_work_of_a_workflow_that_is_not_registered_now_is_waited_for(tracked: Tracked) -> None:
    call = await tracked.follow(request())
    tracked.restate.outputs["u-1-1"] = UNREGISTERED
    await tracked.tick(2)
    assert not call.done()
    tracked.restate.outputs["u-1-1"] = SUCCEEDED
    await tracked.tick()
    assert call.result().result == "Succeeded"


@pytest.mark.parametrize(
    "answer",
    [
        AWAY,
        httpx.Response(500, json={"message": "no such table"}),
        httpx.Response(200, json={"rows": [{"id": 7}]}),
        httpx.Response(200, json={"rows": [{"id": "inv_u-1-1", "status": "running"}]}),
        httpx.Response(200, json={"lines": []}),
    ],
    ids=["away", "error", "another type", "a column is missing", "another shape"],
)
async def test_work_ends_also_while_the_tables_can_t_be_read_and_that_is_logged_once(
    tracked: Tracked, answer: httpx.Response, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, module.__name__)
    one, two = request("one"), request("two")
    calls = [await tracked.follow(work) for work in (one, two)]
    tracked.restate.fails["query"] = answer
    await tracked.tick(3)
    assert not any(call.done() for call in calls)
    tracked.restate.outputs["u-1-1"] = SUCCEEDED
    await tracked.tick()
    assert [call.result().result for call in calls] == ["Succeeded", "Succeeded"]
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "can't read the progress of unfinished work: a at http://a answered" in caplog.text

    tracked.restate.fails.clear()
    tracked.restate.has(request("three"), "running")
    await tracked.follow(request("three"))
    await tracked.tick(2)
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


async def test_an_outage_of_all_of_restate_costs_one_output_a_tick(tracked: Tracked) -> None:
    for tenant in ("one", "two", "three"):
        await tracked.follow(request(tenant))
    tracked.restate.fails.update(query=AWAY, output=AWAY)
    await tracked.tick(2)
    assert len(tracked.restate.did("output")) == 2


@pytest.fixture
async def blocked(tracked: Tracked) -> Tracked:
    """Newer work waits behind older work that backs off."""
    tracked.restate.has(request(generation=1), "backing-off")
    tracked.restate.has(request(generation=2), "pending")
    await tracked.follow(request(generation=2))
    return tracked


async def test_older_work_that_is_stuck_is_cancelled_and_resumed_once(blocked: Tracked) -> None:
    await blocked.tick(3)
    assert blocked.restate.did("cancel") == blocked.restate.did("resume") == ["inv_u-1-1"]
    assert blocked.restate.did("kill") == []


@pytest.mark.parametrize("verb", ["cancel", "resume"])
async def test_what_could_not_be_stopped_is_stopped_later_and_not_killed_instead(
    blocked: Tracked, verb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked.restate.fails[verb] = AWAY
    await blocked.tick()
    blocked.restate.fails.clear()
    monkeypatch.setattr(module, "KILL_AFTER_SECONDS", 3600.0 if verb == "cancel" else 0.0)
    before = len(blocked.restate.did(verb))
    await blocked.tick()
    assert len(blocked.restate.did(verb)) == before + 1
    assert blocked.restate.did("kill") == []


async def test_what_does_not_stop_is_killed(blocked: Tracked, monkeypatch: pytest.MonkeyPatch) -> None:
    await blocked.tick()
    monkeypatch.setattr(module, "KILL_AFTER_SECONDS", 0.0)
    await blocked.tick()
    assert blocked.restate.did("kill") == ["inv_u-1-1"]


async def test_what_was_stopped_is_forgotten_when_it_has_ended(blocked: Tracked) -> None:
    await blocked.tick()
    assert blocked.tracker._stopping
    del blocked.restate.invocations["inv_u-1-1"]
    await blocked.tick()
    assert not blocked.tracker._stopping


async def test_what_waits_for_the_worker_is_resumed_once_it_is_registered_again(tracked: Tracked) -> None:
    work = request()
    tracked.restate.has(work, "backing-off", last_failure_error_code="RT0010")
    await tracked.follow(work)
    await tracked.tick()
    assert tracked.restate.did("resume") == []
    tracked.tracker.note_registration(True)
    tracked.restate.fails["resume"] = AWAY
    await tracked.tick()
    tracked.restate.fails = {"query": AWAY}
    await tracked.tick()
    tracked.restate.fails = {}
    await tracked.tick(2)
    assert len(tracked.restate.did("resume")) == 2, "one in vain, and one that is not"


@pytest.mark.parametrize("code", ["RT0001", "RT0010", "RT0012", "RT0023"])
async def test_what_restate_paused_without_the_worker_is_resumed_while_that_is_registered(
    tracked: Tracked, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = request()
    await tracked.follow(work)
    tracked.restate.paused(work, code)
    await tracked.tick(2)
    assert tracked.restate.did("resume") == []
    assert [(said.sub_state, said.last_error) for said in tracked.progress] == [("BackingOff", "why")]
    tracked.tracker.note_registration(True)
    await tracked.tick(3)
    assert len(tracked.restate.did("resume")) == 1, "not at each tick"
    monkeypatch.setattr(module, "RESUME_SECONDS", 0.0)
    await tracked.tick()
    assert len(tracked.restate.did("resume")) == 2, "Restate paused it again"
    tracked.tracker.note_registration(False)
    await tracked.tick()
    assert len(tracked.restate.did("resume")) == 2


@pytest.mark.parametrize("code", [None, "RT0007"])
async def test_what_was_paused_for_another_reason_is_told_and_left_alone(
    tracked: Tracked, code: str | None
) -> None:
    work = request()
    await tracked.follow(work)
    tracked.restate.paused(work, "RT0010")
    tracked.restate.paused(work, code)
    tracked.tracker.note_registration(True)
    await tracked.tick(2)
    assert tracked.restate.did("resume") == []
    assert [(said.sub_state, said.last_error) for said in tracked.progress] == [
        ("Paused", "why" if code else None)
    ]


async def test_a_registration_during_a_tick_is_not_missed(
    tracked: Tracked, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = request()
    tracked.restate.has(work, "backing-off", last_failure_error_code="RT0010")
    await tracked.follow(work)
    resume = Tracker._resume

    async def meanwhile(self: Tracker, *args: Any, **named: Any) -> bool:
        self.note_registration(True)
        return await resume(self, *args, **named)

    tracked.tracker.note_registration(True)
    monkeypatch.setattr(Tracker, "_resume", meanwhile)
    await tracked.tick()
    monkeypatch.setattr(Tracker, "_resume", resume)
    await tracked.tick(2)
    assert len(tracked.restate.did("resume")) == 2


async def test_work_that_does_not_fit_the_worker_any_more_is_killed_and_may_be_tried_again(
    tracked: Tracked,
) -> None:
    work = request()
    failure = {"last_failure_error_code": "RT0016", "last_failure": "[570 Mismatch] Found a mismatch\nmore"}
    tracked.restate.has(work, "backing-off", **failure)
    call = await tracked.follow(work)
    await tracked.tick()
    assert tracked.restate.did("kill") == ["inv_u-1-1"]
    assert call.result().failure.code == "JournalMismatch"
    assert call.result().failure.retryable


async def test_it_ticks_while_there_is_something_to_follow_and_not_otherwise(
    tracked: Tracked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TICK_SECONDS", 0.01)
    running = asyncio.create_task(tracked.tracker.run())
    await asyncio.sleep(0.05)
    assert tracked.restate.asked == []
    work = request()
    tracked.restate.outputs[work.idempotency_key] = SUCCEEDED
    async with asyncio.timeout(5):
        assert (await tracked.tracker.follow(work)).result == "Succeeded"
    await asyncio.sleep(0.05)
    asked = len(tracked.restate.asked)
    await asyncio.sleep(0.05)
    assert len(tracked.restate.asked) == asked
    running.cancel()

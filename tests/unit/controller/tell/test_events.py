"""Events are written beside everything else: paced, never twice, never in anybody's way."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY
from tests.support.clockwork import run

from landlord.api.schema import JsonObject
from landlord.controller.decide.news import News
from landlord.controller.kube import KubeClient
from landlord.controller.tell.events import (
    MAX_NAME,
    MAX_NOTE,
    PACE,
    QUIET_SECONDS,
    ROOM,
    TRANSIENT_SECONDS,
    Recorder,
    Regarding,
    build_event,
)
from landlord.kubernetes_api import KubeError

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
READY = News("Normal", "Provisioned", "Provision", "The tenant is provisioned", generation=1)
FAILED = News("Warning", "ProvisioningFailed", "Provision", "no such image", generation=1)
PENDING = News("Warning", "RegistrationPending", "Provision", "Waiting", generation=1, is_transient=True)


def tenant(number: int) -> Regarding:
    return Regarding(
        api_version="landlord.dev/v1alpha1",
        kind="Tenant",
        namespace="tenants",
        name=f"t-{number}",
        uid=f"uid-{number}",
    )


class Server(KubeClient):
    """Takes Events, or refuses them: a real API server does not refuse and accept at will."""

    def __init__(self) -> None:
        self.refusal: KubeError | None = None
        self.taken: list[tuple[float, JsonObject]] = []

    async def write(self, resource: str, method: str, path: str, body: Any, **options: Any) -> JsonObject:
        assert (resource, method) == ("events", "POST")
        assert path == f"/apis/events.k8s.io/v1/namespaces/{body['metadata']['namespace']}/events"
        if self.refusal:
            raise self.refusal
        self.taken.append((asyncio.get_running_loop().time(), body))
        return {}

    def told(self) -> list[tuple[str, str]]:
        return [(body["regarding"]["name"], body["reason"]) for _, body in self.taken]


def recorded(live: Callable[[Recorder, Server], Coroutine[Any, Any, None]]) -> Server:
    """What reached the API server while something happened, and half an hour later."""
    server = Server()

    async def main() -> None:
        recorder = Recorder(server, "operator-1")
        task = asyncio.create_task(recorder.run())
        await live(recorder, server)
        await asyncio.sleep(1800)
        task.cancel()

    run(main)
    return server


def dropped() -> float:
    labels = {"resource": "events", "verb": "post", "result": "dropped"}
    return REGISTRY.get_sample_value("landlord_kubernetes_writes_total", labels) or 0.0


def test_news_of_many_tenants_at_once_is_told_of_all_of_them_and_paced() -> None:
    async def live(recorder: Recorder, _: Server) -> None:
        for number in range(ROOM):
            recorder.record(tenant(number), FAILED)

    server = recorded(live)
    assert len(server.taken) == ROOM
    times = [at for at, _ in server.taken]
    ahead = int(PACE)
    assert all(later - at >= 1 - 1e-6 for at, later in zip(times, times[ahead:], strict=False))


def test_the_same_news_is_told_once_in_some_minutes() -> None:
    async def live(recorder: Recorder, _: Server) -> None:
        for _retry in range(10):
            recorder.record(tenant(1), FAILED)
            recorder.record(tenant(2), FAILED)
            recorder.record(tenant(1), replace(FAILED, generation=2))
            await asyncio.sleep(QUIET_SECONDS / 10 - 1)
        assert len(recorder._recorded) == 2
        await asyncio.sleep(QUIET_SECONDS)
        recorder.record(tenant(1), FAILED)
        await asyncio.sleep(1)
        assert len(recorder._recorded) == 1, "what is old enough is forgotten"

    assert recorded(live).told() == [
        ("t-1", "ProvisioningFailed"),
        ("t-2", "ProvisioningFailed"),
        ("t-1", "ProvisioningFailed"),
        ("t-1", "ProvisioningFailed"),
    ]


def test_the_end_of_bad_news_is_always_told_and_flapping_is_not() -> None:
    async def live(recorder: Recorder, _: Server) -> None:
        recorder.record(tenant(1), READY)
        for _flap in range(20):
            recorder.record(tenant(1), FAILED)
            await asyncio.sleep(1)
            recorder.record(tenant(1), READY)
            await asyncio.sleep(1)

    assert [reason for _, reason in recorded(live).told()] == [
        "Provisioned",
        "ProvisioningFailed",
        "Provisioned",
    ]


def test_what_changes_faster_than_it_can_be_told_is_told_once() -> None:
    async def live(recorder: Recorder, _: Server) -> None:
        for _flap in range(5):
            recorder.record(tenant(1), FAILED)
            recorder.record(tenant(1), READY)

    assert recorded(live).told() == [("t-1", "ProvisioningFailed"), ("t-1", "Provisioned")]


def test_what_passes_is_told_if_it_lasts_and_as_of_when_it_began() -> None:
    async def live(recorder: Recorder, _: Server) -> None:
        recorder.record(tenant(1), PENDING)
        recorder.record(tenant(2), PENDING)
        recorder.record(tenant(3), PENDING)
        await asyncio.sleep(TRANSIENT_SECONDS - 1)
        recorder.record(tenant(1), READY)
        recorder.record(tenant(2), None)
        recorder.record(tenant(3), PENDING)
        await asyncio.sleep(2)
        recorder.record(tenant(2), PENDING)

    server = recorded(live)
    assert server.told() == [
        ("t-1", "Provisioned"),
        ("t-3", "RegistrationPending"),
        ("t-2", "RegistrationPending"),
    ]
    ready, pending, _ = (body["eventTime"] for _, body in server.taken)
    assert pending < ready


def test_an_engine_that_flaps_with_thousands_waiting_leaves_room_for_what_matters() -> None:
    before = dropped()

    async def live(recorder: Recorder, _: Server) -> None:
        for flap in range(10):
            for number in range(ROOM - 100):
                recorder.record(tenant(number), PENDING if flap % 2 == 0 else None)
            await asyncio.sleep(1)
        for number in range(ROOM):
            recorder.record(tenant(number), READY)

    assert recorded(live).told() == [(f"t-{number}", "Provisioned") for number in range(ROOM)]
    assert dropped() == before


def test_what_there_is_no_room_for_is_dropped_counted_and_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    before = dropped()

    async def live(recorder: Recorder, _: Server) -> None:
        for number in range(ROOM + 50):
            recorder.record(tenant(number), FAILED)
        await asyncio.sleep(0.1)
        recorder.record(tenant(ROOM + 50), FAILED)

    assert len(recorded(live).taken) == ROOM + 1
    assert dropped() - before == 50
    assert [(each.levelname, each.__dict__.get("lost")) for each in caplog.records] == [
        ("WARNING", None),
        ("INFO", 50),
    ]


def test_refusals_are_logged_once_until_events_are_written_again(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    async def live(recorder: Recorder, server: Server) -> None:
        for outage in range(2):
            server.refusal = KubeError(403, "events.events.k8s.io is forbidden")
            for number in range(5):
                recorder.record(tenant(10 * outage + number), FAILED)
            await asyncio.sleep(10)
            server.refusal = None
            recorder.record(tenant(10 * outage + 9), FAILED)
            await asyncio.sleep(10)

    assert recorded(live).told() == [("t-9", "ProvisioningFailed"), ("t-19", "ProvisioningFailed")]
    assert [each.levelname for each in caplog.records] == ["WARNING", "INFO"] * 2
    assert "is forbidden" in caplog.text


@pytest.mark.parametrize(
    "refusal",
    [
        KubeError(403, "unable to create new content in namespace x because it is being terminated"),
        KubeError(404, 'namespaces "x" not found'),
    ],
)
def test_that_a_namespace_goes_with_its_tenants_is_no_trouble(
    caplog: pytest.LogCaptureFixture, refusal: KubeError
) -> None:
    async def live(recorder: Recorder, server: Server) -> None:
        server.refusal = refusal
        recorder.record(tenant(1), READY)

    recorded(live)
    assert caplog.records == []


@given(
    note=st.text(max_size=3000), name=st.from_regex(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?", fullmatch=True)
)
def test_whatever_there_is_to_say_fits(note: str, name: str) -> None:
    body = build_event(replace(tenant(1), name=name), replace(READY, note=note), "operator-1", NOW)
    assert len(body["note"].encode()) <= MAX_NOTE
    assert "\n" not in body["note"]
    assert len(body["metadata"]["name"]) <= MAX_NAME
    assert body["regarding"]["name"] == name


def test_two_events_about_one_tenant_have_different_names() -> None:
    later = NOW.replace(microsecond=1)
    names = {build_event(tenant(1), READY, "operator-1", at)["metadata"]["name"] for at in (NOW, later)}
    assert len(names) == 2

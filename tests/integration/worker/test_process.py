"""The worker as a process: what it answers, how it starts, how it ends."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil
import pytest
from h2.connection import H2Connection
from tests.support.polling import eventually, eventually_async
from tests.support.requests import request
from tests.support.served import Served, restate_engine, running

from dev.net import free_ports, status_of

PROMPT = 8.0
"""Seconds, far below the grace of 10 s that work under way gets."""

SHORT_GRACE = """
import asyncio, sys
from pathlib import Path
from landlord.worker.app import serve
from tests.support.ledger import LedgerBackend
asyncio.run(serve(sys.argv[1], {"ledger": LedgerBackend(Path(sys.argv[2]))}, grace_seconds=0.5))
"""


def http2(method: str = "", path: str = "", headers: Mapping[str, str] | None = None) -> bytes:
    """What a client sends first over HTTP/2: its preface and, if it asks for something, a request's head."""
    client = H2Connection()
    client.initiate_connection()
    if method:
        head = [(":method", method), (":path", path), (":scheme", "http"), (":authority", "worker")]
        client.send_headers(1, [*head, *(headers or {}).items()], end_stream=method == "GET")
    return client.data_to_send()


INVOKE = "/invoke/TenantProvisioning/apply"
INVOCATION = {"content-type": "application/vnd.restate.invocation.v5"}
HEALTHZ = b"GET /healthz HTTP/1.1\r\nhost: worker\r\n\r\n"

IDLE = {
    "nothing": b"",
    "half a head": HEALTHZ[:20],
    "a request": HEALTHZ,
    "half a preface of HTTP/2": http2()[:16],
    "a preface of HTTP/2": http2(),
    "a request over HTTP/2": http2("GET", "/healthz"),
}
"""What a client may have sent when nothing is under way for it, but for the moment of an answer."""

UNDER_WAY = {
    "HTTP/1": (
        f"POST {INVOKE} HTTP/1.1\r\nhost: worker\r\ncontent-length: 9\r\n"
        f"content-type: {INVOCATION['content-type']}\r\n\r\n"
    ).encode(),
    "HTTP/2": http2("POST", INVOKE, INVOCATION),
}
"""An invocation's head, of which the rest does not come."""


@contextlib.contextmanager
def worker(*argv: str, **settings: str) -> Iterator[subprocess.Popen[str]]:
    program = subprocess.Popen(
        [sys.executable, *(argv or ("-m", "landlord", "worker"))],
        env=os.environ | {"LANDLORD_BACKENDS": "memory", "LANDLORD_LOG_FORMAT": "json"} | settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield program
    finally:
        program.kill()
        program.communicate()


@pytest.fixture
def bind() -> str:
    return f"127.0.0.1:{free_ports(1)[0]}"


def get(bind: str, path: str) -> str:
    with urllib.request.urlopen(f"http://{bind}{path}", timeout=30) as answer:
        text: bytes = answer.read()
    return text.decode()


def started(bind: str) -> None:
    eventually(lambda: status_of(f"http://{bind}/healthz") == 200, what="the worker to answer")


@contextlib.contextmanager
def connected(bind: str, sent: bytes) -> Iterator[None]:
    """A connection over which something was sent, held to the end of the block."""
    host, port = bind.split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(sent)
        yield


async def ask(bind: str, sent: bytes) -> None:
    """Send something over a connection of its own, and wait for an answer or the end of the connection."""
    host, port = bind.split(":")
    with contextlib.suppress(OSError):
        reader, writer = await asyncio.open_connection(host, int(port))
        with contextlib.closing(writer):
            writer.write(sent)
            await reader.read(1)


def output_of(ended: subprocess.Popen[str]) -> str:
    assert ended.stdout is not None
    return ended.stdout.read()


def severities(ended: subprocess.Popen[str]) -> set[str]:
    """How bad what it logged was. Fails if it printed anything else, such as a traceback."""
    return {json.loads(line)["severity"] for line in output_of(ended).splitlines()}


def test_healthz_tells_revision_and_backends_which_a_restart_does_not_change(bind: str) -> None:
    answers = []
    for _ in range(2):
        with worker(LANDLORD_WORKER_BIND=bind):
            started(bind)
            answers.append(json.loads(get(bind, "/healthz")))
    assert answers[0] == answers[1]
    assert answers[0] == {"status": "ok", "revision": answers[0]["revision"], "backends": ["memory"]}


def test_metrics_are_served_for_prometheus(bind: str) -> None:
    with worker(LANDLORD_WORKER_BIND=bind):
        started(bind)
        assert "landlord_step_seconds" in get(bind, "/metrics")


def test_with_identity_keys_only_restate_gets_at_the_workflow(bind: str) -> None:
    key = "publickeyv1_w7YHemBctH5Ck2nQRQ47iBBqhNHy4FV7t2Usbye2A6f"
    with worker(LANDLORD_WORKER_BIND=bind, LANDLORD_RESTATE_IDENTITY_KEYS=key):
        started(bind)
        assert status_of(f"http://{bind}/metrics") == 200
        assert status_of(f"http://{bind}/discover") == 401
        assert status_of(f"http://{bind}/invoke/TenantProvisioning/apply") == 401


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"LANDLORD_WORKER_BIND": "nowhere"}, "LANDLORD_WORKER_BIND"),
        ({"LANDLORD_WORKER_BIND": "256.0.0.1:80"}, "LANDLORD_WORKER_BIND"),
        ({"LANDLORD_RESTATE_IDENTITY_KEYS": "secret"}, "LANDLORD_RESTATE_IDENTITY_KEYS"),
    ],
)
def test_wrong_settings_end_the_start_with_the_name_of_the_setting(
    bind: str, settings: dict[str, str], says: str
) -> None:
    with worker(**({"LANDLORD_WORKER_BIND": bind} | settings)) as program:
        assert program.wait(timeout=60) == 2
        assert program.stdout is not None
        output = program.stdout.read()
    assert says in output
    assert "Traceback" not in output


def test_port_in_use_ends_the_start_with_what_to_do(bind: str) -> None:
    with worker(LANDLORD_WORKER_BIND=bind):
        started(bind)
        with worker(LANDLORD_WORKER_BIND=bind) as second:
            assert second.wait(timeout=60) == 2
            assert second.stdout is not None
            output = second.stdout.read()
    assert f"LANDLORD_WORKER_BIND is '{bind}'" in output
    assert "Fix: stop the program that uses the port, or choose another address:port." in output


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
def test_idle_worker_ends_at_once(bind: str, told: signal.Signals) -> None:
    with worker(LANDLORD_WORKER_BIND=bind) as program:
        started(bind)
        program.send_signal(told)
        begun = time.monotonic()
        assert program.wait(timeout=60) == 0
        assert time.monotonic() - begun < PROMPT


def test_nothing_is_left_of_connections_whose_clients_hung_up(bind: str) -> None:
    with worker(LANDLORD_WORKER_BIND=bind) as program:
        started(bind)
        for sent in 10 * [*IDLE.values()]:
            with connected(bind, sent):
                """Some hang up before they are answered, some after that."""
        process = psutil.Process(program.pid)
        eventually(
            lambda: [each.status for each in process.net_connections()] == [psutil.CONN_LISTEN],
            within=PROMPT,
            what="only the listening socket to be left",
        )


def test_idle_connections_neither_hold_up_the_end_nor_make_it_an_error(bind: str) -> None:
    with worker(LANDLORD_WORKER_BIND=bind) as program, contextlib.ExitStack() as connections:
        started(bind)
        for sent in IDLE.values():
            connections.enter_context(connected(bind, sent))
        get(bind, "/healthz")  # connections are taken in their order
        program.send_signal(signal.SIGTERM)
        begun = time.monotonic()
        assert program.wait(timeout=60) == 0
        assert time.monotonic() - begun < PROMPT
        assert severities(program) == {"INFO"}


async def test_requests_made_in_the_moment_of_the_end_neither_hold_it_up_nor_make_it_an_error(
    bind: str,
) -> None:
    with worker(LANDLORD_WORKER_BIND=bind) as program:
        started(bind)
        asking = [asyncio.create_task(ask(bind, http2("GET", "/healthz"))) for _ in range(60)]
        await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED)
        program.send_signal(signal.SIGTERM)
        begun = time.monotonic()
        assert await asyncio.to_thread(program.wait, timeout=60) == 0
        assert time.monotonic() - begun < PROMPT
        await asyncio.gather(*asking)
        assert severities(program) == {"INFO"}


@pytest.mark.parametrize("sent", UNDER_WAY.values(), ids=UNDER_WAY)
def test_requests_that_outlast_the_grace_are_cut_off_with_a_warning_and_no_error(
    bind: str, tmp_path: Path, sent: bytes
) -> None:
    with worker("-c", SHORT_GRACE, bind, str(tmp_path)) as program:
        started(bind)
        with connected(bind, sent):
            get(bind, "/healthz")
            program.send_signal(signal.SIGTERM)
            assert program.wait(timeout=60) == 0
        assert output_of(program).splitlines() == ["aborting requests that outlast the grace period"]


async def test_worker_ends_at_once_after_its_work_although_restate_stays_connected(
    shared: Served, bind: str
) -> None:
    with worker(LANDLORD_WORKER_BIND=bind) as program:
        started(bind)
        engine = restate_engine(shared, worker_url=f"http://{bind}")
        async with running(engine):
            assert (await engine.perform(request("idle-after-work"))).result == "Succeeded"
            program.send_signal(signal.SIGTERM)
            begun = time.monotonic()
            assert await asyncio.to_thread(program.wait, timeout=60) == 0
            assert time.monotonic() - begun < PROMPT


async def test_work_that_outlasts_the_grace_is_cut_and_done_again_later(
    served: Served, bind: str, tmp_path: Path
) -> None:
    ledger = served.ledger
    url = f"http://{bind}"
    argv = ("-c", SHORT_GRACE, bind, str(ledger.folder))
    with worker(*argv) as program:
        started(bind)
        engine = restate_engine(served, worker_url=url)
        async with running(engine):
            work = asyncio.create_task(engine.perform(request("slow", provider="ledger", HOLD="two")))

            async def held() -> bool:
                return "two begins" in ledger.entries("slow")

            await eventually_async(held, what="the second step to begin")
            program.send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(program.wait, timeout=60) == 0
            ledger.release("slow")
            with worker(*argv):
                assert (await work).result == "Succeeded"
    assert ledger.effects("slow") == ["one", "two", "three"]

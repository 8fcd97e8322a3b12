"""The worker as a process: what it answers, how it starts, how it ends."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.polling import eventually, eventually_async
from tests.support.requests import request
from tests.support.served import Served, restate_engine, running

from dev.net import free_ports, status_of

PROMPT = 3.0
"""Seconds, far below the grace of 10 s that work under way gets."""

SHORT_GRACE = """
import asyncio, sys
from pathlib import Path
from landlord.worker.app import serve
from tests.support.ledger import LedgerBackend
asyncio.run(serve(sys.argv[1], {"ledger": LedgerBackend(Path(sys.argv[2]))}, grace_seconds=0.5))
"""


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
    with urllib.request.urlopen(f"http://{bind}{path}", timeout=5) as answer:
        text: bytes = answer.read()
    return text.decode()


def started(bind: str) -> None:
    eventually(lambda: status_of(f"http://{bind}/healthz") == 200, what="the worker to answer")


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
        assert program.wait(timeout=20) == 2
        assert program.stdout is not None
        output = program.stdout.read()
    assert says in output
    assert "Traceback" not in output


def test_port_in_use_ends_the_start_with_what_to_do(bind: str) -> None:
    with worker(LANDLORD_WORKER_BIND=bind):
        started(bind)
        with worker(LANDLORD_WORKER_BIND=bind) as second:
            assert second.wait(timeout=20) == 2
            assert second.stdout is not None
            output = second.stdout.read()
    assert f"LANDLORD_WORKER_BIND is '{bind}'" in output
    assert "stop what uses that port, or choose another address:port" in output


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
def test_idle_worker_ends_at_once(bind: str, told: signal.Signals) -> None:
    with worker(LANDLORD_WORKER_BIND=bind) as program:
        started(bind)
        program.send_signal(told)
        begun = time.monotonic()
        assert program.wait(timeout=20) == 0
        assert time.monotonic() - begun < PROMPT


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
            assert await asyncio.to_thread(program.wait, timeout=20) == 0
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
            assert await asyncio.to_thread(program.wait, timeout=20) == 0
            ledger.release("slow")
            with worker(*argv):
                assert (await work).result == "Succeeded"
    assert ledger.effects("slow") == ["one", "two", "three"]

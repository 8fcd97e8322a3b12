import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from tests.support.polling import eventually

from dev.guard import discard
from dev.paths import on_path
from dev.process import Identity, find_processes, kill, mark_of, spawn, stop, sweep

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]
DEAF = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True);"
    " time.sleep(600)",
]
HEADLESS = [
    sys.executable,
    "-c",
    "import ctypes, threading, time; threading.Thread(target=time.sleep, args=(600,)).start();"
    " ctypes.CDLL(None).pthread_exit(None)",
]
PARENT = [
    sys.executable,
    "-c",
    "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'],"
    " start_new_session=True); time.sleep(600)",
]


@pytest.fixture
def mark(tmp_path: Path) -> Iterator[str]:
    mark = mark_of(tmp_path)
    yield mark
    sweep(mark, grace=0)


def start(argv: list[str], mark: str, folder: Path) -> Identity:
    return spawn(argv, mark=mark, env={}, log=folder / "log", cwd=folder)


def test_a_stopped_process_is_gone(mark: str, tmp_path: Path) -> None:
    identity = start(SLEEP, mark, tmp_path)
    assert identity.process() is not None

    stop([identity])

    assert identity.process() is None
    stop([identity])


def test_a_process_that_ignores_sigterm_is_killed(mark: str, tmp_path: Path) -> None:
    identity = start(DEAF, mark, tmp_path)
    eventually(lambda: (tmp_path / "log").read_text())

    stop([identity], grace=0.2)

    assert identity.process() is None


def test_a_process_has_not_ended_while_one_of_its_threads_runs(mark: str, tmp_path: Path) -> None:
    identity = start(HEADLESS, mark, tmp_path)
    eventually(lambda: psutil.Process(identity.pid).status() == psutil.STATUS_ZOMBIE)
    assert identity.process() is not None

    kill(identity)

    assert identity.process() is None
    assert not psutil.pid_exists(identity.pid) or psutil.Process(identity.pid).num_threads() == 1


def test_another_process_with_the_same_number_is_left_alone(mark: str, tmp_path: Path) -> None:
    stranger = start(SLEEP, mark, tmp_path)
    recorded_earlier = Identity(stranger.pid, stranger.started - 60)

    kill(recorded_earlier)
    stop([recorded_earlier])

    assert stranger.process() is not None


def test_sweep_finds_children_in_other_sessions_without_any_record(mark: str, tmp_path: Path) -> None:
    start(PARENT, f"{mark}/part", tmp_path)
    eventually(lambda: len(find_processes(mark)) == 2)

    assert len(sweep(mark)) == 2
    assert find_processes(mark) == []


def test_sweep_leaves_other_parts_and_environments(mark: str, tmp_path: Path) -> None:
    other_part = start(SLEEP, f"{mark}/other", tmp_path)
    longer_name = start(SLEEP, f"{mark}/part2", tmp_path)

    sweep(f"{mark}/part")

    assert other_part.process() is not None
    assert longer_name.process() is not None


def test_settings_of_this_process_do_not_leak_into_parts(
    mark: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANDLORD_ENGINE", "nonsense")
    argv = [sys.executable, "-c", "import os; print(os.environ.get('LANDLORD_ENGINE', 'unset'), flush=True)"]

    spawn(
        [*argv[:2], argv[2] + "; import time; time.sleep(600)"],
        mark=mark,
        env={},
        log=tmp_path / "log",
        cwd=tmp_path,
    )

    assert eventually(lambda: (tmp_path / "log").read_text()) == "unset\n"


GUARDED = """
import sys, time
from pathlib import Path
from dev.guard import guarding
from dev.process import mark_of, spawn
state = Path(sys.argv[1])
with guarding(state) as guard:
    guard.watch("part")
    part = state / "part"
    sleeper = [sys.executable, "-c", "import time; time.sleep(600)"]
    spawn(sleeper, mark=mark_of(state) + "/part", env={}, log=part / "log", cwd=state)
    print("started", flush=True)
    if sys.argv[2] == "hang":
        time.sleep(600)
"""


def guarded_run(state: Path, how: str) -> "subprocess.Popen[str]":
    argv = [sys.executable, "-c", GUARDED, str(state), how]
    return subprocess.Popen(argv, cwd=state, env=os.environ | on_path(), stdout=subprocess.PIPE, text=True)


def test_after_sigkill_of_the_parent_the_guard_discards_its_parts(mark: str, tmp_path: Path) -> None:
    with guarded_run(tmp_path, "hang") as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "started\n"
        assert find_processes(mark)
        os.kill(parent.pid, signal.SIGKILL)

    eventually(lambda: not find_processes(mark), what="the guard ends the part")
    eventually(lambda: not (tmp_path / "part").exists(), what="the guard removes its folder")


def test_after_a_regular_end_the_guard_leaves_the_parts(mark: str, tmp_path: Path) -> None:
    with guarded_run(tmp_path, "end") as parent:
        parent.communicate(timeout=20)

    assert len(find_processes(mark)) == 1
    discard(tmp_path, "part")
    assert find_processes(mark) == []

"""Processes of one environment: started so that they are found again, stopped so that none is left.

Each carries the environment's mark in its own environment variables, and so do its children. Whoever cleans
up asks the system for the bearers of the mark: no list to keep, nothing to be out of date after a crash, and
never a stranger who got the number of a process that ended.
"""

import contextlib
import os
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from dev.failure import LocalFailure
from dev.paths import short_hash

_MARK = "LANDLORD_LOCAL_ENVIRONMENT"
_GRACE_SECONDS = 15.0
"""More than the worker gives the requests that are under way when it is told to end."""
_KILL_SECONDS = 10.0
_POLL_SECONDS = 0.05
_SAME_START_SECONDS = 0.05


def mark_of(state: Path) -> str:
    """The mark of the environment whose state folder this is. A part of it has `<mark>/<part>`."""
    return short_hash(str(state.resolve()))


def marked_environment(mark: str, extra: Mapping[str, str]) -> dict[str, str]:
    """The variables for a child: this process's without landlord's settings, the extra ones, the mark."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LANDLORD_")}
    return kept | dict(extra) | {_MARK: mark}


@dataclass(frozen=True)
class Identity:
    """A process that can't be mistaken for a later one with the same number."""

    pid: int
    started: float

    @classmethod
    def of(cls, pid: int) -> "Identity | None":
        """The identity of a running process; None if there is none."""
        try:
            return cls(pid, psutil.Process(pid).create_time())
        except psutil.NoSuchProcess:
            return None

    def process(self) -> psutil.Process | None:
        """The process, if it still runs and still is the same."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started) < _SAME_START_SECONDS
            return process if same and not _has_ended(process) else None
        except psutil.NoSuchProcess:
            return None


def spawn(argv: Sequence[str], *, mark: str, env: Mapping[str, str], log: Path, cwd: Path) -> Identity:
    """Start a program with its output in `log`, in its own session, so that Ctrl-C does not reach it."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        child = subprocess.Popen(  # noqa: S603
            argv,
            cwd=cwd,
            env=marked_environment(mark, env),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    identity = Identity.of(child.pid)
    if identity is None:
        raise LocalFailure(f"{argv[0]} ended at once: see {log}")
    # psutil reaps it; Popen would only warn that it was never waited for.
    child.returncode = 0
    return identity


def stop(identities: Iterable[Identity], *, grace: float = _GRACE_SECONDS) -> None:
    """SIGTERM to all, then SIGKILL to those that remain after `grace` seconds. Gone ones are no error."""
    _end([process for identity in identities if (process := identity.process()) is not None], grace)


def kill(identity: Identity) -> None:
    """SIGKILL, and wait until it is gone."""
    if (process := identity.process()) is not None:
        _end([process], 0.0)


class OneProcess:
    """A part of the environment that is one process. Set `identity` when it is started."""

    identity: Identity | None = None

    def running(self) -> bool:
        """Whether the process that was started still runs."""
        return self.identity is not None and self.identity.process() is not None

    def stop(self) -> None:
        """SIGTERM, and SIGKILL if that does not help."""
        if self.identity is not None:
            stop([self.identity])

    def kill(self) -> None:
        """SIGKILL."""
        if self.identity is not None:
            kill(self.identity)


def bearers(mark: str) -> list[psutil.Process]:
    """All running processes that carry the mark, or the mark of one of its parts."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):  # gone meanwhile, or somebody else's
            carried = process.environ().get(_MARK, "")
            ours = carried == mark or carried.startswith(f"{mark}/")
            if ours and process.pid != os.getpid() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def sweep(mark: str, *, grace: float = _GRACE_SECONDS) -> list[int]:
    """Stop all that carry the mark, with what they start meanwhile. Returns their numbers."""
    swept: list[int] = []
    deadline = time.monotonic() + grace + _KILL_SECONDS
    while found := bearers(mark):
        if time.monotonic() > deadline:
            raise LocalFailure(f"processes {[process.pid for process in found]} can't be stopped")
        swept += [process.pid for process in found]
        _end(found, grace)
    return swept


def _end(processes: list[psutil.Process], grace: float) -> None:
    if grace > 0:
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.terminate()
        processes = _remaining(processes, grace)
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    if alive := _remaining(processes, _KILL_SECONDS):
        raise LocalFailure(f"processes {[process.pid for process in alive]} survived SIGKILL")


def _remaining(processes: list[psutil.Process], timeout: float) -> list[psutil.Process]:
    deadline = time.monotonic() + timeout
    while processes and time.monotonic() < deadline:
        _, waited_for = psutil.wait_procs(processes, timeout=_POLL_SECONDS)
        # A process that ended stays a zombie until its parent, which may be busy, asks how it ended.
        processes = [process for process in waited_for if not _has_ended(process)]
    return processes


def _has_ended(process: psutil.Process) -> bool:
    try:
        # Its first thread may be a zombie while others still end, which hold its ports and files until then.
        return process.status() == psutil.STATUS_ZOMBIE and process.num_threads() == 1
    except psutil.NoSuchProcess:
        return True

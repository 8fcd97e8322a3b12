"""Start and stop the processes of one environment.

Each process and its children have the environment's mark in an environment variable. Cleaning up asks the
system for all processes with the mark. So there is no list that can be outdated after a crash, and no process
that happens to have the number of an earlier one is stopped.
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
"""More than the worker waits for open requests when it gets SIGTERM."""
_KILL_SECONDS = 10.0
_POLL_SECONDS = 0.05


def mark_of(state: Path) -> str:
    """The mark of the environment in this state folder. Its parts have the marks `<mark>/<part>`."""
    return short_hash(str(state.resolve()))


def marked_environment(mark: str, extra: Mapping[str, str]) -> dict[str, str]:
    """A child's variables: this process's without landlord's settings, the extra ones, and the mark."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LANDLORD_")}
    return kept | dict(extra) | {_MARK: mark}


@dataclass(frozen=True)
class Identity:
    """A process, told apart from a later one with the same number by its start time."""

    pid: int
    started: int
    """Clock ticks since the machine started, because the wall clock may be set meanwhile."""

    @classmethod
    def of(cls, pid: int) -> "Identity | None":
        """The identity of a running process; None if it does not exist."""
        try:
            return cls(pid, _read_start(pid))
        except psutil.NoSuchProcess:
            return None

    def process(self) -> psutil.Process | None:
        """The process if it is still running, or None."""
        try:
            process = psutil.Process(self.pid)
            is_same = _read_start(self.pid) == self.started
            return process if is_same and not _has_ended(process) else None
        except psutil.NoSuchProcess:
            return None


def _read_start(pid: int) -> int:
    """Field 22 of proc_pid_stat(5). Raises NoSuchProcess."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError) as error:
        raise psutil.NoSuchProcess(pid) from error
    return int(stat.rpartition(")")[2].split()[19])  # the name, in parentheses, may hold spaces


def spawn(argv: Sequence[str], *, mark: str, env: Mapping[str, str], log: Path, cwd: Path) -> Identity:
    """Start a program in its own session, which Ctrl-C does not reach, with its output in `log`."""
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
        raise LocalFailure(f"{argv[0]} ended immediately", fix=f"see {log}")
    # psutil waits for the process. Popen must not warn that it did not.
    child.returncode = 0
    return identity


def stop(identities: Iterable[Identity], *, grace: float = _GRACE_SECONDS) -> None:
    """Send SIGTERM, and SIGKILL to those that still run after `grace` seconds."""
    _end([process for identity in identities if (process := identity.process()) is not None], grace)


def kill(identity: Identity) -> None:
    """Send SIGKILL, and wait until the process has ended."""
    if (process := identity.process()) is not None:
        _end([process], 0.0)


class OneProcess:
    """A part of the environment that is one process. Subclasses set `identity` at each start."""

    identity: Identity | None = None

    def running(self) -> bool:
        """Whether the process is running."""
        return self.identity is not None and self.identity.process() is not None

    def stop(self) -> None:
        """Send SIGTERM, and SIGKILL if the process does not end."""
        if self.identity is not None:
            stop([self.identity])

    def kill(self) -> None:
        """Send SIGKILL."""
        if self.identity is not None:
            kill(self.identity)


def find_processes(mark: str) -> list[psutil.Process]:
    """All running processes with the mark, or with the mark of one of its parts."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):  # it has just ended, or belongs to another user
            value = process.environ().get(_MARK, "")
            is_ours = value == mark or value.startswith(f"{mark}/")
            if is_ours and process.pid != os.getpid() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def sweep(mark: str, *, grace: float = _GRACE_SECONDS) -> list[int]:
    """Stop all processes with the mark, including those that they start meanwhile. Returns their numbers."""
    swept: list[int] = []
    deadline = time.monotonic() + grace + _KILL_SECONDS
    while found := find_processes(mark):
        if time.monotonic() > deadline:
            raise LocalFailure(f"processes {[process.pid for process in found]} keep starting others")
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
        # A process that has ended remains a zombie until its parent waits for it.
        processes = [process for process in waited_for if not _has_ended(process)]
    return processes


def _has_ended(process: psutil.Process) -> bool:
    try:
        # While the first thread is a zombie, others can still run and hold ports and files.
        return process.status() == psutil.STATUS_ZOMBIE and process.num_threads() == 1
    except psutil.NoSuchProcess:
        return True

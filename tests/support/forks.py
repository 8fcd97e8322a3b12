"""Starts operators and workers from a process that has imported landlord once.

Each is a process of its own, as ever: only its imports, which would be most of its start, are shared. A run
starts hundreds.
"""

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Lock

from dev.paths import CHECKOUT
from dev.process import Identity, marked_environment, spawn

_INHERITED = ("PYTHONPATH", "LD_PRELOAD")
"""Settings that count only when the interpreter starts."""


class Nursery:
    """The process that the others are forked from. It ends with this one."""

    def __init__(self, mark: str) -> None:
        self._mark = mark
        self._asking = Lock()
        self._process: subprocess.Popen[str] | None = None

    def start(
        self, argv: Sequence[str], *, mark: str, env: Mapping[str, str], log: Path, cwd: Path
    ) -> Identity:
        """Start `python -m landlord …` as `dev.process.spawn` does, whose parameters these are."""
        if mark != self._mark or any(name in env for name in _INHERITED):
            return spawn(argv, mark=mark, env=env, log=log, cwd=cwd)
        environment = marked_environment(mark, env)
        log.parent.mkdir(parents=True, exist_ok=True)
        wanted = {"argv": list(argv[3:]), "env": environment, "log": str(log), "cwd": str(cwd)}
        with self._asking:
            pid = int(self._ask(json.dumps(wanted)))
        identity = Identity.of(pid)
        assert identity is not None, f"it ended at once: see {log}"
        return identity

    def end(self) -> None:
        """End it; what it has started goes on."""
        if self._process is not None:
            self._process.communicate()
            self._process = None

    def _ask(self, line: str) -> str:
        if self._process is None:
            environment = marked_environment(self._mark, {"PYTHONPATH": str(CHECKOUT)})
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__],
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        return self._process.stdout.readline()


def serve() -> None:
    """Fork a child for each line of standard input, and answer with its process number."""
    import landlord.controller.main
    import landlord.engines.restate.engine
    import landlord.worker.app  # noqa: F401 - to have it imported
    from landlord.backends.loading import load_backends

    load_backends()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the system reaps the children
    while line := sys.stdin.readline():
        pid = os.fork()
        if pid == 0:
            run(json.loads(line))
        print(pid, flush=True)


def run(wanted: dict[str, object]) -> None:
    """Become the program."""
    from landlord.cli import main

    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.chdir(str(wanted["cwd"]))
    with Path(os.devnull).open("rb") as nothing, Path(str(wanted["log"])).open("ab") as log:
        os.dup2(nothing.fileno(), 0)
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    os.environ.clear()
    assert isinstance(wanted["env"], dict)
    os.environ.update(wanted["env"])
    random.seed()
    assert isinstance(wanted["argv"], list)
    sys.argv = ["landlord", *wanted["argv"]]
    main()
    sys.exit()


if __name__ == "__main__":
    serve()

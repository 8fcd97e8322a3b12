"""The operator and the worker, run from the checkout."""

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from dev.net import LOOPBACK, status_of, wait_until
from dev.paths import CHECKOUT, short_hash
from dev.process import Identity, OneProcess, spawn

_START_SECONDS = 60.0

Launch = Callable[..., Identity]
"""Starts a process; `dev.process.spawn` has the parameters."""


class Program(OneProcess):
    """The operator or the worker with its settings. It keeps its port when it restarts."""

    def __init__(
        self,
        name: str,
        folder: Path,
        *,
        mark: str,
        port: int,
        bind: str,
        ready: str,
        settings: Mapping[str, str],
        launch: Launch = spawn,
    ) -> None:
        self.name = name
        self.url = f"http://{LOOPBACK}:{port}"
        self.log = folder / f"{name}.log"
        self.settings = dict(settings) | {bind: f"{LOOPBACK}:{port}"}
        self._folder = folder
        self._mark = mark
        self._ready = f"{self.url}{ready}"
        self._launch = launch

    def start(self, *, wait: bool = True) -> None:
        """Start it and, with `wait`, wait until it is ready."""
        self._folder.mkdir(parents=True, exist_ok=True)
        argv = [sys.executable, "-m", "landlord", self.name]
        env = {"LANDLORD_LOG_FORMAT": "json", "PYTHONUNBUFFERED": "1"} | self.settings
        self.identity = self._launch(argv, mark=self._mark, env=env, log=self.log, cwd=self._folder)
        if wait:
            self.wait_ready()

    def wait_ready(self, timeout: float = _START_SECONDS) -> None:
        """Wait until it is ready. Raises LocalFailure if it ends, or after `timeout`."""
        wait_until(self.healthy, timeout=timeout, what=f"the {self.name}", alive=self.running, log=self.log)

    def healthy(self) -> bool:
        """Whether it reports that it is ready."""
        return status_of(self._ready) == 200

    def restart(self) -> None:
        """Stop it and start it."""
        self.stop()
        self.start()

    def logs(self) -> list[dict[str, Any]]:
        """The log records of all its starts. A line that is not JSON becomes {"raw": line}."""
        if not self.log.is_file():
            return []
        return [_parse(line) for line in self.log.read_text(errors="replace").splitlines() if line]

    def fingerprint(self) -> str:
        """A hash of its settings and its code. When it changes, the program must restart."""
        code = sorted((CHECKOUT / "operator" / "landlord").rglob("*.py"))
        return short_hash(json.dumps(self.settings, sort_keys=True), *(file.read_bytes() for file in code))


def worker(
    folder: Path, *, mark: str, port: int, settings: Mapping[str, str], launch: Launch = spawn
) -> Program:
    """The worker on the loopback address."""
    return Program(
        "worker",
        folder,
        mark=mark,
        port=port,
        bind="LANDLORD_WORKER_BIND",
        ready="/healthz",
        settings=settings,
        launch=launch,
    )


def operator(
    folder: Path, *, mark: str, port: int, settings: Mapping[str, str], launch: Launch = spawn
) -> Program:
    """The operator, with its metrics and probes on the loopback address."""
    return Program(
        "operator",
        folder,
        mark=mark,
        port=port,
        bind="LANDLORD_HTTP_BIND",
        ready="/readyz",
        settings=settings,
        launch=launch,
    )


def _parse(line: str) -> dict[str, Any]:
    try:
        entry = json.loads(line)
    except ValueError:
        return {"raw": line}
    return entry if isinstance(entry, dict) else {"raw": line}

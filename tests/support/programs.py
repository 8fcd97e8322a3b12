"""landlord's programs where they are expected to end by themselves, or to wait."""

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dev.net import LOOPBACK, request
from dev.process import marked_environment
from dev.programs import Program


@dataclass(frozen=True)
class Ended:
    """How a program ended."""

    code: int
    said: str
    """On standard error."""
    printed: str
    """On standard output."""


def run(folder: Path, program: str, settings: Mapping[str, str], *args: str) -> Ended:
    """Run `landlord <program> <args>` to its end. What is not set otherwise listens on free ports."""
    anywhere = {"LANDLORD_HTTP_BIND": f"{LOOPBACK}:0", "LANDLORD_WORKER_BIND": f"{LOOPBACK}:0"}
    result = subprocess.run(
        [sys.executable, "-m", "landlord", program, *args],
        cwd=folder,
        env=marked_environment("", anywhere | dict(settings)),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return Ended(result.returncode, result.stderr, result.stdout)


def readiness(operator: Program) -> tuple[int, dict[str, Any]]:
    """Status and gates of /readyz; (0, {}) while nothing answers."""
    answer = request(f"{operator.url}/readyz")
    if answer is None:
        return 0, {}
    status, body = answer
    gates: dict[str, Any] = json.loads(body)["gates"]
    return status, gates

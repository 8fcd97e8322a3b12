"""Prometheus's own checks."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from dev.tools import program


@dataclass(frozen=True)
class Checked:
    """What promtool found."""

    passed: bool
    said: str


def promtool(*args: str | Path, given: str = "") -> Checked:
    """Run promtool with something on its standard input."""
    result = subprocess.run(
        [program("promtool"), *args], input=given, capture_output=True, text=True, timeout=60, check=False
    )
    return Checked(result.returncode == 0, result.stdout + result.stderr)

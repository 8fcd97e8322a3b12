"""The conditions of a measurement, without which its figures mean nothing."""

import json
import os
import platform
from pathlib import Path

import psutil

from dev.net import request
from landlord import __version__


def describe_conditions(apiserver: str, restate_admin_url: str) -> dict[str, str]:
    """The machine and the versions."""
    answer = request(f"{restate_admin_url}/version")
    return {
        **describe_machine(),
        "kube-apiserver": apiserver,
        "restate-server": json.loads(answer[1])["version"] if answer else "unknown",
    }


def describe_machine() -> dict[str, str]:
    """The machine, its software and its load."""
    return {
        "cpu": f"{os.cpu_count()} x {_cpu_model()}",
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "system": platform.platform(),
        "python": platform.python_version(),
        "landlord": __version__,
        "load before": " ".join(f"{load:.1f}" for load in os.getloadavg()),
    }


def _cpu_model() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.machine())

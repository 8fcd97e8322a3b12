"""CPU and memory of all measured processes, and CPU of the rest of the machine."""

import os
from collections.abc import Callable, Mapping

import psutil

OTHERS = "others"
"""CPU of everything else on the machine. Times mean little unless it is close to zero."""

Find = Callable[[], psutil.Process | None]


def find(pid: int) -> Find:
    """A function that returns the process with this number while it runs."""
    return lambda: psutil.Process(pid) if psutil.pid_exists(pid) else None


class Processes:
    """Processes by name. Each is looked up every time, because some restart."""

    def __init__(self, finders: Mapping[str, Find]) -> None:
        self._finders = {"bench": find(os.getpid()), **finders}

    def cpu(self) -> dict[str, float]:
        """CPU seconds so far."""
        seconds = {name: _cpu(process) for name, process in self._running().items()}
        return seconds | {OTHERS: _machine() - sum(seconds.values())}

    def rss(self) -> dict[str, int]:
        """Bytes of resident memory now."""
        return {name: process.memory_info().rss for name, process in self._running().items()}

    def _running(self) -> dict[str, psutil.Process]:
        found = {name: finder() for name, finder in self._finders.items()}
        return {name: process for name, process in found.items() if process is not None}


def growth(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """By how much each figure grew. A figure that did not exist before counts from zero."""
    return {name: value - before.get(name, 0.0) for name, value in after.items()}


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _machine() -> float:
    times = psutil.cpu_times()
    # user contains guest
    return float(times.user + times.nice + times.system + times.irq + times.softirq + times.steal)

"""Restart the operator with thousands of settled Tenants."""

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path

from bench import manifests
from bench.processes import growth
from bench.suite import Suite
from bench.system import MEASURED
from dev.net import wait_until
from landlord.controller.tell.sweep import GOOD_NEWS_SECONDS

_AT_ONCE = 64
_LONGEST_START = 120.0
_SWEEP_SECONDS = 5.0
"""More than a sweep needs if every Tenant already reports the registration."""


@dataclass(frozen=True)
class Restart:
    """One start of the operator."""

    tenants: int
    ready_seconds: float
    """Seconds from the start of the process until it is ready, because it has read all Tenants."""
    reconciled_seconds: float
    """Seconds from the start of the process until it has reconciled all Tenants."""
    cpu_seconds: float
    """CPU of the operator until then."""
    apiserver_cpu_seconds: float
    rss: int
    peak_rss: int
    """Resident bytes of the operator: `rss` then, `peak_rss` at most until then."""
    writes: float
    """Writes to the API server, until a sweep has checked that every Tenant reports the registration."""


async def settle(suite: Suite, tenants: int) -> None:
    """Create settled Tenants without the operator, which would need much longer."""
    await asyncio.to_thread(suite.system.operator.stop)
    # The worker does not have them, so the operator would create all of them again after a survey.
    suite.system.operator.settings["LANDLORD_SURVEY_SECONDS"] = "86400"
    slots = asyncio.Semaphore(_AT_ONCE)

    async def one(name: str) -> None:
        async with slots:
            created = await suite.api.create(MEASURED, manifests.memory(name))
            held = await suite.api.add_finalizer(MEASURED, name, created["metadata"]["resourceVersion"])
            await suite.api.apply_status(MEASURED, name, suite.sample.status(held, MEASURED))

    async with asyncio.TaskGroup() as group:
        for name in suite.new_names(tenants):
            group.create_task(one(name))


async def restart(suite: Suite) -> Restart:
    """Restart the operator, and measure until it has nothing left to do."""
    system, operator = suite.system, suite.system.operator
    await asyncio.to_thread(operator.stop)
    tenants = await suite.api.count(MEASURED)
    cpu, began = suite.load.processes.cpu(), time.perf_counter()
    operator.start(wait=False)
    await asyncio.to_thread(operator.wait_ready, _LONGEST_START)
    ready = time.perf_counter() - began
    await asyncio.to_thread(_until_reconciled, suite, tenants, _LONGEST_START)
    reconciled = time.perf_counter() - began
    spent = growth(cpu, suite.load.processes.cpu())
    rss, peak = suite.load.processes.rss()["operator"], _peak(system.operator_pid())
    await asyncio.sleep(GOOD_NEWS_SECONDS + _SWEEP_SECONDS)
    return Restart(
        tenants=tenants,
        ready_seconds=ready,
        reconciled_seconds=reconciled,
        cpu_seconds=spent["operator"],
        apiserver_cpu_seconds=spent["kube-apiserver"],
        rss=rss,
        peak_rss=peak,
        writes=_sum(system.counters(), "landlord_kubernetes_writes"),
    )


def _until_reconciled(suite: Suite, times: int, seconds: float) -> None:
    system, operator = suite.system, suite.system.operator

    def done() -> bool:
        return _sum(system.counters(), "landlord_reconcile") >= times

    what = f"the operator that reconciles {times} Tenants"
    wait_until(done, timeout=seconds, what=what, alive=operator.running, log=operator.log)


def _sum(counters: dict[str, float], name: str) -> float:
    return sum(value for key, value in counters.items() if key.startswith(name))


def _peak(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024

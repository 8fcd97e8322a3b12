"""`python -m bench.clusters`: what a survey of thousands of tenants on Kubernetes costs.

The kubernetes backend creates the tenants, with all their objects, on a real API server. They have no pods,
because a survey does not read pods, and thousands of them would slow the machine. The floor is the same
lists, each as a single page that is not decoded.
"""

import asyncio
import json
import os
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlencode

import click
import psutil

from bench.api import TenantApi, connecting
from bench.conditions import describe_machine
from bench.stats import percentile
from bench.system import disposing
from dev.cluster import ControlPlane
from dev.failure import LocalFailure
from dev.paths import CHECKOUT
from dev.process import find_processes
from dev.progress import say, timing
from landlord.api import names
from landlord.api.request import Desired
from landlord.api.workload import Container, Port, Workload
from landlord.backends.cluster import kinds
from landlord.backends.kubernetes import ownership
from landlord.backends.kubernetes.backend import KubernetesBackend
from landlord.backends.kubernetes.observed import record
from landlord.errors import StepError
from landlord.kubernetes_api import JSON, METADATA_LIST

_PART = "clusters"
_AT_ONCE = 16
_TRIES = 5


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option("--tenants", type=click.IntRange(min=1), default=2000, show_default=True)
@click.option("--rounds", type=click.IntRange(min=1), default=10, show_default=True)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default=CHECKOUT / ".landlord" / "bench-clusters.json",
    help="Where to write the figures as JSON.",
)
def main(tenants: int, rounds: int, output: Path) -> None:
    """Measure surveys of tenants on Kubernetes."""
    with _running_control_plane() as control_plane:
        os.environ["KUBECONFIG"] = str(control_plane.kubeconfig)
        figures = asyncio.run(_measure(control_plane, tenants, rounds))
    say("\n" + "\n".join(f"{name}: {value}" for name, value in figures.items()))
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(figures, indent=1))


@contextmanager
def _running_control_plane() -> Iterator[ControlPlane]:
    """A control plane without a controller-manager, so that no Deployment gets pods."""
    with disposing(_PART) as (state, mark):
        control_plane = ControlPlane(state / _PART, mark=mark)
        with timing("starting the control plane"):
            control_plane.start()
        for process in find_processes(mark):
            if process.name() == "kube-controller-manager":
                process.kill()
        yield control_plane


async def _measure(control_plane: ControlPlane, tenants: int, rounds: int) -> dict[str, object]:
    async with AsyncExitStack() as cleanup:
        api = await cleanup.enter_async_context(connecting(control_plane.kubeconfig))
        cleanup.push_async_callback((backend := KubernetesBackend()).close)
        said: dict[str, object] = {
            **describe_machine(),
            "kube-apiserver": await api.read_version(),
            "tenants": tenants,
        }
        with timing(f"creating {tenants} tenants"):
            began = time.perf_counter()
            await _create(backend, tenants)
            said["seconds to create them"] = round(time.perf_counter() - began, 1)
        floors: list[float] = []
        surveys: list[float] = []
        spent = 0.0
        for _ in range(rounds):
            began = time.perf_counter()
            await _read_lists(api)
            floors.append(time.perf_counter() - began)
            began, cpu = time.perf_counter(), psutil.Process().cpu_times()
            seen = await backend.survey()
            surveys.append(time.perf_counter() - began)
            now = psutil.Process().cpu_times()
            spent += now.user + now.system - cpu.user - cpu.system
            if len(seen) != tenants:
                raise LocalFailure(f"the survey returned {len(seen)} of {tenants} tenants")
    return said | {
        "survey p50 s": percentile(surveys, 50),
        "survey max s": max(surveys),
        "floor p50 s": percentile(floors, 50),
        "ratio": percentile(surveys, 50) / percentile(floors, 50),
        "CPU s of the worker each": spent / rounds,
        "MB of this process": psutil.Process().memory_info().rss / 1e6,
        "load after": " ".join(f"{load:.1f}" for load in os.getloadavg()),
    }


async def _create(backend: KubernetesBackend, tenants: int) -> None:
    slots = asyncio.Semaphore(_AT_ONCE)

    async def one(number: int) -> None:
        async with slots:
            for each in backend.apply(_desired(number))[:-1]:  # the last step waits for pods
                for left in reversed(range(_TRIES)):
                    try:
                        await each.run()
                        break
                    except StepError:
                        if not left:
                            raise

    async with asyncio.TaskGroup() as group:
        for number in range(tenants):
            group.create_task(one(number))


def _desired(number: int) -> Desired:
    http = Port(name="http", container_port=8080, app_protocol="http")
    web = Container(name="web", image="web:1", ports=(http,))
    return Desired(tenant_id=f"tenant-{number:05}", workload=Workload(containers=(web,)))


async def _read_lists(api: TenantApi) -> None:
    ours = ownership.build_selector({names.LABEL_MANAGED_BY: names.MANAGED_BY})
    named = {"labelSelector": ours, "fieldSelector": f"metadata.name={names.OBJECT_NAME}"}
    for kind in (kinds.NAMESPACE, *kinds.CREATED):
        query = {"labelSelector": ours} if kind is kinds.NAMESPACE else named
        accept = JSON if kind in (kinds.DEPLOYMENT, *record.LISTED_IN_FULL) else METADATA_LIST
        await api.read(f"{kind.path(None)}?{urlencode(query)}", accept)


if __name__ == "__main__":
    main()

"""`python -m bench.survey`: what the operator's surveys of thousands of settled tenants cost.

The operator's survey runs in this process, with Tenants that exist only in its cache. It finds no
differences, so the rest of the operator and the cluster are not involved. Restate and the worker are real.
"""

import asyncio
import json
import os
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import psutil

from bench import manifests
from bench.api import connecting
from bench.conditions import describe_conditions
from bench.many_tenants import MANY_TENANTS, ManyTenantsBackend, name_of
from bench.processes import OTHERS, Processes, growth
from bench.system import MEASURED, System, running_system
from dev.failure import LocalFailure
from dev.paths import CHECKOUT
from dev.plugin import write_plugin
from dev.progress import say, timing
from landlord.api.request import Request
from landlord.api.schema import JsonObject
from landlord.api.survey import Seen, Survey
from landlord.api.tenant import Key
from landlord.controller.watch.cache import Cache
from landlord.controller.watch.surveyor import Surveyor
from landlord.engines.contract import Progress, Registration
from landlord.engines.restate.clients import Clients
from landlord.engines.restate.engine import RestateEngine

PATTERN = "pattern"
PARTS = ("bench", "worker", "restate-server", OTHERS)
_TRIES = 300


class _SilentListener:
    """Ignores the engine's notifications."""

    def registration_changed(self, registration: Registration) -> None:
        """Do nothing, because the benchmark polls."""

    def progressed(self, request: Request, progress: Progress) -> None:
        """Do nothing, because there is no work."""


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option("--tenants", type=click.IntRange(min=1), default=10_000, show_default=True)
@click.option(
    "--every", type=click.FloatRange(min=0.1), default=1.0, show_default=True, help="Seconds between surveys."
)
@click.option(
    "--seconds", type=click.FloatRange(min=1), default=60.0, show_default=True, help="Duration in seconds."
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default=CHECKOUT / ".landlord" / "bench-survey.json",
    help="Where to write the figures as JSON.",
)
def main(tenants: int, every: float, seconds: float, output: Path) -> None:
    """Measure surveys of settled Tenants, at a much higher rate than usual."""
    with TemporaryDirectory(prefix="landlord-many-") as name:
        settings = write_plugin(Path(name), ManyTenantsBackend) | {
            MANY_TENANTS: str(tenants),
            "LANDLORD_DEFAULT_BACKEND": ManyTenantsBackend.name,
        }
        with running_system(ManyTenantsBackend.name, settings) as system:
            figures = asyncio.run(_measure(system, tenants, every, seconds))
    say("\n" + "\n".join(f"{name}: {value}" for name, value in figures.items()))
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(figures, indent=1))


async def _measure(system: System, tenants: int, every: float, seconds: float) -> dict[str, object]:
    async with connecting(system.control_plane.kubeconfig) as api:
        said: dict[str, object] = dict(
            describe_conditions(await api.read_version(), system.restate.admin_url)
        )
        await api.create(MEASURED, manifests.memory(PATTERN))
        for _ in range(_TRIES):
            made = await api.get(MEASURED, PATTERN)
            if made.get("status", {}).get("phase") == "Ready":
                break
            await asyncio.sleep(0.1)
        else:
            raise LocalFailure(f"the first Tenant did not become Ready: {made.get('status')}")
    await asyncio.to_thread(system.operator.stop)
    engine = RestateEngine(Clients(system.restate.admin_url, system.restate.ingress_url, system.worker.url))
    serving = asyncio.create_task(engine.serve(_SilentListener()))
    while not engine.registration.ready:  # noqa: ASYNC110 - only this benchmark waits for it
        await asyncio.sleep(0.05)
    rss = psutil.Process().memory_info().rss
    cache = _fill_cache(made, tenants)
    said |= {"tenants": tenants, "MB of the cache": (psutil.Process().memory_info().rss - rss) / 1e6}
    began = time.perf_counter()
    seen = await engine.survey(ManyTenantsBackend.name)
    said |= {"seconds of one": time.perf_counter() - began, "bytes of one": _size(seen)}
    with timing(f"a survey every {every:g} s"):
        said |= await _cost(system, engine, cache, every, seconds)
    serving.cancel()
    await engine.close()
    return said | {"load after": " ".join(f"{load:.1f}" for load in os.getloadavg())}


async def _cost(
    system: System, engine: RestateEngine, cache: Cache, every: float, seconds: float
) -> dict[str, object]:
    added: list[Key] = []
    made: list[int] = []

    async def look(provider: str) -> Mapping[str, Seen]:
        seen = await engine.survey(provider)
        made.append(len(seen))
        return seen

    surveyor = Surveyor(
        cache=cache,
        survey=look,
        inspect=_inspect,
        is_at_work=lambda _: False,
        add=added.append,
        interval=every,
        clock=lambda: datetime.now(UTC),
    )
    processes: Processes = system.processes()
    cpu, stored = processes.cpu(), _stored(system)
    task = asyncio.create_task(surveyor.run())
    await asyncio.sleep(seconds)
    task.cancel()
    number = max(1, len(made))
    spent = growth(cpu, processes.cpu())
    return {
        "surveys": len(made),
        "worked on": len(added),
        **{f"CPU ms of {part} each": 1000 * spent[part] / number for part in PARTS},
        "kB stored each": (_stored(system) - stored) / 1000 / number,
        "MB of this process": psutil.Process().memory_info().rss / 1e6,
    }


async def _inspect(_: Key) -> Sequence[str]:
    return ()


def _fill_cache(made: JsonObject, tenants: int) -> Cache:
    cache, pattern = Cache(), json.dumps(made)
    for number in range(tenants):
        body = json.loads(pattern.replace(PATTERN, name_of(number)))
        body["metadata"]["uid"] = name_of(number)
        cache.put(body)
    return cache


def _size(seen: Mapping[str, Seen]) -> int:
    return len(Survey(tenants=dict(seen)).model_dump_json(exclude_defaults=True))


def _stored(system: System) -> int:
    folder = system.restate.log.parent / "data"
    return sum(file.stat().st_blocks * 512 for file in folder.rglob("*") if file.is_file())


if __name__ == "__main__":
    main()

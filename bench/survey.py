"""`python -m bench.survey`: what it costs to look at thousands of tenants that run on undisturbed.

The operator's part runs in this process, on Tenants that only its cache has: none of them is worked on, so
nothing else of the operator and of the cluster has any part in it. Restate and the worker are real.
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
from bench.api import connected
from bench.conditions import conditions
from bench.crowd import CROWD, CrowdBackend, name_of
from bench.processes import OTHERS, Processes, grown
from bench.system import MEASURED, System, running_system
from dev.failure import LocalFailure
from dev.paths import CHECKOUT
from dev.plugin import plugged_in
from dev.progress import say, step
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


class _Nobody:
    """Hears what the engine tells."""

    def registration_changed(self, registration: Registration) -> None:
        """Asked for instead."""

    def progressed(self, request: Request, progress: Progress) -> None:
        """Nothing is under way."""


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option("--tenants", type=click.IntRange(min=1), default=10_000, show_default=True)
@click.option("--every", type=click.FloatRange(min=0.1), default=1.0, show_default=True, help="Seconds.")
@click.option("--seconds", type=click.FloatRange(min=1), default=60.0, show_default=True, help="How long.")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default=CHECKOUT / ".landlord" / "bench-survey.json",
    help="Where the figures go as JSON.",
)
def main(tenants: int, every: float, seconds: float, output: Path) -> None:
    """Look at settled Tenants much more often than usual."""
    with TemporaryDirectory(prefix="landlord-crowd-") as name:
        settings = plugged_in(Path(name), CrowdBackend) | {
            CROWD: str(tenants),
            "LANDLORD_DEFAULT_BACKEND": CrowdBackend.name,
        }
        with running_system(CrowdBackend.name, settings) as system:
            figures = asyncio.run(_measure(system, tenants, every, seconds))
    say("\n" + "\n".join(f"{name}: {value}" for name, value in figures.items()))
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(figures, indent=1))


async def _measure(system: System, tenants: int, every: float, seconds: float) -> dict[str, object]:
    async with connected(system.control_plane.kubeconfig) as api:
        said: dict[str, object] = dict(conditions(await api.version(), system.restate.admin_url))
        await api.create(MEASURED, manifests.memory(PATTERN))
        for _ in range(_TRIES):
            made = await api.get(MEASURED, PATTERN)
            if made.get("status", {}).get("phase") == "Ready":
                break
            await asyncio.sleep(0.1)
        else:
            raise LocalFailure(f"the first Tenant does not become Ready: {made.get('status')}")
    await asyncio.to_thread(system.operator.stop)
    engine = RestateEngine(Clients(system.restate.admin_url, system.restate.ingress_url, system.worker.url))
    serving = asyncio.create_task(engine.serve(_Nobody()))
    while not engine.registration.ready:  # noqa: ASYNC110 - the engine tells of it, but only here it is waited for
        await asyncio.sleep(0.05)
    rss = psutil.Process().memory_info().rss
    cache = _filled(made, tenants)
    said |= {"tenants": tenants, "MB of the cache": (psutil.Process().memory_info().rss - rss) / 1e6}
    began = time.perf_counter()
    seen = await engine.survey(CrowdBackend.name)
    said |= {"seconds of one": time.perf_counter() - began, "bytes of one": _size(seen)}
    with step(f"a survey every {every:g} s"):
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
    spent = grown(cpu, processes.cpu())
    return {
        "surveys": len(made),
        "worked on": len(added),
        **{f"CPU ms of {part} each": 1000 * spent[part] / number for part in PARTS},
        "kB stored each": (_stored(system) - stored) / 1000 / number,
        "MB of this process": psutil.Process().memory_info().rss / 1e6,
    }


async def _inspect(_: Key) -> Sequence[str]:
    return ()


def _filled(made: JsonObject, tenants: int) -> Cache:
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

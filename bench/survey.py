"""`python -m bench.survey`: what it costs to look at thousands of tenants that run on undisturbed."""

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import aiohttp
import click

from bench import manifests
from bench.api import Api, connected
from bench.conditions import conditions
from bench.crowd import CROWD, CrowdBackend, name_of
from bench.metrics import metrics
from bench.processes import OTHERS, grown
from bench.system import MEASURED, System, running_system
from landlord.api.names import SURVEY_SERVICE
from landlord.dev.failure import LocalFailure
from landlord.dev.paths import CHECKOUT
from landlord.dev.plugin import plugged_in
from landlord.dev.progress import say, step

PATTERN = "pattern"
NEVER = "86400"
PARTS = ("operator", "worker", "restate-server", "kube-apiserver", OTHERS)
_AT_ONCE = 32
_START_TRIES = 300
_REST_SECONDS = 15.0
"""After a start, for the operator to have seen and told everybody."""


@dataclass(frozen=True)
class Cost:
    """What all took while landlord looked so often."""

    surveys: float
    seconds: float
    cpu: dict[str, float]
    """Seconds, by process."""
    rss: dict[str, int]
    writes: float
    reconciled: float
    survey_seconds: float
    """All surveys together."""
    stored: int
    """Bytes by which Restate's data has grown."""


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option("--tenants", type=click.IntRange(min=1), default=10_000, show_default=True)
@click.option("--every", type=click.FloatRange(min=0.1), default=2.0, show_default=True, help="Seconds.")
@click.option("--seconds", type=click.FloatRange(min=1), default=120.0, show_default=True, help="How long.")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default=CHECKOUT / ".landlord" / "bench-survey.json",
    help="Where the figures go as JSON.",
)
def main(tenants: int, every: float, seconds: float, output: Path) -> None:
    """Look at settled Tenants much more often than usual, and not at all, and compare."""
    with TemporaryDirectory(prefix="landlord-crowd-") as name:
        settings = plugged_in(Path(name), CrowdBackend) | {
            CROWD: str(tenants),
            "LANDLORD_DEFAULT_BACKEND": CrowdBackend.name,
            "LANDLORD_SURVEY_SECONDS": NEVER,
        }
        with running_system(CrowdBackend.name, settings) as system:
            figures = asyncio.run(_measure(system, tenants, every, seconds))
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(figures, indent=1))
    say(f"\nAll figures: {output}")


async def _measure(system: System, tenants: int, every: float, seconds: float) -> dict[str, object]:
    async with connected(system.control_plane.kubeconfig) as api:
        said = conditions(await api.version(), system.restate.admin_url)
        with step(f"{tenants} settled Tenants"):
            await _settle(system, api, tenants)
    with step("without surveys"):
        without = await _cost(system, NEVER, seconds)
    with step(f"with a survey every {every:g} s"):
        cost = await _cost(system, f"{every:g}", seconds)
    size, took = await _one(system)
    say("\n" + "\n".join(f"{name}: {value}" for name, value in said.items()))
    say(f"\n{tenants} tenants: {size / 1000:.0f} kB, {took:.3f} s alone; {cost.surveys:.0f} surveys took")
    say(f"{cost.survey_seconds / max(1, cost.surveys):.3f} s each, and of CPU each, in ms:")
    for part in PARTS:
        more = cost.cpu[part] / cost.seconds - without.cpu[part] / without.seconds
        say(f"  {part}: {1000 * more * cost.seconds / max(1, cost.surveys):.0f}")
    say(f"RSS in MB: {_megabytes(without.rss)} without, {_megabytes(cost.rss)} with")
    say(f"writes: {cost.writes:.0f}, reconciled: {cost.reconciled:.0f}, stored: {cost.stored / 1e6:.1f} MB")
    return {"conditions": said, "bytes": size, "without": asdict(without), "with": asdict(cost)}


async def _settle(system: System, api: Api, tenants: int) -> None:
    await api.create(MEASURED, manifests.memory(PATTERN))
    for _ in range(_START_TRIES):
        made = await api.get(MEASURED, PATTERN)
        if made.get("status", {}).get("phase") == "Ready":
            break
        await asyncio.sleep(0.1)
    else:
        raise LocalFailure(f"the first Tenant does not become Ready: {made['status']}")
    await asyncio.to_thread(system.operator.stop)
    sample, slots = manifests.Sample(made), asyncio.Semaphore(_AT_ONCE)

    async def one(name: str) -> None:
        async with slots:
            created = await api.create(MEASURED, manifests.memory(name))
            held = await api.hold(MEASURED, name, created["metadata"]["resourceVersion"])
            await api.apply_status(MEASURED, name, sample.status(held, MEASURED))

    async with asyncio.TaskGroup() as group:
        for number in range(tenants):
            group.create_task(one(name_of(number)))


async def _cost(system: System, every: str, seconds: float) -> Cost:
    await asyncio.to_thread(system.operator.stop)
    system.operator.settings["LANDLORD_SURVEY_SECONDS"] = every
    await asyncio.to_thread(system.operator.start)
    await asyncio.sleep(_REST_SECONDS)
    processes = system.processes()
    before, cpu, stored = await _counted(system), processes.cpu(), _stored(system)
    began = time.perf_counter()
    await asyncio.sleep(seconds)
    spent, after = grown(cpu, processes.cpu()), await _counted(system)
    more = grown(before, after)
    return Cost(
        surveys=_sum(more, "landlord_surveys_total{ok"),
        seconds=time.perf_counter() - began,
        cpu=spent,
        rss=processes.rss(),
        writes=_sum(more, "landlord_kubernetes_writes_total"),
        reconciled=_sum(more, "landlord_reconcile_total"),
        survey_seconds=_sum(more, "landlord_survey_seconds_sum"),
        stored=_stored(system) - stored,
    )


async def _counted(system: System) -> dict[str, float]:
    return await asyncio.to_thread(metrics, system.operator.url)


async def _one(system: System) -> tuple[int, float]:
    """Bytes of one answer, and the seconds that it takes."""
    began = time.perf_counter()
    url = f"{system.restate.ingress_url}/{SURVEY_SERVICE}/survey"
    asked = {"provider": CrowdBackend.name}
    async with aiohttp.ClientSession() as session, session.post(url, json=asked) as answer:
        return len(await answer.read()), time.perf_counter() - began


def _stored(system: System) -> int:
    folder = system.restate.log.parent / "data"
    return sum(file.stat().st_blocks * 512 for file in folder.rglob("*") if file.is_file())


def _sum(counted: Mapping[str, float], prefix: str) -> float:
    return sum(value for name, value in counted.items() if name.startswith(prefix))


def _megabytes(rss: Mapping[str, int]) -> str:
    return ", ".join(f"{part} {rss[part] / 1e6:.0f}" for part in PARTS if part in rss)


if __name__ == "__main__":
    main()

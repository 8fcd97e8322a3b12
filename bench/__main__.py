"""`python -m bench`: starts the real parts, measures, prints tables and writes JSON."""

import asyncio
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from bench import report
from bench.conditions import describe_conditions
from bench.restart import restart, settle
from bench.stats import Comparison
from bench.suite import warm_suite
from bench.system import System, running_system
from dev.docker import engine, ensure_web_image
from dev.paths import CHECKOUT
from dev.progress import say, step

RESTARTS = 3


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option("--one-by-one", default=100, show_default=True, help="Memory Tenants, one after the other.")
@click.option(
    "--at-once", default=(200, 1000), show_default=True, multiple=True, help="Memory Tenants together; again."
)
@click.option("--docker", default=20, show_default=True, help="Docker Tenants together; 0 without an engine.")
@click.option("--rounds", default=3, show_default=True, help="How often each number at once is measured.")
@click.option("--settled", default=0, show_default=True, help="Restart with so many settled Tenants.")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default=CHECKOUT / ".landlord" / "bench.json",
    help="Where the figures go as JSON.",
)
def main(
    one_by_one: int, at_once: tuple[int, ...], docker: int, rounds: int, settled: int, output: Path
) -> None:
    """Measure landlord beside its floor: the same writes and calls, made by a client in the same run."""
    docker = docker if docker and _docker_answers() else 0
    with running_system("memory,docker" if docker else "memory") as system:
        figures = asyncio.run(_measure(system, one_by_one, at_once, docker, rounds, settled))
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(figures, indent=1))
    say(f"\nAll figures: {output}")


async def _measure(
    system: System, one_by_one: int, at_once: tuple[int, ...], docker: int, rounds: int, settled: int
) -> dict[str, Any]:
    found: list[Comparison] = []
    restarted = []
    async with warm_suite(system) as suite:
        said = describe_conditions(await suite.api.read_version(), system.restate.admin_url)
        if one_by_one:
            with step(f"{one_by_one} Tenants one by one"):
                found.append(await suite.one_by_one(one_by_one))
        for tenants in at_once:
            with step(f"{tenants} Tenants at once"):
                found.append(await suite.at_once(tenants, rounds))
        if docker:
            with step(f"{docker} Docker Tenants at once"):
                found.append(await suite.docker(docker, rounds))
        if settled:
            with step(f"making {settled} settled Tenants"):
                await settle(suite, settled)
            for number in range(1, RESTARTS + 1):
                with step(f"restarting the operator, {number} of {RESTARTS}"):
                    restarted.append(await restart(suite))
    say("\n" + "\n".join(f"{name}: {value}" for name, value in said.items()))
    say("\n" + report.format_tables(found))
    if restarted:
        say("\n" + report.format_restarts(restarted))
    return {
        "conditions": said,
        "comparisons": [asdict(each) | {"ratio": each.ratio} for each in found],
        "restarts": [asdict(each) for each in restarted],
    }


def _docker_answers() -> bool:
    client = engine()
    if client is None:
        say("no Docker engine answers: nothing is measured on Docker")
        return False
    ensure_web_image(client)
    client.close()
    return True


if __name__ == "__main__":
    main()

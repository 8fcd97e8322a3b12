"""`python -m bench`: start the real parts, measure, print tables and write the figures as JSON."""

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
from bench.suite import warming_suite
from bench.system import System, running_system
from dev.docker import ensure_web_image, find_engine
from dev.paths import CHECKOUT
from dev.progress import say, timing

RESTARTS = 3


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option(
    "--one-by-one", default=100, show_default=True, help="Tenants on the memory backend, one after another."
)
@click.option(
    "--at-once",
    default=(200, 1000),
    show_default=True,
    multiple=True,
    help="Tenants on the memory backend at the same time. Can be repeated.",
)
@click.option(
    "--docker",
    default=20,
    show_default=True,
    help="Tenants on Docker at the same time, if an engine answers.",
)
@click.option(
    "--rounds", default=3, show_default=True, help="How often to measure each number of Tenants at once."
)
@click.option(
    "--settled", default=0, show_default=True, help="Restart the operator with this many settled Tenants."
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default=CHECKOUT / ".landlord" / "bench.json",
    help="Where to write the figures as JSON.",
)
def main(
    one_by_one: int, at_once: tuple[int, ...], docker: int, rounds: int, settled: int, output: Path
) -> None:
    """Measure landlord beside its floor, a client that makes the same writes and calls in the same run."""
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
    async with warming_suite(system) as suite:
        said = describe_conditions(await suite.api.read_version(), system.restate.admin_url)
        if one_by_one:
            with timing(f"{one_by_one} Tenants one by one"):
                found.append(await suite.one_by_one(one_by_one))
        for tenants in at_once:
            with timing(f"{tenants} Tenants at once"):
                found.append(await suite.at_once(tenants, rounds))
        if docker:
            with timing(f"{docker} Docker Tenants at once"):
                found.append(await suite.docker(docker, rounds))
        if settled:
            with timing(f"creating {settled} settled Tenants"):
                await settle(suite, settled)
            for number in range(1, RESTARTS + 1):
                with timing(f"restarting the operator, {number} of {RESTARTS}"):
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
    client = find_engine()
    if client is None:
        say("No Docker engine answers. Docker is not measured.")
        return False
    ensure_web_image(client)
    client.close()
    return True


if __name__ == "__main__":
    main()

"""`python -m bench.registration`: how fast landlord repairs a lost registration, and whether work is lost."""

import asyncio
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from bench import repairs
from bench.api import connecting
from bench.conditions import describe_conditions
from bench.floor import repair_without_operator
from bench.ledger import LEDGER, Ledger, LedgerBackend, count_duplicates
from bench.metrics import read_metrics
from bench.repairs import Figures
from bench.store_loss import running_rounds
from bench.system import System, running_system
from dev.paths import CHECKOUT
from dev.plugin import write_plugin
from dev.progress import say, timing

TRAILING_SECONDS = 3.0
"""Enough for work that must not continue to show."""
FLOOR_ROUNDS = 20
_LOST = "landlord_registration_lost_total"


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option(
    "--rounds",
    type=click.IntRange(min=1),
    default=50,
    show_default=True,
    help="How often to delete Restate's store.",
)
@click.option(
    "--tenants", type=click.IntRange(min=1), default=100, show_default=True, help="Number of Tenants."
)
@click.option(
    "--in-flight",
    type=click.IntRange(min=2),
    default=10,
    show_default=True,
    help="Tenants that are new or changed in each round.",
)
@click.option(
    "--work",
    type=(float, float),
    default=(1.0, 2.0),
    show_default=True,
    help="The least and the most seconds of the work on one Tenant.",
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default=CHECKOUT / ".landlord" / "bench-registration.json",
    help="Where to write the figures as JSON.",
)
def main(rounds: int, tenants: int, in_flight: int, work: tuple[float, float], output: Path) -> None:
    """Repeatedly kill Restate and delete its store, while the operator runs and work is in flight.

    The exit code is 1 if landlord created a resource twice, lost work, touched a settled Tenant, or did not
    count a loss.
    """
    if tenants < 2 * in_flight:
        raise click.UsageError(f"--tenants {tenants} must be at least twice --in-flight")
    with TemporaryDirectory(prefix="landlord-ledger-") as name:
        folder = Path(name)
        plugin = write_plugin(folder / "plugin", LedgerBackend)
        (entries := folder / "entries").mkdir()
        with running_system("memory,ledger", plugin | {LEDGER: str(entries)}) as system:
            said, figures = asyncio.run(_measure(system, Ledger(entries), rounds, tenants, in_flight, work))
    say("\n" + "\n".join(f"{name}: {value}" for name, value in said.items()))
    say("\n" + repairs.format_tables(figures))
    output.parent.mkdir(parents=True, exist_ok=True)
    found = {"conditions": said, "summary": repairs.summarize(figures), "faults": figures.faults}
    output.write_text(json.dumps(found | asdict(figures), indent=1))
    say(f"\nAll figures: {output}")
    if figures.faults:
        sys.exit(f"Faults: {'; '.join(figures.faults)}")


async def _measure(
    system: System, ledger: Ledger, rounds: int, tenants: int, in_flight: int, work: tuple[float, float]
) -> tuple[dict[str, str], Figures]:
    async with connecting(system.control_plane.kubeconfig) as api:
        said = describe_conditions(await api.read_version(), system.restate.admin_url)
    found = []
    async with running_rounds(system, ledger, in_flight=in_flight, work=work) as run:
        with timing(f"creating {tenants} settled Tenants"):
            sample = await run.settle(tenants)
        with timing(f"killing Restate and deleting its store {rounds} times"):
            for number in range(1, rounds + 1):
                found.append(await run.round())
                _print_round(number, found[-1])
        await asyncio.sleep(TRAILING_SECONDS)
        others = run.others
    counted = await asyncio.to_thread(read_metrics, system.operator.url)
    made_again = {name: count_duplicates(ledger.entries(name)) for name in ledger.tenants()}
    await asyncio.to_thread(system.operator.stop)
    with timing("the same without an operator"):
        floor = [
            await repair_without_operator(system, ledger, sample, in_flight)
            for _ in range(min(rounds, FLOOR_ROUNDS))
        ]
    said |= {"load after": " ".join(f"{load:.1f}" for load in os.getloadavg())}
    return said, Figures(
        tenants=tenants,
        in_flight=in_flight,
        work=work,
        repairs=found,
        duplicates={name: number for name, number in made_again.items() if number},
        losses={
            name.removeprefix(f"{_LOST}{{").removesuffix("}"): number
            for name, number in counted.items()
            if name.startswith(f"{_LOST}{{")
        },
        floor=floor,
        others=others,
    )


def _print_round(number: int, repair: repairs.Repair) -> None:
    wrong = "".join(
        f", {what}: {' '.join(names)}"
        for what, names in {"not Ready": repair.not_ready, "disturbed": repair.disturbed}.items()
        if names
    )
    say(
        f"  {number}: verified after {repair.verified:.3f} s, {repair.in_flight} in flight Ready after "
        f"{repair.ready:.3f} s{wrong}"
    )


if __name__ == "__main__":
    main()

"""What losing Restate's store amounts to. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter

from bench.stats import percentile
from bench.tables import format_table

_STRETCHES = {
    "registered, as Restate says": "registered",
    "registered and verified, as the operator says too": "verified",
    "all work in flight begun again": "resumed",
    "all Tenants in flight Ready": "ready",
}

_HEADS = ("p50", "p99", "max")


@dataclass(frozen=True)
class Repair:
    """One loss and what came of it. Seconds count from Restate's first answer, but for `away`."""

    away: float
    """From the kill to the first answer."""
    registered: float
    verified: float
    resumed: float
    """Until the backend was at work again for the last of the Tenants that had been in flight."""
    ready: float
    """Until the last of them was Ready, or was given up."""
    in_flight: int
    """Tenants that the kill caught unfinished."""
    not_ready: Sequence[str]
    """Tenants that were not Ready at their present generation when all was over: lost work."""
    disturbed: Sequence[str]
    """Settled Tenants that were written or worked on, without a reason."""


@dataclass(frozen=True)
class FloorRepair:
    """The least that a repair takes: one made by a client that waits for nothing but Restate."""

    registered: float
    resumed: float


@dataclass(frozen=True)
class Figures:
    """A whole run."""

    tenants: int
    in_flight: int
    work: tuple[float, float]
    repairs: Sequence[Repair]
    duplicates: Mapping[str, int]
    """Resources that were made again for the same generation, by Tenant; without those that have none."""
    losses: Mapping[str, float]
    """What the operator counted as lost, by cause."""
    floor: Sequence[FloorRepair]
    others: float
    """Cores that everything else on the machine used."""

    @property
    def lost_work(self) -> int:
        """Tenants that were left behind, over all rounds."""
        return sum(len(each.not_ready) for each in self.repairs)

    @property
    def disturbed(self) -> int:
        """Settled Tenants that were not left alone, over all rounds."""
        return sum(len(each.disturbed) for each in self.repairs)

    @property
    def faults(self) -> list[str]:
        """What must not be, for a person; empty if all is well."""
        rounds, counted = len(self.repairs), sum(self.losses.values())
        found = {
            "resources made twice": sum(self.duplicates.values()),
            "Tenants left behind": self.lost_work,
            "settled Tenants disturbed": self.disturbed,
        }
        faults = [f"{number} {what}" for what, number in found.items() if number]
        if counted != rounds:
            faults.append(f"{counted:.0f} losses counted by the operator, not {rounds}")
        return faults


def format_tables(figures: Figures) -> str:
    """The times, and what has to be zero."""
    return f"{_times(figures)}\n\n{_counts(figures)}"


def summarize(figures: Figures) -> dict[str, dict[str, float]]:
    """p50, p99 and the longest of each stretch, in seconds; those of the floor as `floor: <stretch>`."""
    return {name: _spread(figures.repairs, name) for name in ("away", *_STRETCHES.values())} | {
        f"floor: {name}": _spread(figures.floor, name) for name in ("registered", "resumed")
    }


def _spread(found: Sequence[Repair | FloorRepair], stretch: str) -> dict[str, float]:
    values = [attrgetter(stretch)(each) for each in found]
    return {"p50": percentile(values, 50), "p99": percentile(values, 99), "max": max(values)}


def _times(figures: Figures) -> str:
    found = summarize(figures)
    labels = {"(from the kill to the first answer)": "away"} | _STRETCHES
    rows = [
        [label, *_cells(found[name]), *_cells(found.get(f"floor: {name}"))] for label, name in labels.items()
    ]
    title = (
        f"Restate killed and wiped {len(figures.repairs)} times, {figures.tenants} Tenants, "
        f"{figures.in_flight} of them in flight for {figures.work[0]:g} to {figures.work[1]:g} s"
    )
    heads = ["from Restate's first answer until …", *_HEADS, *(f"floor's {each}" for each in _HEADS)]
    return format_table(title, heads, rows)


def _cells(spread: Mapping[str, float] | None) -> list[str]:
    return [f"{spread[name]:.3f} s" if spread else "" for name in _HEADS]


def _counts(figures: Figures) -> str:
    rounds = len(figures.repairs)
    causes = ", ".join(f"{cause} {number:.0f}" for cause, number in figures.losses.items() if number)
    caught = sum(each.in_flight for each in figures.repairs)
    rows = [
        ["duplicates: resources made twice for one generation", str(sum(figures.duplicates.values()))],
        ["lost work: Tenants not Ready at the end of a round", str(figures.lost_work)],
        ["settled Tenants written or worked on", str(figures.disturbed)],
        ["losses counted by the operator", f"{causes or 0} of {rounds}"],
        ["Tenants in flight when Restate was killed", f"{caught} of {figures.in_flight * rounds}"],
        ["cores used by everything else meanwhile", f"{figures.others:.2f}"],
    ]
    return format_table("What came of it", ["", ""], rows)

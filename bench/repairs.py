"""Figures of repairs after Restate lost its store. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter

from bench.stats import percentile
from bench.tables import format_table

_STRETCHES = {
    "registered, according to Restate": "registered",
    "registered and verified, according to the operator too": "verified",
    "all work in flight started again": "resumed",
    "all Tenants in flight Ready": "ready",
}

_HEADS = ("p50", "p99", "max")


@dataclass(frozen=True)
class Repair:
    """One loss and its repair. All times except `away` are seconds since Restate's first answer."""

    away: float
    """Seconds from the kill to the first answer."""
    registered: float
    verified: float
    resumed: float
    """When the backend worked again on the last of the Tenants in flight."""
    ready: float
    """When the last of them was Ready, or the round stopped waiting."""
    in_flight: int
    """Tenants whose work had not ended at the kill."""
    not_ready: Sequence[str]
    """Tenants that were not Ready at their current generation at the end, which is lost work."""
    disturbed: Sequence[str]
    """Settled Tenants that landlord wrote or worked on without a reason."""


@dataclass(frozen=True)
class FloorRepair:
    """The fastest repair: by a client that waits only for Restate."""

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
    """By Tenant, the number of resources that were created twice for one generation."""
    losses: Mapping[str, float]
    """The losses that the operator counted, by cause."""
    floor: Sequence[FloorRepair]
    others: float
    """How many cores everything else on the machine used."""

    @property
    def lost_work(self) -> int:
        """The number of Tenants with lost work in all rounds."""
        return sum(len(each.not_ready) for each in self.repairs)

    @property
    def disturbed(self) -> int:
        """The number of settled Tenants that landlord touched in all rounds."""
        return sum(len(each.disturbed) for each in self.repairs)

    @property
    def faults(self) -> list[str]:
        """Descriptions of everything that must not happen and did."""
        rounds, counted = len(self.repairs), sum(self.losses.values())
        found = {
            "resources created twice": sum(self.duplicates.values()),
            "Tenants with lost work": self.lost_work,
            "settled Tenants written or worked on": self.disturbed,
        }
        faults = [f"{number} {what}" for what, number in found.items() if number]
        if counted != rounds:
            faults.append(f"{counted:.0f} losses counted by the operator, not {rounds}")
        return faults


def format_tables(figures: Figures) -> str:
    """The tables of times and of counts that must be zero."""
    return f"{_times(figures)}\n\n{_counts(figures)}"


def summarize(figures: Figures) -> dict[str, dict[str, float]]:
    """p50, p99 and max of each time, in seconds. The floor's times have keys like `floor: registered`."""
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
        f"Restate killed and its store deleted {len(figures.repairs)} times, {figures.tenants} Tenants, "
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
        ["duplicates: resources created twice for one generation", str(sum(figures.duplicates.values()))],
        ["lost work: Tenants not Ready at the end of a round", str(figures.lost_work)],
        ["settled Tenants written or worked on", str(figures.disturbed)],
        ["losses counted by the operator", f"{causes or 0} of {rounds}"],
        ["Tenants in flight when Restate was killed", f"{caught} of {figures.in_flight * rounds}"],
        ["cores used by everything else", f"{figures.others:.2f}"],
    ]
    return format_table("Result", ["", ""], rows)

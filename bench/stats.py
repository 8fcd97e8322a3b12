"""Statistics over runs. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from statistics import median


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that at least `percent` of the values do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(1, ceil(percent / 100 * len(ordered))) - 1]


@dataclass(frozen=True)
class Run:
    """One measurement of work on some Tenants."""

    seconds: float
    """Seconds from the first create to the last Ready."""
    latencies: Sequence[float]
    """Seconds from create to Ready, of each Tenant."""
    cpu: Mapping[str, float]
    """CPU seconds by process, including the second after the last Ready."""
    rss: Mapping[str, int]
    """Bytes of resident memory by process at the end."""
    counters: Mapping[str, float] = field(default_factory=dict)
    """By how much the operator's counters grew."""


@dataclass(frozen=True)
class Comparison:
    """Runs of landlord and of the floor with the same work, in turns."""

    title: str
    one_by_one: bool
    landlord: Sequence[Run]
    floor: Sequence[Run]

    @property
    def tenants(self) -> int:
        """The number of Tenants that landlord made Ready in all its runs."""
        return sum(len(run.latencies) for run in self.landlord)

    @property
    def ratio(self) -> float:
        """landlord's typical time, divided by the floor's."""
        return typical_seconds(self.landlord, self.one_by_one) / typical_seconds(self.floor, self.one_by_one)


def typical_seconds(runs: Sequence[Run], one_by_one: bool) -> float:
    """The median of all Tenants' times if they ran one by one, otherwise of the runs' times."""
    return percentile(list_latencies(runs), 50) if one_by_one else median(run.seconds for run in runs)


def list_latencies(runs: Sequence[Run]) -> list[float]:
    """The latencies of all Tenants in all runs."""
    return [latency for run in runs for latency in run.latencies]


def average_per_tenant(runs: Sequence[Run], what: str) -> dict[str, float]:
    """`cpu` or `counters` per Tenant."""
    total: dict[str, float] = {}
    for run in runs:
        for name, value in getattr(run, what).items():
            total[name] = total.get(name, 0.0) + value
    tenants = len(list_latencies(runs))
    return {name: value / tenants for name, value in total.items()}

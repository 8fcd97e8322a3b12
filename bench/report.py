"""The figures as tables of plain text."""

from collections.abc import Sequence

from bench.restart import Restart
from bench.stats import Comparison, average_per_tenant, list_latencies, percentile, typical_seconds
from bench.tables import format_table

_PROCESSES = (
    "operator",
    "worker",
    "restate-server",
    "kube-apiserver",
    "etcd",
    "kube-controller-manager",
    "kube-scheduler",
    "kwok-controller",
    "dockerd",
    "containerd",
    "bench",
    "others",
)
_MB = 1e6


def format_tables(comparisons: Sequence[Comparison]) -> str:
    """The tables of time, CPU, memory and counters of all comparisons."""
    parts = [_times(comparisons), _cpu(comparisons), _memory(comparisons), _counters(comparisons)]
    return "\n\n".join(parts)


def format_restarts(found: Sequence[Restart]) -> str:
    """A table with a row for each restart."""
    rows = [
        [
            str(each.tenants),
            f"{each.ready_seconds:.1f} s",
            f"{each.reconciled_seconds:.1f} s",
            f"{each.cpu_seconds:.1f} s",
            f"{each.apiserver_cpu_seconds:.1f} s",
            f"{each.rss / _MB:.0f} MB",
            f"{each.peak_rss / _MB:.0f} MB",
            f"{each.writes:.0f}",
        ]
        for each in found
    ]
    heads = ["settled Tenants", "ready", "reconciled", "CPU", "API server CPU", "RSS", "peak RSS", "writes"]
    return format_table("The operator restarted", heads, rows)


def _times(comparisons: Sequence[Comparison]) -> str:
    rows = []
    for found in comparisons:
        pairs = [found.landlord, found.floor]
        if found.one_by_one:
            times = [f"p50 {typical_seconds(runs, True) * 1e3:.1f} ms" for runs in pairs]
            tails = [f"p99 {percentile(list_latencies(runs), 99) * 1e3:.1f} ms" for runs in pairs]
        else:
            times = [f"{typical_seconds(runs, False):.2f} s" for runs in pairs]
            tails = [" ".join(f"{run.seconds:.2f}" for run in runs) for runs in pairs]
        rows.append([found.title, str(found.tenants), times[0], times[1], f"{found.ratio:.2f}", *tails])
    heads = ["create → Ready", "Tenants", "landlord", "floor", "ratio", "landlord's", "floor's"]
    return format_table("Time", heads, rows)


def _cpu(comparisons: Sequence[Comparison]) -> str:
    spent = {
        f"{found.title}: {contender}": average_per_tenant(getattr(found, contender), "cpu")
        for found in comparisons
        for contender in ("landlord", "floor")
    }
    names = [name for name in _PROCESSES if any(name in cpu for cpu in spent.values())]
    rows = [[title, *(f"{cpu.get(name, 0) * 1e3:.1f}" for name in names)] for title, cpu in spent.items()]
    return format_table("CPU per Tenant, ms", ["", *names], rows)


def _memory(comparisons: Sequence[Comparison]) -> str:
    rss = {found.title: found.landlord[-1].rss for found in comparisons}
    names = [name for name in _PROCESSES if any(name in sizes for sizes in rss.values())]
    rows = [[title, *(f"{sizes.get(name, 0) / _MB:.0f}" for name in names)] for title, sizes in rss.items()]
    return format_table("Resident memory at the end, MB", ["", *names], rows)


def _counters(comparisons: Sequence[Comparison]) -> str:
    counted = {found.title: average_per_tenant(found.landlord, "counters") for found in comparisons}
    rows = [
        [title, name, f"{value:.2f}"]
        for title, counters in counted.items()
        for name, value in sorted(counters.items())
        if value
    ]
    return format_table("The operator's counters, per Tenant", ["", "", ""], rows)

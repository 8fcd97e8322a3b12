"""How long each tier of the suite took, over all processes of a run."""

from collections import Counter, defaultdict
from collections.abc import Iterable

import pytest


def times(reports: Iterable[pytest.TestReport]) -> dict[str, tuple[int, float]]:
    """Number of tests, and seconds with setup and teardown, by tier: the folder below tests/."""
    number: Counter[str] = Counter()
    seconds: defaultdict[str, float] = defaultdict(float)
    for report in reports:
        tier = report.nodeid.split("/")[1]
        number[tier] += report.when == "call"
        seconds[tier] += report.duration
    return {tier: (number[tier], seconds[tier]) for tier in sorted(seconds)}

"""How long to wait before the next retry."""

import random
from collections.abc import Callable

BACKOFF_BASE = 0.2
BACKOFF_CAP = 60.0
JITTER = 0.2


def backoff(failures: int, chance: Callable[[], float] = random.random) -> float:
    """Return the seconds to wait after the nth failure in a row (from 1): doubling, capped, jittered by 20
    %."""
    delay = min(BACKOFF_CAP, BACKOFF_BASE * 2 ** min(failures - 1, 20))
    return float(delay * (1 - JITTER + 2 * JITTER * chance()))

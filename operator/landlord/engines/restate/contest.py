"""Two that register the same service in turns: how to yield. Pure.

Taking the workflow back at once is right after an accident. When something else registers its worker again
and again, each side's repair is the other's loss, and work is moved to and fro; so it is done more and more
rarely.
"""

from collections.abc import Sequence

MEMORY_SECONDS = 1800.0
"""How long a takeover counts."""
AT_ONCE = 3
"""Takeovers within that time that are made without waiting."""
FIRST_WAIT, LONGEST_WAIT = 5.0, 300.0


def wait(taken: Sequence[float], now: float, longest: float = LONGEST_WAIT) -> float | None:
    """Seconds until the workflow may be taken back, after it was at the times `taken`; None: no contest."""
    recent = remembered(taken, now)
    if len(recent) < AT_ONCE:
        return None
    pause = min(FIRST_WAIT * 2.0 ** (len(recent) - AT_ONCE), longest)
    return max(0.0, recent[-1] + pause - now)


def remembered(taken: Sequence[float], now: float) -> tuple[float, ...]:
    """Those that still count."""
    return tuple(at for at in taken if now - at < MEMORY_SECONDS)

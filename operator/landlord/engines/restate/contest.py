"""How to yield when someone else repeatedly registers the same service. Pure.

After an accident it is right to take the workflow back at once. But if something registers its own worker
again and again, each side's repair is the other's loss, and work moves back and forth. So landlord waits
longer each time.
"""

from collections.abc import Sequence

MEMORY_SECONDS = 1800.0
"""How long a takeover counts."""
AT_ONCE = 3
"""Number of takeovers within that time that are made without waiting."""
FIRST_WAIT, LONGEST_WAIT = 5.0, 300.0


def wait_before_takeover(
    takeovers: Sequence[float], now: float, longest: float = LONGEST_WAIT
) -> float | None:
    """Return the seconds until the next takeover, given the times of the previous ones; None: no contest."""
    recent = keep_recent(takeovers, now)
    if len(recent) < AT_ONCE:
        return None
    pause = min(FIRST_WAIT * 2.0 ** (len(recent) - AT_ONCE), longest)
    return max(0.0, recent[-1] + pause - now)


def keep_recent(takeovers: Sequence[float], now: float) -> tuple[float, ...]:
    """Return the takeovers that still count."""
    return tuple(at for at in takeovers if now - at < MEMORY_SECONDS)

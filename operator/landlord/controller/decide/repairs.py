"""How often a tenant is repaired that somebody changes again and again. Pure.

Putting a change right at once is right after an accident. Where something else, such as another controller,
changes the same field each time, repairing would never end; so it is done more and more rarely.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

MEMORY = timedelta(hours=1)
"""How long a repair counts."""
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=20), timedelta(minutes=10)


def due(repaired: Sequence[datetime], now: datetime) -> datetime | None:
    """When the tenant may be repaired again, after it was at the times `repaired`; None: now."""
    recent = remembered(repaired, now)
    if not recent:
        return None
    at = recent[-1] + min(FIRST_WAIT * 2.0 ** min(len(recent) - 1, 16), LONGEST_WAIT)
    return at if at > now else None


def remembered(repaired: Sequence[datetime], now: datetime) -> tuple[datetime, ...]:
    """Those that still count."""
    return tuple(at for at in repaired if now - at < MEMORY)

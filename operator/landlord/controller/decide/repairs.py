"""Decides how often landlord repairs a tenant that somebody changes again and again.

Repairing at once is right after an accident. If something else, such as another controller, changes the same
field each time, repairing would never end, so landlord waits longer before each repair.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

MEMORY = timedelta(hours=1)
"""How long a repair counts."""
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=20), timedelta(minutes=10)


def find_due_time(repairs: Sequence[datetime], now: datetime) -> datetime | None:
    """Find out when landlord may repair the tenant again, after repairs at those times; None: now."""
    recent = select_recent(repairs, now)
    if not recent:
        return None
    at = recent[-1] + min(FIRST_WAIT * 2.0 ** min(len(recent) - 1, 16), LONGEST_WAIT)
    return at if at > now else None


def select_recent(repairs: Sequence[datetime], now: datetime) -> tuple[datetime, ...]:
    """Select the repairs that still count."""
    return tuple(at for at in repairs if now - at < MEMORY)

"""Whether Restate's partitions record anything, which no other answer shows.

With its disk full, or without a leader for a partition, Restate still answers that it is healthy, lists its
services and reads its tables, but whatever has to be recorded hangs. So landlord asks partitions to cancel an
invocation that does not exist: the partition records the request, and then answers that it changes nothing.
"""

import asyncio
import random

from landlord.engines.restate.admin import Admin
from landlord.engines.restate.seen import StuckPartition

ASKED_AT_ONCE = 8
"""Number of partitions that one check asks. Restate has 24 by default, so a few checks reach each of them."""

_KEYS = 2**64
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Partitions:
    """Asks some partitions at a time; one that is stuck, alone and until it records again."""

    def __init__(self, admin: Admin) -> None:
        self._admin = admin
        self._stuck_at: int | None = None

    async def find_stuck(self) -> StuckPartition | None:
        """Return what is wrong with a partition, if anything. Raises EngineUnreachable if Restate is away."""
        if self._stuck_at is not None and (stuck := await self._ask(self._stuck_at)):
            return stuck
        self._stuck_at = None
        # Each partition has an equal share of the keys, in order.
        first = random.randrange(_KEYS)  # noqa: S311 - spread
        keys = [(first + place * _KEYS // ASKED_AT_ONCE) % _KEYS for place in range(ASKED_AT_ONCE)]
        for key, stuck in zip(keys, await asyncio.gather(*map(self._ask, keys)), strict=True):
            if stuck is not None:
                self._stuck_at = key
                return stuck
        return None

    async def _ask(self, key: int) -> StuckPartition | None:
        problem = await self._admin.find_recording_problem(build_unused_id(key))
        return StuckPartition(problem) if problem else None


def build_unused_id(key: int) -> str:
    """Build the id of an invocation that does not exist, in the partition of the key.

    An id is a version, the key and a random number. Restate encodes the key with its bytes swapped.
    """
    swapped, digits = int.from_bytes(key.to_bytes(8, "little"), "big"), ""
    while swapped:
        swapped, digit = divmod(swapped, len(_DIGITS))
        digits = _DIGITS[digit] + digits
    return f"inv_1{digits:0>11}{0:022}"

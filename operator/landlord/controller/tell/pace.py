"""Has many Tenants report something new, at a limited pace, and only those that do not report it yet."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable

from landlord.api.tenant import Key

PACE = 50.0
"""Tenants per second, at most: news for all of them costs no more writes per second than this."""

_CATCH_UP_SECONDS = 0.1
_ON_THEIR_WAY = 8
_GIVE_UP_SECONDS = 5.0
"""These limit what is made up for after a stall of the event loop, and how many Tenants may be on their way,
each for how long: an API server that was slow for a while must not receive everything that it missed in one
burst."""
_BATCH = 100


async def requeue_outdated(
    keys: Iterable[Key],
    is_outdated: Callable[[Key], bool],
    add: Callable[[Key], None],
    is_obsolete: Callable[[], bool] = lambda: False,
) -> bool:
    """Call `add` with each outdated Tenant. Returns False if the news became obsolete before the end."""
    loop = asyncio.get_running_loop()
    turn, on_their_way = loop.time(), deque[tuple[Key, float]]()
    for number, key in enumerate(keys):
        if number % _BATCH == 0:
            await asyncio.sleep(0)
        if is_obsolete():
            return False
        if is_outdated(key):
            add(key)
            on_their_way.append((key, loop.time() + _GIVE_UP_SECONDS))
            turn = max(turn, loop.time() - _CATCH_UP_SECONDS) + 1 / PACE
            await asyncio.sleep(turn - loop.time())
            await _wait_for_room(on_their_way, is_outdated)
    return True


async def _wait_for_room(on_their_way: deque[tuple[Key, float]], is_outdated: Callable[[Key], bool]) -> None:
    while len(on_their_way) >= _ON_THEIR_WAY:
        key, until = on_their_way[0]
        if is_outdated(key) and asyncio.get_running_loop().time() < until:
            await asyncio.sleep(1 / PACE)
        else:
            on_their_way.popleft()

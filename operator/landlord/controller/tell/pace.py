"""Has many Tenants told something, slowly, and only those that do not say it yet."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable

from landlord.api.tenant import Key

PACE = 50.0
"""Tenants per second that are told: the most writes per second that news for all of them costs."""

_CATCH_UP_SECONDS = 0.1
_ON_THEIR_WAY = 8
_GIVE_UP_SECONDS = 5.0
"""No more than this is made up for after a stall of the event loop, and no more than so many are waited for,
each for so long: an API server that was slow for a while must not be sent all that it missed in one burst."""
_LOOKED_AT_ONCE = 100


async def tell(
    keys: Iterable[Key],
    outdated: Callable[[Key], bool],
    add: Callable[[Key], None],
    obsolete: Callable[[], bool] = lambda: False,
) -> bool:
    """`add` each Tenant that is outdated. Whether all have been; that the news is obsolete ends it."""
    loop = asyncio.get_running_loop()
    turn, on_their_way = loop.time(), deque[tuple[Key, float]]()
    for number, key in enumerate(keys):
        if number % _LOOKED_AT_ONCE == 0:
            await asyncio.sleep(0)
        if obsolete():
            return False
        if outdated(key):
            add(key)
            on_their_way.append((key, loop.time() + _GIVE_UP_SECONDS))
            turn = max(turn, loop.time() - _CATCH_UP_SECONDS) + 1 / PACE
            await asyncio.sleep(turn - loop.time())
            await _room(on_their_way, outdated)
    return True


async def _room(on_their_way: deque[tuple[Key, float]], outdated: Callable[[Key], bool]) -> None:
    while len(on_their_way) >= _ON_THEIR_WAY:
        key, until = on_their_way[0]
        if outdated(key) and asyncio.get_running_loop().time() < until:
            await asyncio.sleep(1 / PACE)
        else:
            on_their_way.popleft()

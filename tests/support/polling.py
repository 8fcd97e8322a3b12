"""Waiting for what will happen, with a deadline and a reason."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")
PATIENCE = 120.0
"""So long that only what never comes is late, however busy the machine is. Speed is judged in bench/."""
_POLL_SECONDS = 0.05


def eventually(
    probe: Callable[[], T | None],
    *,
    within: float = PATIENCE,
    what: str = "",
    every: float = _POLL_SECONDS,
) -> T:
    """The first truthy answer of `probe`, which may also raise AssertionError while it is not yet so."""
    deadline = time.monotonic() + within
    while True:
        seen: object
        try:
            answer = probe()
            if answer:
                return answer
            seen = answer
        except AssertionError as error:
            seen = error
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within:g} s: {what}; last seen: {seen!r}")
        time.sleep(every)


async def eventually_async(
    probe: Callable[[], Awaitable[T | None]], *, within: float = PATIENCE, what: str = ""
) -> T:
    """As `eventually`, for a coroutine function."""
    deadline = time.monotonic() + within
    while True:
        seen: object
        try:
            answer = await probe()
            if answer:
                return answer
            seen = answer
        except AssertionError as error:
            seen = error
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within:g} s: {what}; last seen: {seen!r}")
        await asyncio.sleep(_POLL_SECONDS)


def steadily(probe: Callable[[], bool], *, seconds: float, what: str = "") -> None:
    """Assert that `probe` holds now and for the next seconds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert probe(), f"did not stay so: {what}"
        time.sleep(_POLL_SECONDS)

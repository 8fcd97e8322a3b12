"""Calls that are given up, whatever the engine answers in that instant."""

import asyncio
import threading
from collections.abc import Callable

import pytest

from landlord.backends.docker.engine import Engine


def after(ticks: int, act: Callable[[], object]) -> None:
    """Do it so many turns of the event loop later."""
    if ticks:
        asyncio.get_running_loop().call_soon(after, ticks - 1, act)
    else:
        act()


@pytest.mark.parametrize("ticks", range(5))
async def test_who_gives_up_in_the_instant_of_the_answer_has_given_up(
    monkeypatch: pytest.MonkeyPatch, ticks: int
) -> None:
    """Else the time-out around it never comes, and a probe that hangs is asked for ever."""
    engine, answered = Engine(), threading.Event()
    monkeypatch.setattr(engine, "run_here", lambda work: work(None))

    async def call() -> int:
        await engine.run(lambda _: answered.wait(), "acme")
        task = asyncio.current_task()
        assert task is not None
        return task.cancelling()

    calling = asyncio.create_task(call())
    await asyncio.sleep(0)
    engine._under_way["acme"].add_done_callback(lambda _: after(ticks, calling.cancel))
    answered.set()
    (ended,) = await asyncio.gather(calling, return_exceptions=True)
    engine.close()
    assert ended == 0 or isinstance(ended, asyncio.CancelledError)

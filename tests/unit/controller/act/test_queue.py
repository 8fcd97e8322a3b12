"""The work queue's promises."""

import asyncio

from landlord.controller.act.queue import WorkQueue


async def drained(queue: WorkQueue[str]) -> list[str]:
    keys = []
    while len(queue):
        key = await queue.get()
        queue.finish(key)
        keys.append(key)
    return keys


async def test_a_key_that_is_added_twice_is_worked_on_once() -> None:
    queue: WorkQueue[str] = WorkQueue()
    for key in ("a", "b", "a"):
        queue.add(key)
    assert await drained(queue) == ["a", "b"]


async def test_a_key_that_is_worked_on_is_not_given_out_a_second_time_but_again_afterwards() -> None:
    queue: WorkQueue[str] = WorkQueue()
    queue.add("a")
    assert await queue.get() == "a"
    queue.add("a")
    assert len(queue) == 0
    queue.finish("a")
    assert await drained(queue) == ["a"]


async def test_a_delayed_key_comes_when_it_is_due() -> None:
    queue: WorkQueue[str] = WorkQueue()
    queue.add_after("a", 0.01)
    assert len(queue) == 0
    assert await asyncio.wait_for(queue.get(), 5) == "a"


async def test_the_earlier_of_two_times_holds() -> None:
    queue: WorkQueue[str] = WorkQueue()
    queue.add_after("a", 0.01)
    queue.add_after("a", 3600)
    assert await asyncio.wait_for(queue.get(), 5) == "a"


async def test_an_immediate_add_replaces_a_delayed_one() -> None:
    queue: WorkQueue[str] = WorkQueue()
    queue.add_after("a", 0.01)
    queue.add("a")
    assert await drained(queue) == ["a"]
    await asyncio.sleep(0.03)
    assert len(queue) == 0


async def test_each_of_many_waiting_workers_gets_a_key() -> None:
    queue: WorkQueue[str] = WorkQueue()
    workers = [asyncio.create_task(queue.get()) for _ in range(3)]
    await asyncio.sleep(0)
    for key in "abc":
        queue.add(key)
    assert sorted(await asyncio.wait_for(asyncio.gather(*workers), 5)) == ["a", "b", "c"]


async def test_success_starts_the_backoff_anew() -> None:
    queue: WorkQueue[str] = WorkQueue()
    delays = [queue.retry("a") for _ in range(4)]
    assert delays[3] > 4 * delays[0]
    queue.reset_backoff("a")
    assert queue.retry("a") < 0.3
    queue.forget("a")

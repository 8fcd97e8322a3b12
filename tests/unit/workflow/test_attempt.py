import asyncio
import time

import pytest
from prometheus_client import REGISTRY

from landlord.api.outcome import Failure, Outcome, ResourceRef, Result
from landlord.backends import memory
from landlord.backends.contract import Step
from landlord.backends.kubernetes import ensure, ready, removal, stopping
from landlord.errors import Retryable, Stuck, Terminal
from landlord.workflow import attempt as module
from landlord.workflow.attempt import TryAgain, attempt, next_wait

MADE = Result(resources=(ResourceRef(kind="thing", name="acme"),))


def step(name: str = "make", *, raises: BaseException | None = None, seconds: float = 0.0) -> Step:
    async def run() -> Result:
        await asyncio.sleep(seconds)
        if raises is not None:
            raise raises
        return MADE

    return Step(name, run)


async def tried(one: Step, *, elapsed: float) -> Outcome:
    """One try that begins so many seconds after the invocation did, which has 10 s."""
    now = time.time()
    return await attempt("memory", one, now - elapsed, now - elapsed + 10, time.time)


async def test_success_says_what_was_made() -> None:
    assert await tried(step(), elapsed=0) == Outcome(result="Succeeded", made=MADE)


async def test_terminal_failure_is_final_at_once() -> None:
    outcome = await tried(step(raises=Terminal("BadImage", "no such image")), elapsed=0)
    failure = Failure(code="BadImage", message="no such image", retryable=False, step="make")
    assert outcome == Outcome(result="Failed", failure=failure)


async def test_advice_is_a_field_of_the_failure_however_the_step_ends() -> None:
    for error in (
        Terminal("NoImage", "no such image", "push it"),
        Retryable("NoImage", "not yet", "push it"),
    ):
        outcome = await tried(step(raises=error), elapsed=11)
        assert outcome.failure is not None
        assert outcome.failure.fix == "push it"
    with pytest.raises(TryAgain) as failure:
        await tried(step(raises=Retryable("NoImage", "not yet", "push it")), elapsed=0)
    assert str(failure.value) == "NoImage: not yet\nFix: push it"


async def test_failure_that_something_outside_of_the_spec_can_end_is_final_for_now() -> None:
    outcome = await tried(step(raises=Stuck("NoImage", "nobody has pushed it")), elapsed=0)
    failure = Failure(code="NoImage", message="nobody has pushed it", retryable=True, step="make")
    assert outcome == Outcome(result="Failed", failure=failure)


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (Retryable("Busy", "the disk is busy"), "Busy: the disk is busy"),
        (ConnectionError("refused"), "Unexpected: ConnectionError: refused"),
        (TimeoutError("its own"), "Unexpected: TimeoutError: its own"),
    ],
)
async def test_other_failure_is_tried_again_while_there_is_time(error: Exception, shown: str) -> None:
    with pytest.raises(TryAgain) as failure:
        await tried(step(raises=error), elapsed=9)
    assert (str(failure.value), repr(failure.value)) == (shown, shown)


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (Retryable("Busy", "the disk is busy"), "Busy", "the disk is busy (tried for 11 s)"),
        (KeyError("id"), "Unexpected", "KeyError: 'id' (tried for 11 s)"),
    ],
)
async def test_failure_after_the_deadline_is_final(error: Exception, code: str, message: str) -> None:
    outcome = await tried(step(raises=error), elapsed=11)
    assert outcome.failure == Failure(code=code, message=message, retryable=True, step="make")


async def test_step_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST_TRY", 0.05)
    with pytest.raises(TryAgain, match="the step did not finish within 0 s"):
        await tried(step(seconds=60), elapsed=0)


async def test_step_that_hangs_gets_the_time_that_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SHORTEST_TRY", 0.05)
    outcome = await tried(step(seconds=60), elapsed=9.9)
    assert outcome.failure is not None
    assert (outcome.failure.code, outcome.failure.retryable) == ("Timeout", True)


async def test_step_that_begins_late_can_still_say_its_own_reason() -> None:
    outcome = await tried(step(raises=Retryable("Busy", "busy"), seconds=0.1), elapsed=9.99)
    assert outcome.failure is not None
    assert outcome.failure.code == "Busy"


def test_the_last_try_outlasts_what_a_backend_looks_for_before_it_tells_its_reason() -> None:
    backends = (ready.WINDOW_SECONDS, removal.WINDOW_SECONDS, stopping.WINDOW_SECONDS)
    assert max(backends) + ensure.QUOTA_SECONDS < module.SHORTEST_TRY


def test_no_rehearsed_delay_is_longer_than_a_try() -> None:
    assert memory.LONGEST_DELAY < module.LONGEST_TRY


async def test_cancellation_is_no_failure() -> None:
    with pytest.raises(asyncio.CancelledError):
        await tried(step(raises=asyncio.CancelledError()), elapsed=11)


async def test_reason_of_any_length_fits_the_status() -> None:
    outcome = await tried(step(raises=Terminal("C" * 99, "m" * 9999, "f" * 9999)), elapsed=0)
    assert outcome.failure is not None
    lengths = (len(outcome.failure.code), len(outcome.failure.message), len(outcome.failure.fix))
    assert lengths == (63, 4096, 4096)


async def test_tries_are_counted_and_timed_by_backend_and_step() -> None:
    labels = {"backend": "memory", "step": "counted"}

    def sample(name: str, **more: str) -> float:
        return REGISTRY.get_sample_value(f"landlord_{name}", labels | more) or 0.0

    await tried(step("counted"), elapsed=0)
    await tried(step("counted", raises=Terminal("No", "no")), elapsed=0)
    with pytest.raises(TryAgain):
        await tried(step("counted", raises=Retryable("Later", "later")), elapsed=0)
    assert sample("step_seconds_count") == 3
    assert sample("step_failures_total", kind="terminal") == 1
    assert sample("step_failures_total", kind="retryable") == 1


def test_waits_double_up_to_a_bound() -> None:
    waits = [next_wait(tries) for tries in range(1, 8)]
    assert waits == pytest.approx([0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0])
    assert next_wait(100_000) == 5.0

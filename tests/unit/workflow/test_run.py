from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta

import pytest
from pydantic import BaseModel
from tests.support.requests import CREATED, request

from landlord.api.outcome import Failure, Outcome, ResourceRef, Result
from landlord.api.request import Request
from landlord.backends.contract import NoConfig, Observation, Step
from landlord.errors import Terminal
from landlord.workflow.fence import Fence
from landlord.workflow.position import StepPosition
from landlord.workflow.run import StepAttempt, provision

Steps = Sequence[str] | Exception


class Stub:
    """A backend whose steps do nothing but say their name, or that can't even name them."""

    name = "stub"
    Config: type[BaseModel] = NoConfig

    def __init__(self, steps: Steps = ("a", "b")) -> None:
        self._steps = steps

    def apply(self, desired: object) -> Sequence[Step]:
        if isinstance(self._steps, Exception):
            raise self._steps
        return [Step(name, self._saying(name)) for name in self._steps]

    def suspend(self, tenant_id: str) -> Sequence[Step]:
        return [Step("stop", self._saying("stop"))]

    def archive(self, tenant_id: str) -> Sequence[Step]:
        return [Step("keep-data", self._saying("keep-data"))]

    def delete(self, tenant_id: str) -> Sequence[Step]:
        return [Step("remove", self._saying("remove"))]

    async def inspect(self, desired: object) -> Sequence[str]:
        return ()

    async def survey(self) -> Mapping[str, Observation]:
        return {}

    async def close(self) -> None:
        return None

    def _saying(self, name: str) -> Callable[[], Awaitable[Result]]:
        async def run() -> Result:
            return Result(resources=(ResourceRef(kind="said", name=name),))

        return run


class Pages:
    """A journal that writes down what it is told, in order, and fails at a place if it shall."""

    def __init__(
        self, fence: Fence | None = None, fails: Mapping[str, Outcome | Exception] | None = None
    ) -> None:
        self.written: list[str | Fence] = []
        self._fence = fence
        self._fails = fails or {}

    async def fence(self) -> Fence | None:
        return self._fence

    async def accept(self, fence: Fence) -> None:
        self.written.append(fence)

    async def run(self, position: StepPosition, attempt: StepAttempt) -> Outcome:
        self.written.append(str(position))
        failure = self._fails.get(position.step)
        if isinstance(failure, Exception):
            raise failure
        return failure or await attempt(0.0, 10.0, lambda: 0.0)


def fence(*, generation: int = 1, uid: str = "uid-1", deleted: bool = False) -> Fence:
    return Fence(uid=uid, created_at=CREATED, generation=generation, deleted=deleted)


@pytest.mark.parametrize(
    ("asked", "step", "deleted"),
    [
        (request(operation="suspend", provider="stub"), "stop", False),
        (request(operation="archive", provider="stub"), "keep-data", False),
        (request(operation="delete", provider="stub"), "remove", True),
        (request(operation="delete", keeps_data=True, provider="stub"), "keep-data", True),
    ],
    ids=["suspend", "archive", "delete", "delete that archives"],
)
async def test_each_operation_has_the_backend_s_steps_for_it(
    asked: Request, step: str, deleted: bool
) -> None:
    journal = Pages()
    outcome = await provision(asked, {"stub": Stub()}, journal)
    assert journal.written == [fence(deleted=deleted), f"1/1 {step}"]
    assert (outcome.result, outcome.spec_hash) == ("Succeeded", None)


async def test_an_apply_says_the_hash_of_what_it_made() -> None:
    asked = request(provider="stub")
    assert asked.desired is not None
    assert (await provision(asked, {"stub": Stub()}, Pages())).spec_hash == asked.desired.hash()


async def test_steps_run_in_order_and_what_they_made_is_merged() -> None:
    journal = Pages()
    outcome = await provision(request(provider="stub"), {"stub": Stub()}, journal)
    assert journal.written == [fence(), "1/2 a", "2/2 b"]
    assert [made.name for made in outcome.made.resources] == ["a", "b"]


async def test_delete_tears_down_and_marks_the_tenant_deleted_before() -> None:
    journal = Pages(fence())
    asked = request(operation="delete", provider="stub", generation=2)
    assert (await provision(asked, {"stub": Stub()}, journal)).result == "Succeeded"
    assert journal.written == [fence(generation=2, deleted=True), "1/1 remove"]


async def test_a_failed_step_ends_the_workflow() -> None:
    failure = Outcome(result="Failed", failure=Failure(code="No", message="no", retryable=False, step="a"))
    journal = Pages(fails={"a": failure})
    assert await provision(request(provider="stub"), {"stub": Stub()}, journal) == failure
    assert journal.written == [fence(), "1/2 a"]


@pytest.mark.parametrize(
    ("before", "asked", "outcome"),
    [
        (fence(generation=2), request(provider="stub"), Outcome(result="Superseded")),
        (fence(uid="other"), request(operation="delete", provider="stub"), Outcome(result="Succeeded")),
    ],
)
async def test_what_the_fence_refuses_leaves_no_trace(
    before: Fence, asked: Request, outcome: Outcome
) -> None:
    journal = Pages(before)
    assert await provision(asked, {"stub": Stub()}, journal) == outcome
    assert journal.written == []


async def test_conflict_of_two_objects_is_a_failure_that_trying_again_does_not_help() -> None:
    older = request(provider="stub", created_at=CREATED - timedelta(seconds=1))
    outcome = await provision(older, {"stub": Stub()}, Pages(fence(uid="other")))
    assert outcome.failure is not None
    assert (outcome.failure.code, outcome.failure.retryable) == ("IdentityConflict", False)


async def test_unknown_backend_is_refused_with_the_names_of_those_that_are_there() -> None:
    backends = {"stub": Stub(), "another": Stub()}
    outcome = await provision(request(provider="cloud"), backends, Pages())
    assert outcome.failure == Failure(
        code="UnknownBackend",
        message="the worker has no backend 'cloud'; enabled: another, stub",
        retryable=False,
    )


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (Terminal("Unsupported", "one container only"), ("Unsupported", "one container only", False)),
        (KeyError("image"), ("Unexpected", "KeyError: 'image'", True)),
    ],
)
async def test_backend_that_can_not_name_its_steps_is_a_failure(
    error: Exception, failure: tuple[str, str, bool]
) -> None:
    outcome = await provision(request(provider="stub"), {"stub": Stub(error)}, Pages())
    code, message, retryable = failure
    assert outcome.failure == Failure(code=code, message=message, retryable=retryable)


async def test_config_that_the_backend_can_not_read_is_a_failure_before_any_step() -> None:
    asked = request(provider="stub")
    assert asked.desired is not None
    desired = asked.desired.model_copy(update={"config": {"colour": "blue"}})
    journal = Pages()
    outcome = await provision(
        asked.model_copy(update={"desired": desired}), {"stub": Stub(KeyError("colour"))}, journal
    )
    assert outcome.failure is not None
    assert (outcome.failure.code, outcome.failure.retryable) == ("InvalidSpec", False)
    assert journal.written == [fence()]


async def test_what_the_journal_raises_passes_through() -> None:
    class Cancelled(Exception):
        """As an engine raises it."""

    with pytest.raises(Cancelled):
        await provision(request(provider="stub"), {"stub": Stub()}, Pages(fails={"b": Cancelled()}))

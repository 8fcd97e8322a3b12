from datetime import datetime, timedelta
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.requests import CREATED, request

from landlord.api.request import Operation, Request
from landlord.workflow.fence import Conflict, Fence, NothingToDo, Proceed, Superseded, decide

LATER = CREATED + timedelta(seconds=1)
EARLIER = CREATED - timedelta(seconds=1)


def fence(*, deleted: bool = False, replaced: tuple[str, ...] = ()) -> Fence:
    return Fence(uid="uid-1", created_at=CREATED, generation=2, deleted=deleted, replaced=replaced)


LIVE, DELETED, TAKEN_OVER = fence(), fence(deleted=True), fence(replaced=("uid-0",))


@pytest.mark.parametrize(
    ("before", "operation", "uid", "created_at", "generation", "verdict"),
    [
        pytest.param(None, "apply", "uid-1", CREATED, 1, Proceed, id="the first apply of a tenant"),
        pytest.param(None, "delete", "uid-1", CREATED, 1, Proceed, id="a delete after the store was lost"),
        pytest.param(LIVE, "apply", "uid-1", CREATED, 1, Superseded, id="apply of an older generation"),
        pytest.param(LIVE, "apply", "uid-1", CREATED, 2, Proceed, id="another attempt at an apply"),
        pytest.param(LIVE, "apply", "uid-1", CREATED, 3, Proceed, id="apply of a newer generation"),
        pytest.param(LIVE, "delete", "uid-1", CREATED, 1, Superseded, id="delete of an older generation"),
        pytest.param(LIVE, "delete", "uid-1", CREATED, 3, Proceed, id="delete of what was applied"),
        pytest.param(DELETED, "delete", "uid-1", CREATED, 2, Proceed, id="another attempt at a delete"),
        pytest.param(DELETED, "apply", "uid-1", CREATED, 2, Superseded, id="apply after the delete"),
        pytest.param(DELETED, "apply", "uid-1", CREATED, 9, Superseded, id="newer apply after the delete"),
        pytest.param(LIVE, "suspend", "uid-1", CREATED, 3, Proceed, id="suspend of what was applied"),
        pytest.param(LIVE, "archive", "uid-1", CREATED, 1, Superseded, id="archive of an older generation"),
        pytest.param(DELETED, "suspend", "uid-1", CREATED, 9, Superseded, id="suspend after the delete"),
        pytest.param(LIVE, "archive", "uid-2", EARLIER, 9, Conflict, id="archive by an older object"),
        pytest.param(LIVE, "apply", "uid-2", LATER, 1, Proceed, id="a newer object takes over"),
        pytest.param(LIVE, "apply", "uid-2", CREATED, 1, Proceed, id="an object of the same second"),
        pytest.param(TAKEN_OVER, "apply", "uid-0", CREATED, 9, Conflict, id="who was taken over from"),
        pytest.param(TAKEN_OVER, "apply", "uid-2", CREATED, 1, Proceed, id="a third of the same second"),
        pytest.param(LIVE, "apply", "uid-2", EARLIER, 9, Conflict, id="an older object"),
        pytest.param(
            DELETED, "apply", "uid-2", EARLIER, 1, Proceed, id="any object after the owner's delete"
        ),
        pytest.param(LIVE, "delete", "uid-2", LATER, 9, NothingToDo, id="delete by who owns nothing"),
        pytest.param(DELETED, "delete", "uid-2", LATER, 9, NothingToDo, id="delete by who never owned"),
    ],
)
def test_fence_lets_through_only_what_is_not_older(
    before: Fence | None,
    operation: Operation,
    uid: str,
    created_at: datetime,
    generation: int,
    verdict: type[object],
) -> None:
    asked = request(operation=operation, uid=uid, created_at=created_at, generation=generation)
    assert type(decide(before, asked)) is verdict


def test_fence_remembers_who_came_last() -> None:
    asked = request(operation="delete", uid="uid-1", generation=5)
    after = Fence(uid="uid-1", created_at=CREATED, generation=5, deleted=True)
    assert decide(LIVE, asked) == Proceed(after)


def test_fence_remembers_who_had_the_tenant_in_the_same_second_and_only_then() -> None:
    again = request(uid="uid-1", generation=3)
    third = request(uid="uid-2", generation=1)
    later = request(uid="uid-3", created_at=LATER)
    remembered = Fence(uid="uid-1", created_at=CREATED, generation=3, replaced=("uid-0",))
    assert decide(TAKEN_OVER, again) == Proceed(remembered)
    taken = Fence(uid="uid-2", created_at=CREATED, generation=1, replaced=("uid-0", "uid-1"))
    assert decide(remembered, third) == Proceed(taken)
    assert decide(taken, later) == Proceed(Fence(uid="uid-3", created_at=LATER, generation=later.generation))


def test_conflict_says_who_owns_the_tenant_and_what_to_do() -> None:
    decision = decide(LIVE, request("acme", uid="uid-2", created_at=EARLIER))
    assert decision == Conflict(
        "tenantID 'acme' belongs to another Tenant object (uid uid-1, created 2026-01-01T00:00:00Z)\n"
        "Fix: choose another tenantID, or delete that object first."
    )


def objects_life(uid: str, created_at: datetime) -> st.SearchStrategy[list[Request]]:
    """What one object asks for in its life: applies of rising generations, then perhaps one delete."""

    def life(shape: tuple[int, bool]) -> list[Request]:
        applies, deleted = shape
        asked = [request(uid=uid, created_at=created_at, generation=number + 1) for number in range(applies)]
        gone = request(operation="delete", uid=uid, created_at=created_at, generation=applies + 1)
        return [*asked, gone] if deleted else asked

    return st.tuples(st.integers(1, 4), st.booleans()).map(life)


def scrambled(asked: list[Request]) -> st.SearchStrategy[list[Request]]:
    """The requests in any order, each as often as one likes but at least once."""
    return st.lists(st.sampled_from(asked)).flatmap(lambda more: st.permutations(asked + more))


def run(asked: list[Request]) -> tuple[Fence, list[Request]]:
    """The fence after all of them, and those that were let through."""
    now: Fence | None = None
    effects = []
    for each in asked:
        verdict = decide(now, each)
        if isinstance(verdict, Proceed):
            now = verdict.fence
            effects.append(each)
    assert now is not None
    return now, effects


@given(objects_life("uid-1", CREATED).flatmap(lambda life: st.tuples(st.just(life), scrambled(life))))
def test_whatever_the_order_the_newest_generation_has_the_last_word(
    lives: tuple[list[Request], list[Request]],
) -> None:
    in_order, arrived = lives
    after, effects = run(arrived)
    assert effects[-1] == in_order[-1]
    assert after.generation == in_order[-1].generation
    generations = [effect.generation for effect in effects]
    assert generations == sorted(generations)


@given(objects_life("uid-1", CREATED).flatmap(scrambled))
def test_nothing_is_applied_after_a_delete_was_accepted(arrived: list[Request]) -> None:
    _, effects = run(arrived)
    operations = [effect.operation for effect in effects]
    assert "apply" not in operations[operations.index("delete") :] if "delete" in operations else True


@given(
    st.tuples(objects_life("uid-1", CREATED), objects_life("uid-2", LATER)).flatmap(
        lambda lives: scrambled(lives[0] + lives[1])
    )
)
def test_an_owner_is_only_replaced_by_a_newer_object_or_after_its_delete(arrived: list[Request]) -> None:
    now: Fence | None = None
    for each in arrived:
        verdict = decide(now, each)
        if not isinstance(verdict, Proceed):
            continue
        if now is not None and now.uid != verdict.fence.uid:
            assert now.deleted or verdict.fence.created_at > now.created_at
        now = verdict.fence


@given(
    st.tuples(*(objects_life(f"uid-{number}", CREATED) for number in range(3))).flatmap(
        lambda lives: scrambled([each for life in lives for each in life if each.operation != "delete"])
    )
)
def test_of_one_second_nobody_comes_back_who_was_taken_over_from(arrived: list[Request]) -> None:
    _, effects = run(arrived)
    owners = [owner for owner, _ in groupby(effect.uid for effect in effects)]
    assert len(owners) == len(set(owners))

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from landlord.api import names
from landlord.backends.kubernetes.observed import generation_label

Object = dict[str, Any]
GENERATIONS = st.integers(1, 10**9)


def manifest(spec_hash: str = "h") -> Object:
    return {"metadata": {"name": "tenant", "labels": {names.LABEL_SPEC_HASH: spec_hash}}}


def live(generation: int, stamped: int, spec_hash: str = "h") -> Object:
    applied = generation_label.with_generation(manifest(spec_hash), stamped)
    return applied | {"metadata": applied["metadata"] | {"generation": generation}}


@given(GENERATIONS, GENERATIONS)
def test_an_object_is_changed_when_its_generation_is_not_the_stamped_one(now: int, stamped: int) -> None:
    assert generation_label.is_changed(live(now, stamped)) == (now != stamped)


def test_nothing_is_said_of_an_object_without_a_stamp() -> None:
    assert not generation_label.is_changed({"metadata": {"generation": 7, "labels": {}}})
    assert not generation_label.is_changed({"metadata": {"generation": 7}})


def test_a_stamp_leaves_the_manifest_as_it_is() -> None:
    before = manifest()
    generation_label.with_generation(before, 3)
    assert before == manifest()


@given(GENERATIONS)
def test_a_generation_is_expected_to_be_one_more_unless_the_same_was_applied_and_nobody_changed_it(
    now: int,
) -> None:
    assert generation_label.predict_generation(manifest(), None) == 1
    assert generation_label.predict_generation(manifest("h"), live(now, now, "h")) == now
    assert generation_label.predict_generation(manifest("new"), live(now, now, "h")) == now + 1
    assert generation_label.predict_generation(manifest("h"), live(now, now + 1, "h")) == now + 1
    assert generation_label.predict_generation(manifest("h"), {"metadata": {"generation": now}}) == now + 1

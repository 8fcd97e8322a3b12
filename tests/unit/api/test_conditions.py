"""How conditions change, as metav1.Condition has it."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from landlord.api.conditions import MAX_MESSAGE, Verdict, find, merge, shortened

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)

statuses = st.sampled_from(["True", "False", "Unknown"])


@given(before=statuses, after=statuses)
def test_the_transition_time_moves_exactly_when_the_status_flips(before: str, after: str) -> None:
    old = merge((), [Verdict("Ready", before, "Before", "m")], 1, NOON)  # type: ignore[arg-type]
    new = merge(old, [Verdict("Ready", after, "After", "n")], 2, LATER)  # type: ignore[arg-type]
    assert new[0].last_transition_time == (NOON if before == after else LATER)
    assert (new[0].reason, new[0].observed_generation) == ("After", 2)


def test_times_are_told_in_whole_seconds_as_everywhere_in_kubernetes() -> None:
    merged = merge((), [Verdict("Ready", "True", "R", "m")], 1, NOON.replace(microsecond=123456))
    assert merged[0].last_transition_time == NOON


def test_what_no_verdict_speaks_of_is_dropped() -> None:
    old = merge((), [Verdict("Ready", "False", "R", "m"), Verdict("Stalled", "True", "R", "m")], 1, NOON)
    new = merge(old, [Verdict("Ready", "True", "R", "m")], 1, LATER)
    assert find(new, "Stalled") is None


@given(st.text())
def test_a_message_is_never_empty_and_never_too_long(text: str) -> None:
    assert 0 < len(shortened(text)) <= MAX_MESSAGE

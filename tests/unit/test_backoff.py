from hypothesis import given
from hypothesis import strategies as st

from landlord.backoff import BACKOFF_CAP, backoff


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_backoff_stays_within_its_bounds(failures: int, chance: float) -> None:
    assert 0.15 < backoff(failures, lambda: chance) <= BACKOFF_CAP * 1.2 + 1e-9

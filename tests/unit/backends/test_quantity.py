from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kubernetes.utils.quantity import parse_quantity as official

from landlord.backends.quantity import parse_quantity

NUMBERS = st.one_of(
    st.integers(0, 10**9).map(str),
    st.decimals(0, 10**6, places=3).map(lambda number: f"{number:f}"),
)
SUFFIXES = st.sampled_from(["", "n", "u", "m", "k", "M", "G", "T", "P", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"])


@given(NUMBERS, SUFFIXES)
def test_reads_what_the_official_client_reads(number: str, suffix: str) -> None:
    assert parse_quantity(number + suffix) == official(number + suffix)


@pytest.mark.parametrize(
    ("quantity", "number"),
    [(2, "2"), ("500m", "0.5"), ("128Mi", "134217728"), ("1e3", "1000"), (".5", "0.5"), ("1E", "1e18")],
)
def test_reads_numbers(quantity: int | str, number: str) -> None:
    assert parse_quantity(quantity) == Decimal(number)


@pytest.mark.parametrize("text", ["", "much", "1 Gi", "1mi", "Gi", "1GiB", "1\n", "nan", "0x10"])
def test_refuses_the_rest(text: str) -> None:
    with pytest.raises(ValueError, match="is not a quantity such as 500m or 128Mi"):
        parse_quantity(text)

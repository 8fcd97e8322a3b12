from statistics import median

import pytest
from bench.stats import Comparison, Run, average_per_tenant, percentile
from bench.tables import format_table
from hypothesis import given
from hypothesis import strategies as st

VALUES = st.lists(st.floats(min_value=0, max_value=1e6), min_size=1)


def run(*latencies: float, seconds: float = 0.0, cpu: float = 0.0) -> Run:
    return Run(seconds=seconds, latencies=latencies, cpu={"operator": cpu}, rss={})


@pytest.mark.parametrize(
    ("percent", "expected"), [(0, 1), (1, 1), (50, 50), (50.5, 51), (99, 99), (99.1, 100), (100, 100)]
)
def test_a_percentile_of_1_to_100_is_its_own_number(percent: float, expected: float) -> None:
    assert percentile(range(100, 0, -1), percent) == expected


@given(VALUES, st.floats(min_value=0, max_value=100))
def test_a_percentile_is_one_of_the_values_and_that_many_do_not_exceed_it(
    values: list[float], percent: float
) -> None:
    found = percentile(values, percent)
    assert found in values
    assert sum(value <= found for value in values) >= percent / 100 * len(values) * (1 - 1e-9)


@given(VALUES.filter(lambda values: len(values) % 2 == 1))
def test_half_of_an_odd_number_is_the_median(values: list[float]) -> None:
    assert percentile(values, 50) == median(values)


def test_one_by_one_compares_tenants_over_all_runs() -> None:
    found = Comparison("", True, landlord=[run(2, 4), run(6)], floor=[run(1, 2, seconds=99), run(3)])
    assert found.ratio == 4 / 2
    assert found.tenants == 3


def test_at_once_compares_whole_runs() -> None:
    landlord = [run(9, seconds=3), run(9, seconds=100), run(9, seconds=5)]
    floor = [run(9, seconds=4), run(9, seconds=2), run(9, seconds=3)]
    assert Comparison("", False, landlord=landlord, floor=floor).ratio == pytest.approx(5 / 3)


def test_what_processes_spend_is_told_per_tenant_over_all_runs() -> None:
    assert average_per_tenant([run(1, 1, 1, cpu=6), run(1, cpu=2)], "cpu") == {"operator": 2}


def test_columns_of_a_table_line_up() -> None:
    assert format_table("Title", ["", "a"], [["long name", "1"], ["x", "20"]]).splitlines() == [
        "Title",
        "            a",
        "long name   1",
        "x          20",
    ]

from dataclasses import replace

import pytest
from bench.repairs import Figures, FloorRepair, Repair, format_tables, summarize

WELL = Repair(
    away=0.6, registered=0.1, verified=0.2, resumed=0.3, ready=2.0, in_flight=10, not_ready=(), disturbed=()
)


def figures(*repairs: Repair, **changed: object) -> Figures:
    found = Figures(
        tenants=100,
        in_flight=10,
        work=(1.0, 2.0),
        repairs=repairs,
        duplicates={},
        losses={"store_lost": len(repairs)},
        floor=[FloorRepair(registered=0.04, resumed=0.25)],
        others=0.25,
    )
    return replace(found, **changed)  # type: ignore[arg-type]


def test_a_run_is_without_fault_when_every_loss_was_counted_and_nothing_came_of_it() -> None:
    assert figures(WELL, WELL).faults == []


@pytest.mark.parametrize(
    ("found", "fault"),
    [
        (figures(WELL, duplicates={"a": 1, "b": 2}), "3 resources created twice"),
        (figures(replace(WELL, not_ready=("a",)), WELL), "1 Tenants with lost work"),
        (figures(WELL, replace(WELL, disturbed=("a", "b"))), "2 settled Tenants written or worked on"),
        (figures(WELL, WELL, losses={"store_lost": 1}), "1 losses counted by the operator, not 2"),
        (
            figures(WELL, losses={"store_lost": 1, "superseded": 1}),
            "2 losses counted by the operator, not 1",
        ),
        (figures(WELL, losses={}), "0 losses counted by the operator, not 1"),
    ],
)
def test_whatever_must_not_be_is_a_fault(found: Figures, fault: str) -> None:
    assert found.faults == [fault]


def test_figures_are_over_all_rounds() -> None:
    found = figures(*(replace(WELL, verified=n / 100) for n in range(1, 101)))
    assert summarize(found)["verified"] == {"p50": 0.5, "p99": 0.99, "max": 1.0}
    assert summarize(found)["ready"] == {"p50": 2.0, "p99": 2.0, "max": 2.0}


def test_tables_say_what_was_measured_and_what_came_of_it() -> None:
    said = format_tables(figures(WELL, replace(WELL, verified=0.25, in_flight=9)))
    assert (
        "Restate killed and its store deleted 2 times, 100 Tenants, 10 of them in flight for 1 to 2 s" in said
    )
    rows = [line.split("  ") for line in said.splitlines() if line]
    found = {row[0]: [cell.strip() for cell in row[1:] if cell] for row in rows}
    assert found["registered and verified, according to the operator too"] == [
        "0.200 s",
        "0.250 s",
        "0.250 s",
    ]
    assert found["registered, according to Restate"] == ["0.100 s"] * 3 + ["0.040 s"] * 3
    assert found["losses counted by the operator"] == ["store_lost 2 of 2"]
    assert found["Tenants in flight when Restate was killed"] == ["19 of 20"]

"""Series that are there before anything has happened."""

from typing import get_args

import pytest
from prometheus_client import Counter

from landlord import metrics
from landlord.api.outcome import Outcome
from landlord.api.request import Operation
from landlord.engines.restate.keeper import Trigger
from landlord.engines.restate.refusals import Reason
from landlord.engines.restate.verdict import LossCause


def values(counter: Counter, label: str) -> set[str]:
    return {sample.labels[label] for metric in counter.collect() for sample in metric.samples}


@pytest.mark.parametrize(
    ("counter", "label", "known"),
    [
        (metrics.registration_lost, "cause", get_args(LossCause)),
        (metrics.registration_checks, "trigger", get_args(Trigger)),
        (metrics.workflow_total, "operation", get_args(Operation)),
        (
            metrics.workflow_total,
            "outcome",
            [result.lower() for result in get_args(Outcome.model_fields["result"].annotation)],
        ),
    ],
)
def test_each_event_that_can_be_counted_begins_at_zero_so_that_the_first_is_an_increase(
    counter: Counter, label: str, known: list[str]
) -> None:
    assert values(counter, label) == set(known)


def test_every_refusal_is_an_outcome_of_an_attempt() -> None:
    outcomes = values(metrics.registration_attempts, "outcome")

    assert len(outcomes - {"verified", "unverified"}) == len(get_args(Reason))


def test_the_worker_exports_nothing_that_only_an_operator_knows() -> None:
    names = {metric.name for metric in metrics.WORKER.collect()}

    assert {name for name in names if name.startswith("landlord_")} == {
        "landlord_build_info",
        "landlord_secrets_unlisted_namespaces",
        "landlord_step_seconds",
        "landlord_step_failures",
    }
    assert {"process_cpu_seconds", "python_info"} <= names

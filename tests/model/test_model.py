"""The model holds, and it finds bugs that are planted on purpose in landlord's own code (bugs.py):

1. the fence lets an older generation pass
2. every attempt at a generation has the same idempotency key
3. the outcome of one request counts for another one
4. a deletion that failed releases its Tenant
5. the cache takes an older version of a Tenant for the newest
6. a Tenant counts as settled although its spec has changed
7. what is submitted has another attempt than what is waited for
"""

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from tests.model.bugs import PLANTS, Plant
from tests.model.machine import Landlord

IS_DEEP = settings().max_examples > 1000
MODEL = settings(
    max_examples=settings().max_examples if IS_DEEP else 60,
    stateful_step_count=settings().stateful_step_count if IS_DEEP else 30,
    derandomize=not IS_DEEP,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
FINDING = settings(
    MODEL,
    max_examples=500,
    stateful_step_count=30,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    report_multiple_bugs=False,
)
"""The same examples each time, and no more once one has failed."""

TestLandlord = Landlord.TestCase
TestLandlord.settings = MODEL


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.__name__.removeprefix("plant_"))
def test_it_finds(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)
    with pytest.raises(AssertionError):
        run_state_machine_as_test(Landlord, settings=FINDING)


def test_all_planted_bugs_are_listed() -> None:
    assert len(PLANTS) == sum(line[:1].isdecimal() for line in (__doc__ or "").splitlines())

import pytest
from bench.readiness import Readiness

from landlord.api.schema import JsonObject

NAME = ("measured", "acme")


def event(generation: int, *, ready: str = "True", observed: int | None = None) -> JsonObject:
    condition = {"type": "Ready", "status": ready, "observedGeneration": observed or generation}
    metadata = {"namespace": NAME[0], "name": NAME[1], "generation": generation}
    return {"type": "MODIFIED", "object": {"metadata": metadata, "status": {"conditions": [condition]}}}


@pytest.mark.parametrize(
    ("seen", "done"),
    [
        (event(2), True),
        (event(3), True),
        (event(1), False),
        (event(2, observed=1), False),
        (event(2, ready="False"), False),
    ],
)
async def test_a_changed_tenant_is_ready_only_at_its_new_generation(seen: JsonObject, done: bool) -> None:
    readiness = Readiness()
    ready = readiness.expect_ready(*NAME, generation=2)
    readiness.process_event(seen)
    assert ready.done() == done


async def test_a_tenant_that_is_gone_is_not_ready() -> None:
    readiness = Readiness()
    ready, gone = readiness.expect_ready(*NAME), readiness.expect_gone(*NAME)
    readiness.process_event(event(1, ready="False") | {"type": "DELETED"})
    assert (ready.done(), gone.done()) == (False, True)

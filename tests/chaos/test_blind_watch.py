"""A watch that ends or is refused: neither the leader nor the standby stays blind.

`pytest -rP` prints how long that took, for docs/reliability.md.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.support.faulty_api import FaultyApi
from tests.support.pair import Pair, pairs
from tests.support.polling import eventually
from tests.support.session import Session
from tests.support.specs import memory
from tests.support.system import Landlord, System

from dev.cluster import ControlPlane

FAULTS: dict[str, Callable[[FaultyApi], None]] = {
    "an ERROR event": lambda api: api.send_error_event(500),
    "a CRD that is gone for a while": lambda api: api.answer(404),
    "rights that are gone for a while": lambda api: api.answer(403),
    "an API server that fails for a while": lambda api: api.answer(503, others=True),
}
WATCHES = 2
"""Both operators must have met a fault."""


@pytest.fixture
def api(control_plane: ControlPlane) -> Iterator[FaultyApi]:
    with FaultyApi(control_plane).serving() as api:
        yield api


@pytest.fixture
def pair(
    new_landlord: Landlord, session: Session, control_plane: ControlPlane, api: FaultyApi, tmp_path: Path
) -> Iterator[Pair]:
    def kubeconfig(_: System, name: str) -> Path:
        return api.write_kubeconfig(tmp_path / name)

    with pairs(session, control_plane, new_landlord, kubeconfig) as pair:
        yield pair


@pytest.mark.parametrize("fault", FAULTS)
def test_the_leader_and_then_the_standby_see_what_was_created_after_the_fault(
    pair: Pair, api: FaultyApi, name: str, fault: str
) -> None:
    first = eventually(pair.leader)
    FAULTS[fault](api)
    api.cut()
    eventually(lambda: api.hits >= 2 * WATCHES, what="both watches meet the fault")
    pair.system.apply(name, memory())
    api.heal()
    healed = time.monotonic()
    pair.system.until(name, "Ready", "True")
    print(f"{fault}: a new Tenant is Ready {time.monotonic() - healed:.1f} s after the fault is over")

    pair.operators[first].stop()
    (second,) = pair.operators.keys() - {first}
    eventually(lambda: pair.leader() == second, what="the standby leads")
    pair.system.apply(f"{name}-2", memory())
    pair.system.until(f"{name}-2", "Ready", "True")
    pair.system.delete(name, f"{name}-2")

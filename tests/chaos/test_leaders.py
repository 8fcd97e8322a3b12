"""Two operators with leader election: one acts, and the other takes over when it ends, however it ends."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.pair import Pair, pairs
from tests.support.polling import eventually
from tests.support.programs import Ended, readiness, run
from tests.support.rbac import LEASE_RULES, OPERATOR_RULES, account
from tests.support.session import Session
from tests.support.specs import memory
from tests.support.system import Landlord, System

from dev.cluster import ControlPlane
from landlord.controller.act.leader import LEASE_SECONDS, RETRY_SECONDS


@pytest.fixture
def pair(new_landlord: Landlord, session: Session, control_plane: ControlPlane) -> Iterator[Pair]:
    def kubeconfig(system: System, name: str) -> Path:
        return account(control_plane, system.namespace, name, [*OPERATOR_RULES, *LEASE_RULES])

    with pairs(session, control_plane, new_landlord, kubeconfig) as pair:
        yield pair


def test_who_stands_by_is_not_taken_for_one_that_watches_over_the_registration(
    pair: Pair, tmp_path: Path
) -> None:
    first = eventually(pair.leader)
    (second,) = pair.operators.keys() - {first}

    def asked(name: str) -> Ended:
        program = pair.operators[name]
        return run(tmp_path, "registration", program.settings, "--operator-url", program.url)

    eventually(lambda: asked(first).code == 0)
    ended = asked(second)
    assert ended.code == 1
    assert ended.printed.startswith("TenantProvisioning: Registered")
    assert (
        f"the operator at {pair.operators[second].url} is a standby and has not asked Restate"
        in ended.printed
    )


def test_one_of_two_acts_and_the_other_goes_on_with_its_work_when_it_ends(pair: Pair, name: str) -> None:
    first = eventually(pair.leader)
    (second,) = pair.operators.keys() - {first}
    status, gates = readiness(pair.operators[second])
    assert (status, {name for name, gate in gates.items() if gate["ok"]}) == (
        200,
        {"apiServer", "crd", "cache", "watch"},
    )
    assert {gates[name]["message"] for name in ("leader", "engine", "registration")} == {
        "standing by: another replica leads and checks this"
    }
    pair.system.apply(name, memory())
    pair.system.until(name, "Ready", "True")
    assert pair.writers(name) == {first}

    slow = f"{name}-slow"
    pair.system.apply(slow, memory(MEMORY_DELAY="3"))
    pair.system.until(slow, "Provisioned", "False")
    pair.operators[first].stop()
    assert pair.holder() == "" or pair.leader() == second, "the lease was released"
    assert eventually(pair.leader, within=3 * RETRY_SECONDS) == second
    pair.system.until(slow, "Ready", "True")

    pair.operators[first].start()
    assert pair.leader() == second
    pair.operators[second].kill()
    pair.system.apply(slow, memory(ports=1))
    assert eventually(pair.leader, within=LEASE_SECONDS + 5 * RETRY_SECONDS) == first
    assert len(pair.system.until(slow, "Ready", "True")["status"]["endpoints"]) == 1
    assert pair.writers(slow) == {first, second}
    pair.system.delete(name, slow)

"""Two operators with leader election: one acts, and the other takes over when it ends, however it ends."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.support.audit import writes_of
from tests.support.polling import eventually
from tests.support.programs import Ended, readiness, run
from tests.support.rbac import LEASE_RULES, OPERATOR_RULES, account
from tests.support.session import Session
from tests.support.specs import memory
from tests.support.system import Landlord, System

from dev.cluster import ControlPlane
from dev.net import free_ports
from dev.programs import Program, operator
from landlord.api.names import LEASE
from landlord.controller.act.leader import LEASE_SECONDS, RETRY_SECONDS


@dataclass
class Pair:
    """Two operators of one landlord, each with a service account of its own."""

    system: System
    control_plane: ControlPlane
    operators: dict[str, Program]

    def leader(self) -> str:
        """The account of the one that leads; empty while none does."""
        leading = [
            account
            for account, program in self.operators.items()
            if readiness(program)[1].get("leader", {}).get("ok")
        ]
        assert len(leading) <= 1
        return "".join(leading)

    def holder(self) -> str:
        """Who holds the lease; empty when it was released."""
        lease = self.system.kubectl.api.get("lease", LEASE, namespace=self.system.namespace)
        return str(lease["spec"].get("holderIdentity", ""))

    def writers(self, tenant: str) -> set[str]:
        """The accounts that wrote to a Tenant."""
        return {
            account
            for account in self.operators
            for write in writes_of(self.control_plane, self.system.namespace, account)
            if write.name == tenant
        }


@pytest.fixture
def pair(new_landlord: Landlord, session: Session, control_plane: ControlPlane) -> Iterator[Pair]:
    system = new_landlord(LANDLORD_LEADER_ELECTION="true")
    operators = {}
    for name in ("one", "two"):
        rules = [*OPERATOR_RULES, *LEASE_RULES]
        settings = system.operator.settings | {
            "KUBECONFIG": str(account(control_plane, system.namespace, name, rules)),
            "LANDLORD_NAMESPACE": system.namespace,
        }
        (port,) = free_ports(1)
        operators[name] = operator(
            session.folder(name),
            mark=session.mark,
            port=port,
            settings=settings,
            launch=session.nursery.start,
        )
    system.restate.start()
    system.worker.start(wait=False)
    for program in operators.values():
        program.start(wait=False)
    for program in operators.values():
        program.wait_ready()
    yield Pair(system, control_plane, operators)
    for program in operators.values():
        program.stop()


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
        {"apiServer", "crd", "cache"},
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

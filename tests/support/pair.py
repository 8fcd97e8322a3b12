"""Two operators with leader election before one worker and one Restate."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.audit import writes_of
from tests.support.programs import readiness
from tests.support.session import Session
from tests.support.system import Landlord, System

from dev.cluster import ControlPlane
from dev.net import free_ports
from dev.programs import Program, operator
from landlord.api.names import LEASE


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


@contextmanager
def pairs(
    session: Session,
    control_plane: ControlPlane,
    new_landlord: Landlord,
    kubeconfig: Callable[[System, str], Path],
) -> Iterator[Pair]:
    """Run two operators meanwhile, "one" and "two", each with the kubeconfig that it is given."""
    system = new_landlord(LANDLORD_LEADER_ELECTION="true")
    operators = {}
    for name in ("one", "two"):
        settings = system.operator.settings | {
            "KUBECONFIG": str(kubeconfig(system, name)),
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

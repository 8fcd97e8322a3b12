"""How often the operator writes to the API server, which is the dearest part of a Tenant."""

import time
from dataclasses import dataclass

import pytest
from tests.support.audit import Write, writes_of
from tests.support.metrics import total
from tests.support.polling import eventually
from tests.support.rbac import OPERATOR_RULES, account
from tests.support.specs import memory
from tests.support.system import Landlord, System

from dev.cluster import ControlPlane
from landlord.controller.act.reconcile import COSMETIC_PACE, PATIENCE
from landlord.controller.tell.sweep import BAD_NEWS_SECONDS
from landlord.workflow.attempt import LONGEST_RETRY

ACCOUNT = "operator"
AT_ONCE = 10
IN_TURN = 5
WATCHED_SECONDS = BAD_NEWS_SECONDS + 5

FINALIZER = ("patch", "tenants")
STATUS = ("patch", "tenants/status")


@dataclass
class Audited:
    """A landlord whose operator has an account, and just the rights, of its own."""

    system: System
    control_plane: ControlPlane

    def writes(self, name: str | None = None) -> list[Write]:
        """Those of the operator so far, about one Tenant or all."""
        found = writes_of(self.control_plane, self.system.namespace, ACCOUNT)
        return [write for write in found if name in (None, write.about)]

    def life(self, name: str, *, events: int) -> list[tuple[str, str]]:
        """Those on a Tenant that is gone by now, besides so many Events. None may have failed."""

        def ended() -> list[Write]:
            writes = self.writes(name)
            assert len([write for write in writes if write.resource == "events"]) == events
            return writes

        writes = eventually(ended, what="the last Event is written")
        assert {write.status for write in writes} <= {200, 201}, writes
        return [(write.verb, write.resource) for write in writes if write.resource != "events"]


@pytest.fixture(scope="module")
def audited(new_landlord: Landlord, control_plane: ControlPlane) -> Audited:
    system = new_landlord()
    kubeconfig = account(control_plane, system.namespace, ACCOUNT, OPERATOR_RULES)
    system.operator.settings["KUBECONFIG"] = str(kubeconfig)
    system.start()
    return Audited(system, control_plane)


def workflows_ended(system: System) -> float:
    """How many outcomes of applies the operator has heard."""
    return total(system.operator.url, "landlord_workflow_total", operation="apply")


def test_short_work_costs_two_writes_an_update_one_and_the_deletion_one_and_an_event_each(
    audited: Audited, name: str
) -> None:
    system = audited.system
    names = [f"{name}-{number}" for number in range(IN_TURN)]
    for each in names:
        for ports in (1, 2):
            system.apply(each, memory(ports=ports))
            system.until(each, "Ready", "True")
    system.delete(*names)
    lives = [audited.life(each, events=3) for each in names]
    assert [FINALIZER, STATUS, STATUS, FINALIZER] in lives
    # On a busy machine short work takes long, which is said once for each generation.
    for life in lives:
        assert (life[0], life[-1]) == (FINALIZER, FINALIZER)
        assert set(life[1:-1]) == {STATUS}
        assert 4 <= len(life) <= 7


def test_long_work_costs_one_write_that_it_goes_on_and_one_that_names_its_step(
    audited: Audited, name: str
) -> None:
    audited.system.apply(name, memory(MEMORY_DELAY="5"))
    audited.system.until(name, "Ready", "True")
    audited.system.delete(name)
    assert audited.life(name, events=2) == [FINALIZER, STATUS, STATUS, STATUS, FINALIZER]


def test_work_that_ends_while_it_is_said_to_go_on_is_not_asked_for_again(audited: Audited, name: str) -> None:
    system = audited.system
    names = [f"{name}-{number}" for number in range(AT_ONCE)]
    before = workflows_ended(system)
    system.apply_all({each: memory(MEMORY_DELAY=str(PATIENCE)) for each in names})
    system.until_all(names, "Ready", "True")
    assert workflows_ended(system) - before == AT_ONCE
    system.delete(*names)


def test_nothing_is_written_while_nothing_changes_nor_at_a_restart_and_little_while_work_fails(
    audited: Audited, name: str
) -> None:
    system = audited.system
    settled = [f"{name}-{number}" for number in range(AT_ONCE)]
    system.apply_all({each: memory(ports=1) for each in settled} | {name: memory(MEMORY_ERROR="full")})
    system.until_all(settled, "Ready", "True")
    system.until(name, "Provisioned", "False", reason="BackingOff")

    system.operator.stop()
    before = audited.writes()
    system.operator.start()
    time.sleep(WATCHED_SECONDS)  # nothing to wait for: what is to be seen is that nothing happens
    written = audited.writes()[len(before) :]

    assert {(write.name, write.resource) for write in written} == {(name, "tenants/status")}
    tries = WATCHED_SECONDS / LONGEST_RETRY
    at_most = 2 + WATCHED_SECONDS / COSMETIC_PACE
    assert len(written) <= at_most < tries
    assert {write.resource for write in audited.writes()} == {"tenants", "tenants/status", "events"}

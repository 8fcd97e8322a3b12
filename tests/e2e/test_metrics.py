"""What Prometheus reads from operators and worker that have done work."""

import time
from collections.abc import Iterator

import pytest
from tests.support.metrics import names, samples, scraped, total
from tests.support.polling import eventually
from tests.support.programs import readiness
from tests.support.promtool import promtool
from tests.support.session import Session
from tests.support.specs import memory
from tests.support.system import Landlord, System

from dev.net import free_ports
from dev.programs import Program, operator
from landlord import __version__

ONLY_BY_THE_LEADER = {
    "landlord_registration_up",
    "landlord_registration_state",
    "landlord_registration_last_verified_timestamp_seconds",
    "landlord_engine_reachable",
    "landlord_tenants",
    "landlord_tenants_unready_since_timestamp_seconds",
    "landlord_queue_depth",
}


@pytest.fixture(scope="module")
def system(new_landlord: Landlord) -> System:
    """Has provisioned, changed, failed and removed Tenants, and lost its registration once."""
    system = new_landlord(LANDLORD_LEADER_ELECTION="true", LANDLORD_NAMESPACE="default")
    system.start()
    eventually(lambda: total(system.operator.url, "landlord_registration_up"))
    system.apply_all(
        {
            "stays": memory(ports=1),
            "goes": memory(),
            "hopeless": memory(MEMORY_TERMINAL="no such thing"),
            "failing": memory(MEMORY_ERROR="not yet"),
        }
    )
    system.until_all(["stays", "goes"], "Ready", "True")
    system.until("hopeless", "Provisioned", "False", reason="Failed")
    system.until("failing", "Provisioned", "False", reason="BackingOff")
    system.apply("stays", memory(ports=2))
    system.until("stays", "Ready", "True")
    system.delete("goes")
    system.restate.wipe()
    system.restate.start()
    eventually(lambda: total(system.operator.url, "landlord_registration_lost_total"))
    eventually(lambda: total(system.operator.url, "landlord_registration_up"))
    return system


@pytest.fixture(scope="module")
def standby(system: System, session: Session) -> Iterator[Program]:
    """A second operator, which waits for its turn."""
    (port,) = free_ports(1)
    program = operator(
        session.folder("standby"),
        mark=session.mark,
        port=port,
        settings=system.operator.settings,
        launch=session.nursery.start,
    )
    program.start()
    eventually(lambda: "leader" in readiness(program)[1])
    yield program
    program.stop()


def test_promtool_has_nothing_to_object_to(system: System, standby: Program) -> None:
    for program in (system.operator, standby, system.worker):
        checked = promtool("check", "metrics", given=scraped(program.url))

        assert (checked.passed, checked.said) == (True, "")


def test_the_leader_tells_the_registration_and_the_engine(system: System) -> None:
    url = system.operator.url

    assert total(url, "landlord_leader") == 1
    assert total(url, "landlord_registration_up") == total(url, "landlord_engine_reachable") == 1
    assert {
        sample.labels["reason"]: sample.value
        for sample in samples(url)
        if sample.name == "landlord_registration_state"
    } == {"Registered": 1}
    assert 0 <= time.time() - total(url, "landlord_registration_last_verified_timestamp_seconds") < 60
    assert total(url, "landlord_registration_lost_total") == 1
    assert total(url, "landlord_registration_repair_seconds_count") == 1
    assert total(url, "landlord_registration_attempts_total", outcome="verified") >= 2


def test_the_leader_counts_tenants_and_says_since_when_some_are_not_ready(system: System) -> None:
    url = system.operator.url

    assert total(url, "landlord_tenants", phase="Ready", provider="memory") == 1
    assert total(url, "landlord_tenants") == 3
    for phase in ("Failed", "Provisioning"):

        def since(phase: str = phase) -> float:
            return total(url, "landlord_tenants_unready_since_timestamp_seconds", phase=phase)

        # Work that Restate forgot is Pending for a moment.
        assert 0 < time.time() - eventually(since) < 300
    assert not total(url, "landlord_tenants_unready_since_timestamp_seconds", phase="Ready")


def test_the_leader_counts_and_times_its_work(system: System) -> None:
    url = system.operator.url

    def ready(operation: str) -> float:
        return total(url, "landlord_time_to_ready_seconds_count", operation=operation, provider="memory")

    assert (ready("create"), ready("update")) == (2, 1)
    assert total(url, "landlord_workflow_total", operation="apply", outcome="succeeded") == 3
    assert total(url, "landlord_workflow_total", operation="apply", outcome="failed") == 1
    assert total(url, "landlord_workflow_total", operation="delete", outcome="succeeded") == 1
    assert eventually(lambda: total(url, "landlord_workflows_in_flight")) == 1
    assert total(url, "landlord_reconcile_total", result="ok") == total(
        url, "landlord_reconcile_seconds_count"
    )
    assert total(url, "landlord_kubernetes_writes_total", resource="tenants/status", result="200") >= 4


def test_the_worker_times_and_counts_steps_and_exports_nothing_that_is_the_operator_s(system: System) -> None:
    url = system.worker.url

    assert total(url, "landlord_step_seconds_count", backend="memory", step="create") >= 4
    assert total(url, "landlord_step_failures_total", backend="memory", step="ready", kind="terminal") == 1
    assert total(url, "landlord_step_failures_total", backend="memory", step="ready", kind="retryable") > 1
    assert total(url, "landlord_build_info", version=__version__) == 1
    assert total(url, "process_resident_memory_bytes") > 0
    ours = {name for name in names(url) if name.startswith("landlord_")}
    assert all(name.startswith(("landlord_step_", "landlord_build_info")) for name in ours)


def test_a_replica_that_stands_by_claims_nothing_that_it_can_t_know(system: System, standby: Program) -> None:
    assert total(standby.url, "landlord_leader") == 0
    assert names(standby.url) & ONLY_BY_THE_LEADER == set()
    assert names(system.operator.url) >= ONLY_BY_THE_LEADER
    # What nobody has done yet is there as zero, or its first time would be no increase.
    assert names(standby.url) >= {"landlord_registration_lost_total", "landlord_reconcile_total"}


def test_a_replica_that_takes_over_tells_what_the_one_before_told(system: System, standby: Program) -> None:
    system.operator.stop()

    eventually(lambda: names(standby.url) >= ONLY_BY_THE_LEADER)
    eventually(lambda: total(standby.url, "landlord_registration_up"))
    assert total(standby.url, "landlord_tenants") == 3
    assert total(standby.url, "landlord_registration_lost_total") == 0


def test_with_the_local_engine_the_operator_is_registered_and_times_the_steps_itself(
    new_landlord: Landlord,
) -> None:
    system = new_landlord(LANDLORD_ENGINE="local")
    system.operator.start()
    url = system.operator.url
    system.apply("one", memory())
    system.until("one", "Ready", "True")

    assert total(url, "landlord_registration_up") == total(url, "landlord_engine_reachable") == 1
    assert total(url, "landlord_step_seconds_count", backend="memory", step="ready") == 1
    checked = promtool("check", "metrics", given=scraped(url))
    assert (checked.passed, checked.said) == (True, "")

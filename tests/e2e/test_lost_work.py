"""What is done again after Restate's store was lost, or while nobody listened, and what is not."""

from collections import Counter
from collections.abc import Iterable

import docker
import pytest
from tests.support.containers import containers_of
from tests.support.invocations import Counts, invocations, unfinished
from tests.support.ledger import STEPS, LedgerBackend
from tests.support.metrics import total
from tests.support.polling import eventually
from tests.support.session import Session
from tests.support.specs import Spec, memory, web
from tests.support.status import conditions, workflow
from tests.support.system import Landlord, System

from dev.plugin import write_plugin

DONE = [*STEPS]


def lost(system: System) -> float:
    return total(system.operator.url, "landlord_registration_lost_total", cause="store_lost")


def repaired(system: System) -> float:
    return total(system.operator.url, "landlord_registration_repair_seconds_count")


def known(system: System, tenants: Iterable[str]) -> Counts:
    """How often each of these tenants was submitted, by tenantID and handler."""
    asked = invocations(system.restate)
    return Counter({key: times for key, times in asked.items() if key[0] in tenants})


@pytest.fixture(scope="module")
def system(session: Session, new_landlord: Landlord, ledger: LedgerBackend) -> System:
    plugin = write_plugin(session.folder("plugin"), LedgerBackend)
    system = new_landlord(LANDLORD_BACKENDS="memory,docker,ledger", LEDGER=str(ledger.folder), **plugin)
    system.start()
    return system


def recorded(**env: str) -> Spec:
    """A Tenant of the ledger."""
    container = {
        "name": "app",
        "image": "any",
        "env": [{"name": name, "value": value} for name, value in env.items()],
    }
    return {"compute": {"provider": "ledger"}, "workload": {"containers": [container]}}


def is_held(system: System, ledger: LedgerBackend, tenant: str) -> bool:
    """Whether its work is under way, and the Tenant says so."""
    return ledger.entries(tenant)[-1:] == ["two begins"] and "step" in workflow(system.tenant(tenant))


@pytest.mark.parametrize("store", ["lost", "kept"])
def test_restate_comes_back_and_what_was_unfinished_is_finished_while_what_was_settled_is_left_alone(
    system: System,
    ledger: LedgerBackend,
    name: str,
    docker_engine: docker.DockerClient,
    web_image: str,
    store: str,
) -> None:
    ready, web_ready, failed = settled = [f"{name}-{which}" for which in ("ready", "web", "failed")]
    system.apply_all({ready: recorded(), web_ready: web(web_image), failed: memory(MEMORY_TERMINAL="no")})
    system.until_all([ready, web_ready], "Ready", "True")
    system.until(failed, "Stalled", "True")
    held, failing, starting, new = unsettled = [
        f"{name}-{which}" for which in ("held", "failing", "starting", "new")
    ]
    system.apply_all(
        {
            held: recorded(HOLD="two"),
            failing: recorded(FAIL="two:6"),
            starting: web(web_image, START_DELAY="8"),
        }
    )
    eventually(lambda: is_held(system, ledger, held), what="the held one is under way")
    eventually(lambda: "step" in workflow(system.tenant(failing)))
    made = eventually(lambda: containers_of(docker_engine, starting))
    versions = {each: system.tenant(each)["metadata"]["resourceVersion"] for each in settled}
    running = containers_of(docker_engine, web_ready)
    losses, repairs = lost(system), repaired(system)

    system.restate.kill()
    if store == "lost":
        system.restate.wipe()
    system.apply(new, recorded())
    system.restate.start()
    eventually(lambda: (held, "apply") in unfinished(system.restate), what="the held one goes on")
    ledger.release(held)
    system.until_all(unsettled, "Ready", "True")

    submitted = unsettled if store == "lost" else settled + unsettled
    assert known(system, settled + unsettled) == {(tenant, "apply"): 1 for tenant in submitted}
    assert {each: system.tenant(each)["metadata"]["resourceVersion"] for each in settled} == versions
    assert containers_of(docker_engine, web_ready) == running
    assert containers_of(docker_engine, starting) == made
    again = ["one"] if store == "lost" else []
    assert ledger.effects(ready) == ledger.effects(new) == DONE
    assert ledger.effects(held) == ledger.effects(failing) == again + DONE
    tenants = system.tenants()
    assert {workflow(tenants[each])["attempt"] for each in unsettled} == {1}
    assert lost(system) - losses == repaired(system) - repairs == (store == "lost")
    system.delete(*settled, *unsettled)


def test_work_that_ends_while_the_operator_is_away_is_recognised(
    system: System, ledger: LedgerBackend, name: str, docker_engine: docker.DockerClient, web_image: str
) -> None:
    held, web_starting = f"{name}-held", f"{name}-starting"
    system.apply_all({held: recorded(HOLD="two"), web_starting: web(web_image, START_DELAY="4")})
    eventually(lambda: is_held(system, ledger, held), what="the held one is under way")
    made = eventually(lambda: containers_of(docker_engine, web_starting))
    eventually(lambda: "invocationID" in workflow(system.tenant(web_starting)))
    ids = {each: workflow(system.tenant(each))["invocationID"] for each in (held, web_starting)}

    system.operator.kill()
    ledger.release(held)
    eventually(lambda: ledger.effects(held) == DONE)
    eventually(lambda: not unfinished(system.restate), what="all work has ended")
    assert conditions(system.tenant(held))["Ready"] == ("False", "Provisioning")
    system.operator.start()
    system.until_all([held, web_starting], "Ready", "True")

    tenants = system.tenants()
    assert {each: workflow(tenants[each])["invocationID"] for each in ids} == ids
    assert {workflow(tenants[each])["attempt"] for each in ids} == {1}
    assert known(system, ids) == {(tenant, "apply"): 1 for tenant in ids}
    assert ledger.effects(held) == DONE
    assert ledger.entries(held).count("two begins") == 1
    assert containers_of(docker_engine, web_starting) == made
    system.delete(held, web_starting)


def test_work_that_ends_while_the_operator_is_away_and_is_then_lost_is_done_again_and_makes_nothing_twice(
    system: System, ledger: LedgerBackend, name: str, docker_engine: docker.DockerClient, web_image: str
) -> None:
    held, web_starting = f"{name}-held", f"{name}-starting"
    system.apply_all({held: recorded(HOLD="two"), web_starting: web(web_image, START_DELAY="4")})
    eventually(lambda: is_held(system, ledger, held), what="the held one is under way")
    made = eventually(lambda: containers_of(docker_engine, web_starting))

    system.operator.kill()
    ledger.release(held)
    eventually(lambda: not unfinished(system.restate), what="all work has ended")
    system.restate.kill()
    system.restate.wipe()
    system.restate.start()
    system.operator.start()
    system.until_all([held, web_starting], "Ready", "True")

    assert invocations(system.restate) == {(tenant, "apply"): 1 for tenant in (held, web_starting)}
    assert ledger.effects(held) == [*DONE, *DONE]
    assert containers_of(docker_engine, web_starting) == made
    system.delete(held, web_starting)


def test_what_is_removed_while_the_operator_is_away_and_then_forgotten_by_restate_is_gone(
    system: System, ledger: LedgerBackend, name: str, docker_engine: docker.DockerClient, web_image: str
) -> None:
    recorded_one, web_one = f"{name}-recorded", f"{name}-web"
    system.apply_all({recorded_one: recorded(), web_one: web(web_image)})
    system.until_all([recorded_one, web_one], "Ready", "True")

    system.operator.kill()
    system.delete(recorded_one, web_one, timeout=0)
    system.restate.kill()
    system.restate.wipe()
    system.restate.start()
    system.operator.start()
    eventually(lambda: not system.tenants().keys() & {recorded_one, web_one}, what="both are gone")

    assert invocations(system.restate) == {(tenant, "delete"): 1 for tenant in (recorded_one, web_one)}
    assert ledger.effects(recorded_one) == [*DONE, "removed"]
    assert containers_of(docker_engine, web_one) == []

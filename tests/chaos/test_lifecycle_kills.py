"""Processes die while Tenants are made, stopped, archived and brought back: all get there with their data."""

import docker
import pytest
from tests.support.containers import containers_of
from tests.support.kills import KILLS, Kill, kill_operator, kill_worker
from tests.support.lifetimes import LONG, in_seconds
from tests.support.polling import eventually
from tests.support.specs import Spec
from tests.support.status import conditions, workflow
from tests.support.system import Landlord, System
from tests.support.views import OnDocker, OnKubernetes, View, as_asked

from dev.kubectl import Kubectl

EACH = 3


@pytest.fixture(scope="module")
def system(new_landlord: Landlord) -> System:
    system = new_landlord(LANDLORD_BACKENDS="docker,kubernetes", LANDLORD_SURVEY_SECONDS="1")
    system.start()
    return system


@pytest.fixture
def views(docker_engine: docker.DockerClient, web_image: str, kubectl: Kubectl, name: str) -> dict[str, View]:
    """A handful of Tenants by name, and where each is seen."""
    on_docker: dict[str, View] = {f"{name}-d{n}": OnDocker(docker_engine) for n in range(EACH)}
    return on_docker | {f"{name}-k{n}": OnKubernetes(kubectl) for n in range(EACH)}


def how_many_are_done(system: System, names: list[str]) -> int:
    """How many of the Tenants are as their present generation wants them."""
    tenants = system.tenants()
    return sum(
        conditions(tenants[each]).get("Ready", ("",))[0] == "True"
        and tenants[each]["status"]["observedGeneration"] == tenants[each]["metadata"]["generation"]
        for each in names
    )


def how_many_are_gone(system: System, names: list[str]) -> int:
    return len(set(names) - system.tenants().keys())


def changed(system: System, specs: dict[str, Spec], kill: Kill) -> bool:
    """Change all, kill when the first is done, and wait for the rest. Returns whether there was a rest."""
    names = list(specs)
    system.apply_all(specs)
    eventually(lambda: how_many_are_done(system, names), what="the first is done")
    was_amid = how_many_are_done(system, names) < len(names)
    kill(system)
    system.until_all(names, "Ready", "True")
    return was_amid


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kill", KILLS)
def test_every_tenant_ends_in_the_state_that_it_is_wanted_in_with_its_data(
    system: System, views: dict[str, View], kill: Kill
) -> None:
    active = {each: view.spec(each) for each, view in views.items()}
    amid = int(changed(system, active, kill))
    for each, view in views.items():
        assert as_asked(view, each, active[each]), each
        view.keep(each, f"of {each}")

    for state in ("Suspended", "Active", "Archived", "Active"):
        wanted = {each: spec | {"desiredState": state} for each, spec in active.items()}
        amid += changed(system, wanted, kill)
        for each, view in views.items():
            if state == "Active":
                assert as_asked(view, each, active[each]), each
            else:
                assert view.running(each) == [], each
            assert view.kept(each) == f"of {each}"
            if state == "Archived":
                assert view.left(each) == view.data(each)

    names = list(views)
    system.delete(*names, timeout=0)
    eventually(lambda: how_many_are_gone(system, names), what="the first is gone")
    amid += how_many_are_gone(system, names) < len(names)
    kill(system)
    eventually(lambda: how_many_are_gone(system, names) == len(names), what="all are gone")
    assert {each: view.left(each) for each, view in views.items()} == {each: [] for each in names}
    assert amid >= 4, "most of the time something died while there was work"


def in_state(system: System, names: list[str], state: str) -> int:
    """How many of the Tenants are in it."""
    tenants = system.tenants()
    return sum(tenants[each]["status"].get("state") == state for each in names)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kill", [kill_operator, kill_worker])
def test_tenants_that_expire_and_then_go_leave_their_data(
    system: System, views: dict[str, View], kill: Kill
) -> None:
    names = list(views)
    lifetime = {"expireAfter": LONG, "onExpiry": "Archive"}
    specs = {
        each: view.spec(each) | {"lifetime": lifetime, "deletion": {"policy": "Archive"}}
        for each, view in views.items()
    }
    system.apply_all(specs)
    system.until_all(names, "Ready", "True")
    for each, view in views.items():
        view.keep(each, f"of {each}")

    soon = in_seconds(system.tenant(names[0]), 3)
    system.apply_all(
        {each: spec | {"lifetime": lifetime | {"expireAfter": soon}} for each, spec in specs.items()}
    )
    eventually(lambda: in_state(system, names, "Archived"), what="the first is archived")
    kill(system)
    eventually(lambda: in_state(system, names, "Archived") == len(names), what="all are archived")

    system.delete(*names, timeout=0)
    kill(system)
    eventually(lambda: how_many_are_gone(system, names) == len(names), what="all are gone")
    for each, view in views.items():
        assert view.left(each) == view.data(each)
        assert view.kept(each) == f"of {each}"

    # Who takes them over and has the policy Delete removes the rest.
    system.apply_all({each: view.spec(each) | {"desiredState": "Archived"} for each, view in views.items()})
    system.until_all(names, "Ready", "True")
    system.delete(*names)
    assert {each: view.left(each) for each, view in views.items()} == {each: [] for each in names}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kill", [kill_operator, kill_worker])
def test_what_somebody_removed_is_made_again_once(
    system: System, views: dict[str, View], docker_engine: docker.DockerClient, kill: Kill
) -> None:
    names = list(views)
    specs = {each: view.spec(each) for each, view in views.items()}
    system.apply_all(specs)
    system.until_all(names, "Ready", "True")

    for each, view in views.items():
        if isinstance(view, OnDocker):
            for container in containers_of(docker_engine, each):
                docker_engine.containers.get(container).remove(force=True)
        else:
            system.api.delete("deployment", "tenant", namespace=f"tenant-{each}")
    eventually(lambda: repaired(system, names), what="the first is repaired")
    kill(system)
    eventually(lambda: repaired(system, names) == len(names), what="all are repaired")
    assert all(as_asked(view, each, specs[each]) for each, view in views.items())
    system.delete(*names)


def repaired(system: System, names: list[str]) -> int:
    """How many of the Tenants are Ready again after what was done to them."""
    tenants = system.tenants()
    ready = [tenants[each] for each in names if conditions(tenants[each])["Ready"] == ("True", "Provisioned")]
    return sum(workflow(each)["operation"] == "Repair" for each in ready)

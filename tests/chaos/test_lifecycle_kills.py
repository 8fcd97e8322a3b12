"""Processes die while Tenants are suspended, archived and brought back: all get there, with their data."""

import docker
import pytest
from tests.support.kills import KILLS, Kill
from tests.support.polling import eventually
from tests.support.specs import Spec
from tests.support.status import conditions
from tests.support.system import Landlord, System
from tests.support.views import OnDocker, OnKubernetes, View, as_asked

from landlord.dev.kubectl import Kubectl

EACH = 3
PATIENCE = 90.0


@pytest.fixture(scope="module")
def system(new_landlord: Landlord) -> System:
    system = new_landlord(LANDLORD_BACKENDS="docker,kubernetes")
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
    eventually(lambda: how_many_are_done(system, names), within=PATIENCE, what="the first is done")
    was_amid = how_many_are_done(system, names) < len(names)
    kill(system)
    system.until_all(names, "Ready", "True", timeout=PATIENCE)
    return was_amid


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kill", KILLS)
def test_every_tenant_ends_in_the_state_that_it_is_wanted_in_with_its_data(
    system: System, views: dict[str, View], kill: Kill
) -> None:
    active = {each: view.spec(each) for each, view in views.items()}
    system.apply_all(active)
    system.until_all(active, "Ready", "True", timeout=PATIENCE)
    for each, view in views.items():
        view.keep(each, f"of {each}")

    amid = 0
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
    system.kubectl("delete", "tenant", *names, "-n", system.namespace, "--wait=false")
    eventually(lambda: how_many_are_gone(system, names), within=PATIENCE, what="the first is gone")
    amid += how_many_are_gone(system, names) < len(names)
    kill(system)
    eventually(lambda: how_many_are_gone(system, names) == len(names), within=PATIENCE, what="all are gone")
    assert {each: view.left(each) for each, view in views.items()} == {each: [] for each in names}
    assert amid, "something died while there was work"

"""After any storm everything is as it is wanted: nothing stuck, doubled, left behind, outdated or untrue.

The test's name has the seed: `STORM_SEED=7 pytest tests/chaos/test_storms.py` has the same storm again.
`make chaos` has many, each with a seed of its own.
"""

import os
import random
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import docker
import pytest
from tests.support.faulty_api import FaultyApi
from tests.support.polling import eventually
from tests.support.status import conditions
from tests.support.storm import Storm
from tests.support.system import Landlord, System
from tests.support.views import OnDocker, OnKubernetes, as_asked

from dev.cluster import ControlPlane
from dev.kubectl import Kubectl

SECONDS = float(os.environ.get("STORM_SECONDS", "30"))
FOREIGN = "landlord-storm-foreign"


def choose_seeds() -> list[int]:
    """The seed of $STORM_SEED; otherwise as many random ones as $STORMS says, or two that never change."""
    if seed := os.environ.get("STORM_SEED"):
        return [int(seed)]
    if storms := os.environ.get("STORMS"):
        return random.sample(range(10**6), int(storms))
    return [1, 2]


@pytest.fixture(scope="module")
def apis(control_plane: ControlPlane) -> Iterator[tuple[FaultyApi, FaultyApi]]:
    with ExitStack() as stack:
        first, second = (stack.enter_context(FaultyApi(control_plane).serving()) for _ in range(2))
        yield first, second


@pytest.fixture(scope="module")
def system(
    new_landlord: Landlord, apis: tuple[FaultyApi, FaultyApi], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[System]:
    system = new_landlord(LANDLORD_BACKENDS="docker,kubernetes", LANDLORD_SURVEY_SECONDS="1")
    folder: Path = tmp_path_factory.mktemp("storm")
    for program, api in zip((system.operator, system.worker), apis, strict=True):
        program.settings["KUBECONFIG"] = str(api.write_kubeconfig(folder / program.name))
    system.start()
    yield system
    # Before what it reaches the API server through: that can't close connections that are only beginning.
    system.stop()


@pytest.fixture
def foreign(docker_engine: docker.DockerClient, web_image: str, kubectl: Kubectl, name: str) -> Iterator[str]:
    """A container and a namespace of somebody else."""
    container = docker_engine.containers.run(web_image, name=f"{FOREIGN}-{name}", detach=True)
    kubectl.api.create_namespace(f"{FOREIGN}-{name}")
    yield f"{FOREIGN}-{name}"
    container.remove(force=True)


@pytest.mark.timeout(SECONDS + 570)
@pytest.mark.parametrize("seed", choose_seeds())
def test_after_a_storm_everything_is_as_it_is_wanted(
    system: System,
    apis: tuple[FaultyApi, FaultyApi],
    docker_engine: docker.DockerClient,
    kubectl: Kubectl,
    foreign: str,
    name: str,
    seed: int,
) -> None:
    storm = Storm(seed, system, apis, (OnDocker(docker_engine), OnKubernetes(kubectl)), name)
    storm.rage(SECONDS)
    print("\n".join(storm.history))
    system.start()

    system.until_all(storm.wanted, "Ready", "True")
    eventually(lambda: not system.tenants().keys() & storm.gone, what="all that were deleted are gone")
    for each, spec in storm.wanted.items():
        view = storm.seen_on[each]
        if spec.get("desiredState", "Active") == "Active":
            assert as_asked(view, each, spec), each
        else:
            assert view.running(each) == [], each
    assert {each: storm.seen_on[each].left(each) for each in storm.gone} == {each: [] for each in storm.gone}
    for each in storm.wanted:
        assert conditions(system.tenant(each))["ComputeHealthy"][0] == "True", each
    assert docker_engine.containers.get(foreign).status == "running"
    assert kubectl.api.find("namespace", foreign) is not None

    system.delete(*storm.wanted)
    assert not any(view.left(each) for each, view in storm.seen_on.items())

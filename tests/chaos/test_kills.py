"""Processes are killed while Tenants are made, changed and removed: none is stuck, doubled or leaked."""

import docker
import pytest
from tests.support.containers import containers_of, volumes_of
from tests.support.kills import KILLS, Kill
from tests.support.polling import eventually
from tests.support.specs import Spec, memory, web
from tests.support.status import conditions
from tests.support.system import Landlord, System

MEMORY_TENANTS = 12
DOCKER_TENANTS = 4
VOLUMES = {"volumes": [{"name": "data", "mountPath": "/data"}]}


@pytest.fixture(scope="module")
def system(new_landlord: Landlord) -> System:
    system = new_landlord()
    system.start()
    return system


def wanted(name: str, image: str, ports: int) -> dict[str, Spec]:
    """Tenants that become ready one after the other, over some seconds."""
    specs = {f"{name}-m{n}": memory(ports=ports, MEMORY_DELAY=f"{n / 4}") for n in range(MEMORY_TENANTS)}
    for n in range(DOCKER_TENANTS):
        env = {"GREETING": f"hello {ports}", "START_DELAY": str(n)}
        specs[f"{name}-d{n}"] = web(image, docker=VOLUMES, **env)
    return specs


def is_amid(system: System, names: list[str]) -> bool:
    """Whether some of the Tenants are done and others are not."""
    tenants = system.tenants()
    done = [
        conditions(tenants[each]).get("Ready") == ("True", "Provisioned")
        and tenants[each]["status"]["observedGeneration"] == tenants[each]["metadata"]["generation"]
        for each in names
    ]
    return any(done) and not all(done)


@pytest.mark.parametrize("kill", KILLS)
def test_every_tenant_is_made_changed_and_removed_once(
    system: System,
    name: str,
    docker_engine: docker.DockerClient,
    web_image: str,
    kill: Kill,
) -> None:
    names = list(wanted(name, web_image, 0))
    for ports in (1, 2):
        system.apply_all(wanted(name, web_image, ports))
        eventually(lambda: is_amid(system, names), what="some Tenants are done and others not")
        kill(system)
        system.until_all(names, "Ready", "True")
        tenants = system.tenants()
        for each in names:
            if tenants[each]["status"]["provider"] == "memory":
                assert len(tenants[each]["status"]["endpoints"]) == ports
            else:
                (container,) = containers_of(docker_engine, each)
                assert (
                    f"GREETING=hello {ports}"
                    in docker_engine.containers.get(container).attrs["Config"]["Env"]
                )
                assert len(volumes_of(docker_engine, each)) == 1

    system.delete(*names, timeout=0)
    kill(system)
    eventually(lambda: not system.tenants().keys() & set(names), what="all are gone")
    assert not any(containers_of(docker_engine, each) + volumes_of(docker_engine, each) for each in names)

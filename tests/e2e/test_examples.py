"""Every file in examples/ means the same on a laptop and in production."""

import socket
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import pytest
import yaml
from tests.support.containers import containers_of
from tests.support.running import Running, asked_for, on_docker, on_kubernetes, secrets_of
from tests.support.specs import Spec
from tests.support.status import message
from tests.support.system import Landlord, System, Tenant

from dev.docker import WEB_IMAGE
from dev.paths import CHECKOUT
from landlord.api.names import KIND

EXAMPLES = sorted(CHECKOUT.glob("examples/*.yaml"))
ONLY_ON_KUBERNETES = sorted(CHECKOUT.glob("examples/kubernetes/*.yaml"))
Object = dict[str, Any]


@dataclass(frozen=True)
class Example:
    """A file, with a tenantID of the test's own and a namespace of the landlord's."""

    objects: list[Object]
    tenant: Object

    @property
    def name(self) -> str:
        return str(self.tenant["metadata"]["name"])

    @property
    def asked_for(self) -> list[Running]:
        return asked_for(self.tenant["spec"], secrets_of(self.objects))

    @property
    def containers(self) -> list[Object]:
        containers: list[Object] = self.tenant["spec"]["workload"]["containers"]
        return containers

    @property
    def ports(self) -> list[Object]:
        return [port for container in self.containers for port in container.get("ports", [])]

    @property
    def compute(self) -> Object:
        compute: Object = self.tenant["spec"].get("compute", {})
        return compute


@pytest.fixture(scope="module")
def docker_landlord(new_landlord: Landlord, web_image: str) -> System:
    """A landlord as on a laptop."""
    system = new_landlord(LANDLORD_DEFAULT_BACKEND="docker", LANDLORD_BACKENDS="docker")
    system.start()
    return system


@pytest.fixture(scope="module")
def kubernetes_landlord(new_landlord: Landlord) -> System:
    """A landlord as in production."""
    system = new_landlord(LANDLORD_DEFAULT_BACKEND="kubernetes", LANDLORD_BACKENDS="kubernetes")
    system.start()
    return system


def read(path: Path, system: System, tenant_id: str) -> Example:
    objects = list(yaml.safe_load_all(path.read_text()))
    for each in objects:
        each["metadata"]["namespace"] = system.namespace
    (tenant,) = (each for each in objects if each["kind"] == KIND)
    tenant["spec"]["tenantID"] = tenant_id
    return Example(objects, tenant)


def applied(example: Example, system: System) -> Tenant:
    system.kubectl.api.apply(yaml.safe_dump_all(example.objects))
    return system.until(example.name, "Ready", "True")


def removed(example: Example, system: System) -> None:
    unprotected = '-p={"spec":{"deletion":null}}'
    system.kubectl("patch", "tenant", example.name, "-n", system.namespace, "--type=merge", unprotected)
    system.delete(example.name)


def test_there_are_examples() -> None:
    assert EXAMPLES
    assert ONLY_ON_KUBERNETES


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs_on_docker_as_it_says(
    docker_landlord: System, docker_engine: docker.DockerClient, path: Path, name: str
) -> None:
    example = read(path, docker_landlord, name)
    tenant = applied(example, docker_landlord)
    assert tenant["status"]["provider"] == "docker"
    assert on_docker(docker_engine, name) == example.asked_for

    settings = example.compute.get("docker", {})
    urls = {each["name"]: each["url"] for each in tenant["status"].get("endpoints", ())}
    assert urls.keys() == {each["port"] for each in settings.get("publish", ())}
    for url in urls.values():
        with urllib.request.urlopen(url, timeout=30) as answer:
            assert answer.status == 200

    (container,) = docker_engine.containers.list(filters={"name": f"landlord-{name}"})
    assert {mount["Destination"] for mount in container.attrs["Mounts"]} == {
        volume["mountPath"] for volume in settings.get("volumes", ())
    }
    (network,) = container.attrs["NetworkSettings"]["Networks"].values()
    for probe in (each["probe"] for each in example.containers if "probe" in each):
        # The engine is told nothing of it: the worker has asked, and the same answers now.
        assert_answers(network["IPAddress"], probe)
    removed(example, docker_landlord)


@pytest.mark.parametrize("path", EXAMPLES + ONLY_ON_KUBERNETES, ids=lambda path: path.stem)
def test_an_example_runs_on_kubernetes_as_it_says(
    kubernetes_landlord: System, docker_engine: docker.DockerClient, web_image: str, path: Path, name: str
) -> None:
    system = kubernetes_landlord
    example = read(path, system, name)
    tenant = applied(example, system)
    namespace = f"tenant-{name}"
    assert tenant["status"]["provider"] == "kubernetes"
    assert on_kubernetes(system.kubectl, name) == example.asked_for

    assert {each["name"]: each["url"] for each in tenant["status"].get("endpoints", ())} == {
        port["name"]: f"{port['appProtocol']}://tenant.{namespace}.svc:{port['containerPort']}"
        for port in example.ports
    }
    services = system.kubectl.api.get("services", namespace=namespace)["items"]
    offered = [
        {"name": port["name"], "port": port["containerPort"], "appProtocol": port["appProtocol"]}
        | {"targetPort": port["containerPort"], "protocol": "TCP"}
        for port in example.ports
    ]
    assert [service["spec"]["ports"] for service in services] == ([offered] if offered else [])

    template = system.kubectl.api.get("deployment", "tenant", namespace=namespace)["spec"]["template"]
    for container, asked in zip(template["spec"]["containers"], example.containers, strict=True):
        assert container["imagePullPolicy"] == asked.get("imagePullPolicy", "IfNotPresent")
        assert probe_of(container.get("readinessProbe")) == probe_of(asked.get("probe"))
        # Nodes that are only pretended to be there do not look: others refuse to run it as root.
        assert container["image"] == web_image
    assert int(docker_engine.images.get(web_image).attrs["Config"]["User"]) > 0

    settings = example.compute.get("kubernetes", {})
    policy = system.kubectl.api.get("networkpolicy", "tenant", namespace=namespace)["spec"]
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    everybody = [{"port": port["containerPort"], "protocol": "TCP"} for port in example.ports]
    is_open = settings.get("networkIsolation") == "IngressOnly"
    opened = [{"ports": everybody}] if is_open else []
    assert policy["ingress"] == [{"from": [{"podSelector": {}}]}, *opened]
    quotas = system.kubectl.api.get("resourcequotas", namespace=namespace)["items"]
    limits = (
        [{name: str(amount) for name, amount in settings["quota"].items()}] if "quota" in settings else []
    )
    assert [quota["spec"]["hard"] for quota in quotas] == limits
    removed(example, system)


TWICE: Spec = {"workload": {"containers": [{"name": "web", "image": WEB_IMAGE}], "replicas": 2}}
SIDE_BY_SIDE: Spec = {
    "workload": {"containers": [{"name": name, "image": WEB_IMAGE} for name in ("web", "helper")]}
}
SAME_NUMBER: Spec = {
    "workload": {
        "containers": [
            {
                "name": "web",
                "image": WEB_IMAGE,
                "ports": [{"name": name, "containerPort": 8080} for name in ("http", "also")],
            }
        ]
    }
}


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (TWICE, "exactly one replica, and workload.replicas is 2"),
        (SIDE_BY_SIDE, "exactly one container, and workload.containers has 2"),
        (SAME_NUMBER, "two ports have the number 8080/TCP"),
    ],
    ids=["replicas", "containers", "ports"],
)
def test_what_docker_can_not_run_is_refused_with_what_to_do(
    docker_landlord: System, docker_engine: docker.DockerClient, name: str, spec: Spec, said: str
) -> None:
    docker_landlord.apply(name, spec)
    tenant = docker_landlord.until(name, "Stalled", "True")
    assert said in message(tenant, "Ready")
    assert containers_of(docker_engine, name) == []
    docker_landlord.delete(name)


@pytest.mark.parametrize("path", ONLY_ON_KUBERNETES, ids=lambda path: path.stem)
def test_an_example_for_kubernetes_is_refused_on_docker_with_what_to_do(
    docker_landlord: System, docker_engine: docker.DockerClient, path: Path, name: str
) -> None:
    example = read(path, docker_landlord, name)
    del example.compute["provider"]
    docker_landlord.kubectl.api.apply(yaml.safe_dump_all(example.objects))
    tenant = docker_landlord.until(example.name, "Stalled", "True")
    assert "or use another backend" in message(tenant, "Ready")
    assert containers_of(docker_engine, name) == []
    removed(example, docker_landlord)


def probe_of(probe: Object | None) -> tuple[str, int, str, int] | None:
    """Kind, port, path and patience of a probe, with the defaults that a manifest may leave out."""
    if probe is None:
        return None
    kind = "httpGet" if "httpGet" in probe else "tcpSocket"
    path = probe[kind].get("path", "/")
    return kind, probe[kind]["port"], path, probe.get("timeoutSeconds", 2)


def assert_answers(address: str, probe: Object) -> None:
    if "httpGet" in probe:
        url = f"http://{address}:{probe['httpGet']['port']}{probe['httpGet'].get('path', '/')}"
        with urllib.request.urlopen(url, timeout=30) as answer:
            assert answer.status == 200
    else:
        socket.create_connection((address, probe["tcpSocket"]["port"]), timeout=5).close()

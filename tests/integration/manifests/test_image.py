"""The image of the Dockerfile, built without a network, and run as the Deployments have it run."""

import secrets
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import docker
import pytest
import yaml
from docker.models.containers import Container
from docker.models.images import Image
from tests.integration.manifests.conftest import Applied
from tests.support.base_image import make_base_image
from tests.support.manifests import NAMESPACE, find, settings
from tests.support.polling import eventually

from dev.cluster import ControlPlane
from dev.net import LOOPBACK, free_ports, status_of
from dev.paths import CHECKOUT
from dev.restate import RestateServer
from landlord import __version__
from landlord.api.crd import tenant_crd

Run = Callable[..., Container]
POD_FOLDER = "/var/run/secrets/kubernetes.io/serviceaccount"
TENANT = CHECKOUT / "examples" / "minimal.yaml"


@pytest.fixture(scope="module")
def image(docker_engine: docker.DockerClient) -> Iterator[Image]:
    tag = secrets.token_hex(4)
    base, name = f"landlord-base:{tag}", f"landlord:{tag}"
    root = make_base_image(docker_engine, base).attrs["RootFS"]["Layers"]
    arguments = {"BASE_IMAGE": base}
    image, _ = docker_engine.images.build(
        path=str(CHECKOUT), tag=name, buildargs=arguments, network_mode="none", forcerm=True
    )
    yield image
    docker_engine.images.remove(name)
    for stage in docker_engine.images.list(filters={"dangling": True}):
        if stage.attrs["RootFS"]["Layers"][:1] == root:
            docker_engine.images.remove(str(stage.id))
    docker_engine.images.remove(base)


@pytest.fixture
def run(docker_engine: docker.DockerClient, image: Image) -> Iterator[Run]:
    """Starts containers with what a Deployment says and the arguments given; they end with the test."""
    started: list[Container] = []

    def start(program: str, *args: str, pod_folder: Path | None = None, **environment: str) -> Container:
        (said,) = find("Deployment", f"landlord-{program}")["spec"]["template"]["spec"]["containers"]
        context = said["securityContext"]
        container = docker_engine.containers.run(
            str(image.id),
            list(args) or said["args"],
            environment=settings(program) | environment,
            read_only=context["readOnlyRootFilesystem"],
            cap_drop=context["capabilities"]["drop"],
            security_opt=[] if context["allowPrivilegeEscalation"] else ["no-new-privileges"],
            network_mode="host",
            volumes={str(pod_folder): {"bind": POD_FOLDER, "mode": "ro"}} if pod_folder else {},
            detach=True,
        )
        started.append(container)
        return container

    yield start
    for container in started:
        container.stop(timeout=30)  # killed, an operator would not give up its Lease
        container.remove()


def ended(container: Container) -> tuple[int, str]:
    """Exit code and what it printed, once it has ended."""
    code: int = container.wait(timeout=60)["StatusCode"]
    return code, container.logs(stderr=False).decode()


def test_its_user_is_a_number_and_not_root(image: Image) -> None:
    assert [int(each) > 0 for each in image.attrs["Config"]["User"].split(":")] == [True, True]


def test_it_says_what_it_is(run: Run, image: Image) -> None:
    assert ended(run("operator", "--version")) == (0, f"landlord, version {__version__}\n")
    assert image.labels["org.opencontainers.image.title"] == "landlord"


def test_it_prints_the_crd(run: Run) -> None:
    code, printed = ended(run("operator", "crd"))
    assert (code, yaml.safe_load(printed)) == (0, tenant_crd())


def test_its_worker_ends_in_good_order(run: Run) -> None:
    (port,) = free_ports(1)
    worker = run("worker", LANDLORD_WORKER_BIND=f"{LOOPBACK}:{port}")
    eventually(lambda: status_of(f"http://{LOOPBACK}:{port}/healthz") == 200)
    worker.stop(timeout=30)
    assert ended(worker)[0] == 0
    assert "worker stopped" in worker.logs().decode()


def pod(cluster: ControlPlane, program: str, folder: Path) -> Mapping[str, str]:
    """Where a pod finds the API server, and in the folder what the kubelet mounts."""
    config = yaml.safe_load(cluster.kubeconfig_of(NAMESPACE, f"landlord-{program}").read_text())
    server = config["clusters"][0]["cluster"]
    (folder / "token").write_text(config["users"][0]["user"]["token"])
    (folder / "ca.crt").write_bytes(Path(server["certificate-authority"]).read_bytes())
    folder.chmod(0o755)
    host, _, port = server["server"].removeprefix("https://").rpartition(":")
    return {"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": port}


def test_it_serves_a_tenant_as_a_pod_does(
    run: Run, cluster: ControlPlane, applied: Applied, restate: RestateServer, tmp_path: Path
) -> None:
    worker_port, operator_port = free_ports(2)
    started: list[Container] = []
    for program, environment in {
        "worker": {"LANDLORD_WORKER_BIND": f"{LOOPBACK}:{worker_port}"},
        "operator": {
            "LANDLORD_NAMESPACE": NAMESPACE,
            "LANDLORD_HTTP_BIND": f"{LOOPBACK}:{operator_port}",
            "LANDLORD_RESTATE_ADMIN_URL": restate.admin_url,
            "LANDLORD_RESTATE_INGRESS_URL": restate.ingress_url,
            "LANDLORD_WORKER_URL": f"http://{LOOPBACK}:{worker_port}",
        },
    }.items():
        folder = tmp_path / program
        folder.mkdir()
        started.append(run(program, pod_folder=folder, **environment, **pod(cluster, program, folder)))
    cluster.kubectl("apply", "-f", str(TENANT))
    ready = cluster.kubectl.run("wait", "--for=condition=Ready", "-f", str(TENANT), "--timeout=60s")
    assert ready.returncode == 0, [container.logs().decode() for container in started]
    cluster.kubectl("delete", "-f", str(TENANT), "--timeout=60s")

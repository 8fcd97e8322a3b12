"""manifests/kind: a cluster on one machine, with Restate beside landlord."""

import os
import subprocess
from pathlib import Path

import pytest
import yaml
from tests.integration.manifests.conftest import Applied
from tests.support.manifests import NAMESPACE

from dev.cluster import ControlPlane
from dev.paths import CHECKOUT
from dev.tools import program

KIND = CHECKOUT / "manifests" / "kind"
CLUSTER = yaml.safe_load((KIND / "kind.yaml").read_text())


def create(folder: Path, cluster: dict[str, object]) -> str:
    """What kind says of a cluster where there is no Docker engine to make it with."""
    config = folder / "kind.yaml"
    config.write_text(yaml.safe_dump(cluster))
    arguments = ("create", "cluster", f"--config={config}", f"--kubeconfig={folder / 'kubeconfig'}")
    environment = os.environ | {"PATH": str(folder), "KIND_EXPERIMENTAL_PROVIDER": "docker"}
    ended = subprocess.run(
        [program("kind"), *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode != 0
    return ended.stderr


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, "failed to get docker info"),
        ({"apiVersion": "kind.x-k8s.io/v1"}, "unknown apiVersion: kind.x-k8s.io/v1"),
        ({"node": CLUSTER["nodes"]}, "field node not found in type v1alpha4.Cluster"),
    ],
    ids=["as it is", "another version", "another field"],
)
def test_kind_understands_its_cluster(tmp_path: Path, change: dict[str, object], said: str) -> None:
    assert said in create(tmp_path, CLUSTER | change)


def test_its_nodes_find_the_registry_that_tilt_pushes_to() -> None:
    announced = yaml.safe_load((KIND / "registry.yaml").read_text())["data"]["localRegistryHosting.v1"]
    host, _, port = yaml.safe_load(announced)["host"].partition(":")
    (mount,) = next(node["extraMounts"] for node in CLUSTER["nodes"] if node["role"] == "worker")
    assert mount["containerPath"] == "/etc/containerd/certs.d"
    assert (CHECKOUT / mount["hostPath"] / f"{host}_{port}_" / "hosts.toml").is_file()


def test_it_is_applied_and_lets_the_operator_see_restate_s_pods(
    cluster: ControlPlane, applied: Applied
) -> None:
    kubectl = cluster.kubectl
    answer = kubectl.run("apply", "--validate=strict", "-k", str(KIND))
    assert (answer.returncode, answer.stderr) == (0, "")
    kubectl("-n", "restate", "rollout", "status", "statefulset/restate", "--timeout=60s")
    kubectl("-n", NAMESPACE, "rollout", "status", "deployment/landlord-operator", "--timeout=60s")

    operator = f"--as=system:serviceaccount:{NAMESPACE}:landlord-operator"
    for what in ("pods", "endpointslices.discovery.k8s.io"):
        kubectl("auth", "can-i", "watch", what, "-n", "restate", operator)
    selector = next(
        value
        for config in kubectl.api.get("configmaps", namespace=NAMESPACE)["items"]
        for name, value in config["data"].items()
        if name == "LANDLORD_RESTATE_POD_SELECTOR"
    )
    worker = f"--as=system:serviceaccount:{NAMESPACE}:landlord-worker"
    kubectl("auth", "can-i", "get", "secrets", "-n", "default", worker)
    for kind in ("pods", "endpointslices"):
        assert kubectl.api.get(kind, namespace="restate", selector=selector)["items"], kind

"""Pods and Services that stand for Restate's; the control plane runs no containers."""

import json
import uuid

import yaml
from tests.support.polling import eventually

from dev.kubectl import Kubectl

LABELS = {"app": "restate"}
SELECTOR = "app=restate"


def run_pod(kubectl: Kubectl, namespace: str, labels: dict[str, str] = LABELS) -> str:
    """A new pod that is ready; returns its name."""
    name = f"pod-{uuid.uuid4().hex[:8]}"
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": {"containers": [{"name": "restate", "image": "restate"}]},
    }
    # Pods are refused until the controllers have given their namespace a service account.
    eventually(lambda: kubectl.run("apply", "-f", "-", stdin=yaml.safe_dump(pod)).returncode == 0)
    kubectl("wait", "--for=condition=Ready", f"pod/{name}", "-n", namespace, "--timeout=30s")
    return name


def restart_container(kubectl: Kubectl, namespace: str, pod: str) -> None:
    """What the kubelet writes when it has started a container again."""
    count = kubectl.get("pod", pod, "-n", namespace)["status"]["containerStatuses"][0]["restartCount"]
    path = "/status/containerStatuses/0/restartCount"
    patch = [{"op": "replace", "path": path, "value": count + 1}]
    kubectl(
        "patch", "pod", pod, "-n", namespace, "--subresource=status", "--type=json", f"-p={json.dumps(patch)}"
    )


def make_service(kubectl: Kubectl, namespace: str, labels: dict[str, str] = LABELS) -> None:
    """A Service of the pods, and with it an EndpointSlice."""
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "restate", "namespace": namespace, "labels": labels},
        "spec": {"selector": LABELS, "ports": [{"port": 9070}]},
    }
    kubectl.apply(yaml.safe_dump(service))

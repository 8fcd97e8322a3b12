"""Pods and Services that stand for Restate's; the control plane runs no containers."""

import uuid
from typing import Any

from tests.support.polling import PATIENCE, eventually

from dev.apiserver import ApiError
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
    eventually(lambda: _accepted(kubectl, pod), what="the namespace has its service account")
    kubectl.api.until(
        "pods", _one_ready, namespace=namespace, name=name, within=PATIENCE, what=f"{name} is ready"
    )
    return name


def _accepted(kubectl: Kubectl, pod: dict[str, Any]) -> bool:
    try:
        kubectl.api.apply(pod)
    except ApiError as error:
        if "service account" in str(error):
            return False
        raise
    return True


def _one_ready(pods: dict[str, dict[str, Any]]) -> bool:
    conditions = [each for pod in pods.values() for each in pod["status"].get("conditions", ())]
    return any((each["type"], each["status"]) == ("Ready", "True") for each in conditions)


def restart_container(kubectl: Kubectl, namespace: str, pod: str) -> None:
    """What the kubelet writes when it has started a container again."""
    count = kubectl.api.get("pod", pod, namespace=namespace)["status"]["containerStatuses"][0]["restartCount"]
    path = "/status/containerStatuses/0/restartCount"
    patch = [{"op": "replace", "path": path, "value": count + 1}]
    kubectl.api.patch("pod", pod, patch, namespace=namespace, subresource="status")


def make_service(kubectl: Kubectl, namespace: str, labels: dict[str, str] = LABELS) -> None:
    """A Service of the pods, and with it an EndpointSlice."""
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "restate", "namespace": namespace, "labels": labels},
        "spec": {"selector": LABELS, "ports": [{"port": 9070}]},
    }
    kubectl.api.apply(service)

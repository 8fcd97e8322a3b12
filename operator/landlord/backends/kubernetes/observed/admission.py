"""Finds pods that admission would make differently now. No I/O.

Admission copies much into a pod when it is created: the pull secrets of its ServiceAccount, the defaults of
LimitRanges, priority and runtime classes, what policies and webhooks add. A later change of those never
reaches the pod, so it waits for something that exists by now.
"""

from collections.abc import Sequence
from typing import Any

from landlord.api.schema import JsonObject

OF_THE_POD = (
    "imagePullSecrets",
    "nodeSelector",
    "overhead",
    "preemptionPolicy",
    "priority",
    "priorityClassName",
    "runtimeClassName",
    "securityContext",
    "tolerations",
)
OF_A_CONTAINER = ("name", "image", "resources", "securityContext")
"""The fields that admission decides and nothing changes afterwards. All others may differ by chance."""


def find_outdated(pods: Sequence[JsonObject], created_now: JsonObject) -> list[JsonObject]:
    """Find the pods that have other fields than one that was created now."""
    expected = _select(created_now)
    return [pod for pod in pods if _select(pod) != expected]


def _select(pod: JsonObject) -> Any:
    spec = pod["spec"]
    containers = [
        [{name: each.get(name) for name in OF_A_CONTAINER} for each in spec.get(kind) or ()]
        for kind in ("initContainers", "containers")
    ]
    return [spec.get(name) for name in OF_THE_POD], containers

"""Events as kubectl get events shows them."""

from typing import Any

from tests.support.polling import eventually
from tests.support.system import System

from dev.kubectl import Kubectl


def events(kubectl: Kubectl, namespace: str, kind: str, name: str) -> list[dict[str, Any]]:
    """Those about an object, in the order in which they happened."""
    listed: list[dict[str, Any]] = kubectl.api.get("events.v1.events.k8s.io", namespace=namespace)["items"]
    about = [
        each for each in listed if (each["regarding"]["kind"], each["regarding"]["name"]) == (kind, name)
    ]
    return sorted(about, key=lambda each: str(each["eventTime"]))


def reasons(kubectl: Kubectl, namespace: str, kind: str, name: str) -> list[str]:
    """Type and reason of each, such as "Normal Provisioned"."""
    return [f"{each['type']} {each['reason']}" for each in events(kubectl, namespace, kind, name)]


def until_told(system: System, name: str, *expected: str) -> None:
    """Return once the Tenant's Events are these and no others."""

    def all_of_them() -> bool:
        seen = reasons(system.kubectl, system.namespace, "Tenant", name)
        assert seen == list(expected)
        return True

    eventually(all_of_them, what=f"the Events of {name}")

"""Which Tenants an operator acts on, and on which backend they stay."""

import uuid

import yaml
from tests.support.polling import eventually
from tests.support.specs import memory
from tests.support.status import conditions, message
from tests.support.system import Landlord

from dev.cluster import ControlPlane
from dev.kubectl import Kubectl

LOCAL = {"LANDLORD_ENGINE": "local"}


def without_provider(ports: int) -> dict[str, object]:
    return {key: value for key, value in memory(ports=ports).items() if key != "compute"}


def apply_in(kubectl: Kubectl, namespace: str, name: str, **spec: object) -> None:
    metadata = {"name": name, "namespace": namespace}
    tenant = {"apiVersion": "landlord.dev/v1alpha1", "kind": "Tenant", "metadata": metadata}
    kubectl.api.apply(yaml.safe_dump(tenant | {"spec": memory() | spec}))


def test_tenants_of_all_watched_namespaces_are_provisioned_and_of_no_other(
    new_landlord: Landlord, control_plane: ControlPlane, kubectl: Kubectl, name: str
) -> None:
    first, second, other = (f"scope-{uuid.uuid4().hex[:8]}" for _ in range(3))
    for namespace in (first, second, other):
        kubectl.api.create_namespace(namespace)
    system = new_landlord(**LOCAL, LANDLORD_WATCH_NAMESPACES=f"{first}, {second}")
    system.operator.start()

    def seen(namespace: str) -> dict[str, tuple[str, str]]:
        return conditions(kubectl.api.get("tenant", name, namespace=namespace))

    apply_in(kubectl, other, name)
    apply_in(kubectl, first, name)
    eventually(lambda: seen(first).get("Ready") == ("True", "Provisioned"))
    apply_in(kubectl, second, name)
    eventually(lambda: seen(second).get("Ready") == ("False", "IdentityConflict"))
    assert f"the older Tenant {first}/{name}" in message(
        kubectl.api.get("tenant", name, namespace=second), "Ready"
    )
    assert seen(other) == {}

    # A namespace goes with the Tenants in it, and what they held is free for others.
    kubectl("delete", "namespace", first, "--timeout=30s")
    eventually(lambda: seen(second)["Ready"] == ("True", "Provisioned"))
    kubectl("delete", "namespace", second, other, "--timeout=30s")


def test_the_backend_that_was_the_default_at_first_stays(new_landlord: Landlord, name: str) -> None:
    system = new_landlord(**LOCAL, LANDLORD_DEFAULT_BACKEND="memory")
    system.operator.start()
    system.apply(name, without_provider(ports=1))
    assert system.until(name, "Ready", "True")["status"]["provider"] == "memory"

    system.operator.stop()
    system.operator.settings["LANDLORD_DEFAULT_BACKEND"] = "mainframe"
    system.operator.start()
    system.apply(name, without_provider(ports=2))
    assert system.until(name, "Ready", "True")["status"]["provider"] == "memory"
    refused = f"{name}-refused"
    system.apply(refused, without_provider(ports=1))
    system.until(refused, "Accepted", "False", reason="UnknownBackend")
    system.delete(name, refused)

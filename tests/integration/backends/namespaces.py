"""Tenants on a real control plane: how the tests ask for them, look at them and play the kubelet."""

from typing import Any

from tests.contract.harness import new_tenant_id, run, run_with_patience
from tests.support.polling import eventually

from dev.kubectl import Kubectl
from landlord.api.compute import KubernetesCompute
from landlord.api.outcome import Result
from landlord.api.request import Desired
from landlord.api.workload import Container, Port, Workload
from landlord.backends.kubernetes.backend import KubernetesBackend
from landlord.errors import StepError

HTTP = Port(name="http", container_port=8080, app_protocol="http")
Object = dict[str, Any]


class Namespaces:
    """Makes tenants, and has what is left of them deleted at the end."""

    def __init__(self, backend: KubernetesBackend, kubectl: Kubectl) -> None:
        self.backend = backend
        self.kubectl = kubectl
        self.api = kubectl.api
        self._made: set[str] = set()

    def new(self, tenant_id: str | None = None, **fields: Any) -> Desired:
        """A tenant of one web server. What no setting is called like goes to its container."""
        compute = {name: fields.pop(name) for name in KubernetesCompute.model_fields if name in fields}
        adoption = fields.pop("adoption", "Never")
        secrets_namespace = fields.pop("secrets_namespace", None)
        replicas = fields.pop("replicas", 1)
        more = fields.pop("containers", ())
        container = Container(**{"name": "web", "image": "web:1", "ports": (HTTP,), **fields})
        desired = Desired(
            tenant_id=tenant_id or new_tenant_id("kube"),
            workload=Workload(containers=(container, *more), replicas=replicas),
            kubernetes=KubernetesCompute.model_validate(compute),
            adoption=adoption,
            secrets_namespace=secrets_namespace,
        )
        self._made.add(namespace_of(desired))
        return desired

    async def apply(self, desired: Desired) -> Result:
        """Run all steps; the last of them looks on for a while."""
        return await run_with_patience(self.backend.apply(desired), 3)

    async def make(self, desired: Desired) -> None:
        """Run all steps but the last, which waits."""
        await run(self.backend.apply(desired)[:-1])

    async def failure(self, desired: Desired) -> StepError:
        """Run all steps and return the failure that one of them has to end with."""
        try:
            await run(self.backend.apply(desired))
        except StepError as error:
            return error
        raise AssertionError("all steps succeeded")

    async def remove(self, desired: Desired) -> None:
        """Tear the tenant down."""
        await run(self.backend.delete(desired.tenant_id))

    def get(self, desired: Desired, kind: str, name: str = "tenant") -> Object:
        """One object of the tenant; empty if there is none."""
        return self.api.find(kind, name, namespace=namespace_of(desired)) or {}

    def namespace(self, desired: Desired) -> Object:
        """The tenant's namespace; empty if there is none."""
        return self.get(desired, "namespace", namespace_of(desired))

    def put(self, desired: Desired, *objects: Object) -> None:
        """Have objects of somebody else in the tenant's namespace."""
        for each in objects:
            each["metadata"]["namespace"] = namespace_of(desired)
        self.api.apply(*objects)

    def put_namespace(self, desired: Desired, **labels: str) -> None:
        """Have a namespace of somebody else where the tenant's would be."""
        metadata = {"name": namespace_of(desired), "labels": {"owner": "somebody", **labels}}
        self.api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})

    def edit(self, desired: Desired, kind: str, patch: Object, name: str = "tenant") -> None:
        """Change an object as a person does."""
        self.api.patch(kind, name, patch, namespace=namespace_of(desired))

    def pods(self, desired: Desired) -> list[Object]:
        """The tenant's pods."""
        pods: list[Object] = self.api.get("pods", namespace=namespace_of(desired))["items"]
        return pods

    def running_pod(self, desired: Desired) -> Object:
        """The tenant's pod, once it runs."""
        return eventually(
            lambda: next((pod for pod in self.pods(desired) if pod["status"]["phase"] == "Running"), None)
        )

    def break_pod(self, desired: Desired, **container: Any) -> Object:
        """What the kubelet writes of a container that does not serve; returns the pod."""
        pod = self.running_pod(desired)
        status = {
            "name": "web",
            "image": pod["spec"]["containers"][0]["image"],
            "imageID": "",
            "ready": False,
            "restartCount": 0,
            **container,
        }
        conditions = [
            {**each, "status": "False" if each["type"] in ("Ready", "ContainersReady") else each["status"]}
            for each in pod["status"]["conditions"]
        ]
        patch = {"status": {"conditions": conditions, "containerStatuses": [status]}}
        place = namespace_of(desired)
        self.api.patch("pod", pod["metadata"]["name"], patch, namespace=place, subresource="status")
        return pod

    def clean_up(self) -> None:
        """Have what the tests left deleted, and do not wait for it."""
        for name in self._made:
            self.api.delete("namespace", name)


def namespace_of(desired: Desired) -> str:
    """The tenant's namespace."""
    assert desired.kubernetes is not None
    return desired.kubernetes.namespace.name or f"tenant-{desired.tenant_id}"


def config_map(name: str, **metadata: Any) -> Object:
    """An object of somebody else."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, **metadata},
        "data": {"a": "b"},
    }

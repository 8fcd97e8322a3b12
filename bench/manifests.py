"""The manifests of the measured Tenants, and the request bodies for the floor."""

import json

from bench.ledger import WORK, LedgerBackend
from bench.system import FLOOR
from dev.docker import WEB_IMAGE
from landlord.api import names
from landlord.api.request import Desired, Request
from landlord.api.schema import JsonObject
from landlord.api.tenant import Tenant


def memory(name: str) -> bytes:
    """A Tenant on the memory backend: one container with a variable and a port."""
    return _manifest(name, {"workload": {"containers": [_container()]}})


def docker(name: str) -> bytes:
    """A web server on the Docker engine with a published port, which is Ready when it answers."""
    container = _container() | {"probe": {"httpGet": {"path": "/", "port": 8080}}}
    compute = {"provider": "docker", "docker": {"publish": [{"port": "http"}]}}
    return _manifest(name, {"workload": {"containers": [container]}, "compute": compute})


def slow(name: str, seconds: float, release: int) -> bytes:
    """A Tenant on the ledger backend that needs some seconds. A different release changes its spec."""
    env = [{"name": WORK, "value": f"{seconds:g}"}, {"name": "RELEASE", "value": str(release)}]
    compute = {"provider": LedgerBackend.name}
    return _manifest(name, {"workload": {"containers": [_container() | {"env": env}]}, "compute": compute})


class Sample:
    """A Tenant that landlord made Ready, as a template for the request bodies of similar Tenants.

    Filling in a template costs almost nothing, so the floor contains only the calls.
    """

    def __init__(self, raw: JsonObject) -> None:
        tenant = Tenant.model_validate(raw)
        self.desired = desired(tenant)
        request = Request(
            tenant_id=tenant.tenant_id,
            operation="apply",
            uid=tenant.metadata.uid,
            created_at=tenant.metadata.creation_timestamp,
            generation=1,
            attempt=1,
            provider=tenant.status.provider or "",
            timeout_seconds=tenant.spec.workflow.timeout_seconds if tenant.spec else 0,
            desired=self.desired,
        )
        self._name, self._uid = tenant.metadata.name, tenant.metadata.uid
        self._created_at = request.model_dump(mode="json")["createdAt"]
        self._request = request.model_dump_json(exclude_defaults=True)
        self._status = raw["status"]

    def request(self, created: JsonObject) -> bytes:
        """The body of the workflow call for a new Tenant."""
        metadata = created["metadata"]
        return (
            self._for(self._request, created)
            .replace(self._created_at, metadata["creationTimestamp"])
            .encode()
        )

    def status(self, held: JsonObject, namespace: str = FLOOR) -> bytes:
        """The body of the status's server-side apply for a Tenant that has the finalizer."""
        version = held["metadata"]["resourceVersion"]
        metadata = {"name": self._name, "namespace": namespace, "resourceVersion": version}
        kind = {"apiVersion": names.API_VERSION, "kind": names.KIND}
        return self._for(json.dumps(kind | {"metadata": metadata, "status": self._status}), held).encode()

    def _for(self, pattern: str, tenant: JsonObject) -> str:
        metadata = tenant["metadata"]
        return pattern.replace(self._name, metadata["name"]).replace(self._uid, metadata["uid"])


def desired(tenant: Tenant) -> Desired:
    """The desired state that the workflow gets."""
    if tenant.spec is None:
        raise RuntimeError(f"the Tenant's spec is invalid: {tenant.spec_error}")
    return Desired(
        tenant_id=tenant.tenant_id, workload=tenant.spec.workload, docker=tenant.spec.compute.docker
    )


def _container() -> JsonObject:
    return {
        "name": "web",
        "image": WEB_IMAGE,
        "env": [{"name": "GREETING", "value": "hello"}],
        "ports": [{"name": "http", "containerPort": 8080, "appProtocol": "http"}],
    }


def _manifest(name: str, spec: JsonObject) -> bytes:
    metadata = {"name": name}
    return json.dumps(
        {"apiVersion": names.API_VERSION, "kind": names.KIND, "metadata": metadata, "spec": spec}
    ).encode()

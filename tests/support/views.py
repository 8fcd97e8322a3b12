"""A tenant as its backend shows it, in the same terms on Docker and on Kubernetes."""

import io
import tarfile
import uuid
from pathlib import PurePosixPath
from typing import Protocol

import docker
from tests.support import running
from tests.support.containers import containers_of, volumes_of
from tests.support.running import Running, asked_for
from tests.support.specs import Spec, web

from dev.docker import WEB_IMAGE
from dev.kubectl import Kubectl
from landlord.api import names

NOTE = PurePosixPath("/data/note")
CLAIM = "note"


class View(Protocol):
    """What a test asks for on a backend, and what it sees there."""

    def spec(self, tenant_id: str, greeting: str = "hello") -> Spec:
        """A tenant that has a place for data."""
        ...

    def running(self, tenant_id: str) -> list[Running]:
        """What runs of it now."""
        ...

    def keep(self, tenant_id: str, note: str) -> None:
        """Give it data of its own."""
        ...

    def kept(self, tenant_id: str) -> str | None:
        """The data that it has, be it running or not; None if there is none."""
        ...

    def left(self, tenant_id: str) -> list[str]:
        """All that is there of it, sorted, such as volume/…; not what guards a namespace and goes with it."""
        ...

    def data(self, tenant_id: str) -> list[str]:
        """What of it holds data, in the same notation: all that an archived tenant has."""
        ...


class OnDocker:
    """Tenants of a Docker engine: a web server with a volume."""

    def __init__(self, engine: docker.DockerClient) -> None:
        self._engine = engine

    def spec(self, tenant_id: str, greeting: str = "hello") -> Spec:
        volume = {"name": "data", "mountPath": str(NOTE.parent)}
        settings = {"volumes": [volume], "network": _network(tenant_id)}
        return web(WEB_IMAGE, docker=settings, GREETING=greeting)

    def running(self, tenant_id: str) -> list[Running]:
        return running.on_docker(self._engine, tenant_id)

    def keep(self, tenant_id: str, note: str) -> None:
        (container,) = containers_of(self._engine, tenant_id)
        self._engine.containers.get(container).put_archive(str(NOTE.parent), _packed(note))

    def kept(self, tenant_id: str) -> str | None:
        volumes = volumes_of(self._engine, tenant_id)
        if not volumes:
            return None
        mounts = {volume: {"bind": str(NOTE.parent), "mode": "ro"} for volume in volumes}
        reader = self._engine.containers.create(WEB_IMAGE, name=f"reader-{uuid.uuid4().hex}", volumes=mounts)
        try:
            stream, _ = reader.get_archive(str(NOTE))
            return _unpacked(b"".join(stream))
        finally:
            reader.remove()

    def left(self, tenant_id: str) -> list[str]:
        containers = [f"container/{each}" for each in containers_of(self._engine, tenant_id)]
        networks = [
            f"network/{each.name}" for each in self._engine.networks.list(names=[_network(tenant_id)])
        ]
        return sorted(containers + networks + self.data(tenant_id))

    def data(self, tenant_id: str) -> list[str]:
        return [f"volume/{each}" for each in volumes_of(self._engine, tenant_id)]


class OnKubernetes:
    """Tenants of a cluster: two replicas, and a volume claim of somebody else's in the namespace."""

    def __init__(self, kubectl: Kubectl) -> None:
        self._kubectl = kubectl
        self._api = kubectl.api

    def spec(self, tenant_id: str, greeting: str = "hello") -> Spec:
        spec = web(WEB_IMAGE, GREETING=greeting)
        spec["compute"] = {
            "provider": "kubernetes",
            "kubernetes": {"quota": {"pods": 8}, "networkIsolation": "IngressOnly"},
        }
        spec["workload"]["replicas"] = 2
        return spec

    def running(self, tenant_id: str) -> list[Running]:
        return running.on_kubernetes(self._kubectl, tenant_id)

    def keep(self, tenant_id: str, note: str) -> None:
        claim = {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": CLAIM, "namespace": f"tenant-{tenant_id}", "annotations": {"note": note}},
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}},
        }
        self._api.apply(claim)

    def kept(self, tenant_id: str) -> str | None:
        claims = self._api.get("persistentvolumeclaims", namespace=f"tenant-{tenant_id}")["items"]
        notes = {each["metadata"]["name"]: each["metadata"]["annotations"]["note"] for each in claims}
        return notes.get(CLAIM)

    def left(self, tenant_id: str) -> list[str]:
        namespace = f"tenant-{tenant_id}"
        kinds = ("deployments", "replicasets", "pods", "services", "endpointslices", "secrets")
        found = [
            f"{kind}/{each['metadata']['name']}"
            for kind in kinds
            for each in self._api.get(kind, namespace=namespace)["items"]
        ]
        return sorted(found + self.data(tenant_id))

    def data(self, tenant_id: str) -> list[str]:
        selector = ",".join(f"{key}={value}" for key, value in names.labels(tenant_id).items())
        found = self._api.get("namespaces", selector=selector)["items"]
        return [f"namespace/{each['metadata']['name']}" for each in found]


def as_asked(view: View, tenant_id: str, spec: Spec) -> bool:
    """Whether exactly that runs what the spec asks for."""
    return view.running(tenant_id) == asked_for(spec, {})


def _network(tenant_id: str) -> str:
    return f"network-of-{tenant_id}"


def _packed(note: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        entry = tarfile.TarInfo(NOTE.name)
        entry.size = len(note.encode())
        archive.addfile(entry, io.BytesIO(note.encode()))
    return buffer.getvalue()


def _unpacked(archive: bytes) -> str:
    with tarfile.open(fileobj=io.BytesIO(archive)) as unpacked:
        file = unpacked.extractfile(NOTE.name)
        assert file is not None
        return file.read().decode()

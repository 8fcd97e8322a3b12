"""Tenants as the kubernetes backend is asked for them."""

from typing import Any

from landlord.api.compute import KubernetesCompute
from landlord.api.request import Desired
from landlord.api.workload import Container, Port, Workload

HTTP = Port(name="http", container_port=8080, app_protocol="http")
WEB = Container(name="web", image="web:1", ports=(HTTP,))


def desired(*containers: Container, adoption: Any = "Never", replicas: int = 1, **kubernetes: Any) -> Desired:
    """The tenant acme."""
    return Desired(
        tenant_id="acme",
        workload=Workload(containers=containers or (WEB,), replicas=replicas),
        kubernetes=KubernetesCompute.model_validate(kubernetes),
        adoption=adoption,
    )


def having(container: Container = WEB, **fields: Any) -> Container:
    """A container with other fields."""
    return container.model_copy(update=fields)

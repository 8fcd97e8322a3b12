"""Desired states for the tests of the Docker backend."""

from typing import Any

from landlord.api.compute import DockerCompute
from landlord.api.request import Desired
from landlord.api.workload import Container, Port, Workload

WEB = Container(name="web", image="web:1", ports=(Port(name="http", container_port=8080),))


def desired(*containers: Container, tenant_id: str = "acme", **docker: Any) -> Desired:
    return Desired(
        tenant_id=tenant_id,
        workload=Workload(containers=containers or (WEB,)),
        docker=DockerCompute(**docker),
    )

"""Where a tenant runs: `spec.compute`."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from landlord.api.base import Model
from landlord.api.schema import cel, map_list
from landlord.api.workload import LABEL_RULE


class Publish(Model):
    """A container port made reachable on the Docker host."""

    port: Annotated[str, StringConstraints(min_length=1, max_length=15)]
    """Name of a port of the container."""
    host_port: Annotated[int, Field(ge=0, le=65535, json_schema_extra={"format": "int32"})] = 0
    """Port on the host; 0 takes a free one, read it from status.endpoints."""


class Volume(Model):
    """A named volume that survives updates and is deleted with the Tenant."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=63)] = Field(
        json_schema_extra=cel(LABEL_RULE, "a volume's name is lower-case letters, digits and -, such as data")
    )
    """Name of the volume, unique in the Tenant."""
    mount_path: Annotated[str, StringConstraints(max_length=1024)] = Field(
        json_schema_extra=cel(
            "self.startsWith('/') && !self.contains(':')",
            "mountPath is an absolute path inside the container, without a colon",
        )
    )
    """Where it appears in the container."""
    read_only: bool = False
    """Mount it so that the container can't write to it."""


class DockerCompute(Model):
    """Settings that only the docker backend reads."""

    network: Annotated[str, StringConstraints(min_length=1, max_length=128)] | None = Field(
        default=None,
        json_schema_extra=cel(
            "self.matches('^[a-zA-Z0-9][a-zA-Z0-9_.-]*$') && "
            "!(self in ['host', 'none', 'bridge', 'default'])",
            "network names a network that landlord makes: letters, digits, _, . and -; "
            "host, none, bridge and default are not allowed",
        ),
    )
    """Network to join; tenants that name the same one reach each other. Unset: a network on which tenants
    do not reach each other."""
    bind_address: Annotated[str, StringConstraints(max_length=45)] = Field(
        default="127.0.0.1",
        json_schema_extra=cel("isIP(self)", "bindAddress is an IP address of the host, such as 127.0.0.1"),
    )
    """Address of the host that published ports are bound to."""
    publish: Annotated[tuple[Publish, ...], Field(max_length=32, json_schema_extra=map_list("port"))] = ()
    """Ports to publish on the host; each appears in status.endpoints with its URL."""
    volumes: Annotated[tuple[Volume, ...], Field(max_length=16, json_schema_extra=map_list("name"))] = ()
    """Named volumes."""
    restart_policy: Literal["no", "always", "on-failure", "unless-stopped"] = "unless-stopped"
    """What the engine does when the container exits. Quote "no" in YAML."""


class Compute(Model):
    """Where the tenant runs."""

    provider: Annotated[str, StringConstraints(min_length=1, max_length=63)] | None = Field(
        default=None,
        json_schema_extra=cel(LABEL_RULE, "provider is the name of an installed backend, such as docker"),
    )
    """Backend that runs the tenant. Unset: the operator's default, recorded in status.provider for the
    Tenant's life, so that one manifest serves a laptop and production."""
    docker: DockerCompute | None = None
    """Settings that only the docker backend reads; other backends ignore them."""

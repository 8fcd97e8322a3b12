"""What a tenant runs: `spec.workload`, the same on every backend."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints

from landlord.api.base import Model
from landlord.api.schema import cel, map_list

Quantity = Annotated[int | str, Field(json_schema_extra={"maxLength": 32})]
Words = Annotated[
    tuple[Annotated[str, StringConstraints(max_length=4096)], ...],
    Field(max_length=64),
]
Port32 = Annotated[int, Field(ge=1, le=65535, json_schema_extra={"format": "int32"})]
ProbeSeconds = Annotated[int, Field(ge=1, le=30, json_schema_extra={"format": "int32"})]
LABEL_RULE = "self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')"


class SecretKeyRef(Model):
    """A key of a Secret in the Tenant's own namespace."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=253)] = Field(
        json_schema_extra=cel(
            "self.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')",
            "the name of a Secret is lower-case letters, digits, - and ., such as acme-db",
        )
    )
    """Name of the Secret."""
    key: Annotated[str, StringConstraints(min_length=1, max_length=253)] = Field(
        json_schema_extra=cel(
            "self.matches('^[-._a-zA-Z0-9]+$')",
            "a key of a Secret is letters, digits, -, _ and ., such as password",
        )
    )
    """Key in the Secret; its value must be text."""
    optional: bool = False
    """Leave the variable out while there is no such Secret or key, instead of waiting for it."""


class EnvSource(Model):
    """Where a value comes from."""

    secret_key_ref: SecretKeyRef
    """A key of a Secret in the Tenant's own namespace."""


class EnvVar(Model):
    """One environment variable; without value and valueFrom it is empty."""

    model_config = ConfigDict(
        json_schema_extra=cel(
            "!has(self.value) || !has(self.valueFrom)",
            "set value or valueFrom of a variable, not both",
        )
    )

    name: Annotated[str, StringConstraints(min_length=1, max_length=253)] = Field(
        json_schema_extra=cel(
            "self.matches('^[A-Za-z_][A-Za-z0-9_.-]*$')",
            "the name of a variable starts with a letter or _ and goes on with letters, digits, _, . or -",
        )
    )
    """The variable's name, such as LOG_LEVEL."""
    value: Annotated[str, StringConstraints(max_length=8192)] = ""
    """Its value, taken literally. Not for secrets: it can be read by all who can read the Tenant."""
    value_from: EnvSource | None = None
    """Where its value comes from, for secrets: only the reference stands in the Tenant."""

    @property
    def secret(self) -> SecretKeyRef | None:
        """The key of a Secret that holds its value."""
        return self.value_from.secret_key_ref if self.value_from else None


class Port(Model):
    """A port that the container listens on."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=15)] = Field(
        json_schema_extra=cel(LABEL_RULE, "a port's name is lower-case letters, digits and -, such as http")
    )
    """Name of the port; compute.docker.publish and status.endpoints refer to it."""
    container_port: Port32
    """The port number inside the container."""
    protocol: Literal["TCP", "UDP"] = "TCP"
    """Transport protocol."""
    app_protocol: Literal["http", "https", "grpc", "tcp"] = "tcp"
    """What is spoken on the port; it becomes the scheme of the endpoint's URL."""


class ResourceAmounts(Model):
    """Amounts of CPU and memory."""

    cpu: Quantity | None = Field(
        default=None,
        json_schema_extra=cel(
            "type(self) == int ? self > 0 : isQuantity(self) && quantity(self).isGreaterThan(quantity('0'))",
            "cpu is a positive quantity of cores, such as 500m or 2",
        ),
    )
    """CPU in cores, such as 500m or 2."""
    memory: Quantity | None = Field(
        default=None,
        json_schema_extra=cel(
            "type(self) == int ? self > 0 : isQuantity(self) && quantity(self).isGreaterThan(quantity('0'))",
            "memory is a positive quantity of bytes, such as 128Mi or 1Gi",
        ),
    )
    """Memory in bytes, such as 128Mi or 1Gi."""


class Resources(Model):
    """How much of the machine the container may use."""

    requests: ResourceAmounts | None = None
    """What the container is promised when others compete for it."""
    limits: ResourceAmounts | None = None
    """What the container can't exceed."""


class HttpGet(Model):
    """Healthy when a GET is answered with a status from 200 to 399."""

    path: Annotated[str, StringConstraints(max_length=1024, pattern="^/")] = "/"
    """Path to request."""
    port: Port32
    """Port of the container."""


class TcpSocket(Model):
    """Healthy when a TCP connection is accepted."""

    port: Port32
    """Port of the container."""


class Exec(Model):
    """Healthy when a command inside the container exits with 0."""

    command: Annotated[Words, Field(min_length=1, max_length=64)]
    """The command and its arguments; no shell is involved."""


class Probe(Model):
    """How to tell that the container serves. The Tenant is not Ready before it has succeeded, nor while it
    keeps failing."""

    model_config = ConfigDict(
        json_schema_extra=cel(
            "[has(self.httpGet), has(self.tcpSocket), has(self.exec)].filter(x, x).size() == 1",
            "set exactly one of httpGet, tcpSocket or exec",
        )
    )

    http_get: HttpGet | None = None
    """Ask by HTTP."""
    tcp_socket: TcpSocket | None = None
    """Ask by opening a TCP connection."""
    exec: Exec | None = None
    """Ask by running a command in the container."""
    timeout_seconds: ProbeSeconds = 2
    """A try that takes longer than this many seconds has failed."""


class Container(Model):
    """One container of the tenant."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=63)] = Field(
        json_schema_extra=cel(LABEL_RULE, "a container's name is lower-case letters, digits and -, like app")
    )
    """Name of the container, unique in the Tenant."""
    image: Annotated[str, StringConstraints(min_length=1, max_length=512)] = Field(
        json_schema_extra=cel(
            "self.matches('^[a-zA-Z0-9][^ ]*$')",
            "image is a reference such as registry.example.com/team/app:1.2, without spaces or scheme",
        )
    )
    """Image reference, such as nginx:1.27 or registry.example.com/team/app@sha256:…"""
    image_pull_policy: Literal["Always", "IfNotPresent", "Never"] = "IfNotPresent"
    """When to pull the image. Never: it must be on the engine already."""
    command: Words | None = None
    """Replaces the image's entry point."""
    args: Words | None = None
    """Replaces the image's command."""
    env: Annotated[tuple[EnvVar, ...], Field(max_length=128, json_schema_extra=map_list("name"))] = ()
    """Environment variables."""
    ports: Annotated[tuple[Port, ...], Field(max_length=32, json_schema_extra=map_list("name"))] = ()
    """Ports that the container listens on."""
    resources: Resources | None = None
    """CPU and memory."""
    probe: Probe | None = None
    """When the container counts as serving; without it, as soon as it runs."""


class Workload(Model):
    """What the tenant runs."""

    containers: Annotated[
        tuple[Container, ...], Field(min_length=1, max_length=8, json_schema_extra=map_list("name"))
    ]
    """The tenant's containers. The docker backend runs exactly one."""
    replicas: Annotated[int, Field(ge=1, le=1000, json_schema_extra={"format": "int32"})] = 1
    """How many instances of all containers run side by side. The docker backend runs exactly one."""

    @property
    def refers_to_secrets(self) -> bool:
        """Whether any variable takes its value from a Secret."""
        return any(variable.secret for container in self.containers for variable in container.env)

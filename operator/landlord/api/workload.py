"""What a tenant runs: `spec.workload`, which is the same on every backend."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints

from landlord.api.amounts import Quantity, cpu_limit_rule, cpu_rule, memory_rule
from landlord.api.base import Model
from landlord.api.schema import cel, map_list

Words = Annotated[
    tuple[Annotated[str, StringConstraints(max_length=4096)], ...],
    Field(max_length=64),
]
Port32 = Annotated[int, Field(ge=1, le=65535, json_schema_extra={"format": "int32"})]
ProbeSeconds = Annotated[int, Field(ge=1, le=30, json_schema_extra={"format": "int32"})]
_HOST = (
    "([a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?([.][a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?)*|[[][a-fA-F0-9:]+[]])"
)
_PATH = "[a-z0-9]+(([._]|__|-+)[a-z0-9]+)*"
IMAGE_RULE = (
    f"^({_HOST}(:[0-9]+)?/)?{_PATH}(/{_PATH})*(:[a-zA-Z0-9_][a-zA-Z0-9_.-]{{0,127}})?"
    "(@[a-z0-9+._-]+:[a-fA-F0-9]{32,})?$"
)
"""The grammar of image references: https://pkg.go.dev/github.com/distribution/reference"""
LABEL_RULE = "self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')"


class SecretKeyRef(Model):
    """A key of a Secret in the Tenant's own namespace."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=253)] = Field(
        json_schema_extra=cel(
            "self.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')",
            "Secret name must be lower-case letters, digits, '-' and '.', such as acme-db",
        )
    )
    """Name of the Secret."""
    key: Annotated[str, StringConstraints(min_length=1, max_length=253)] = Field(
        json_schema_extra=cel(
            "self.matches('^[-._a-zA-Z0-9]+$')",
            "Secret key must be letters, digits, '-', '_' and '.', such as password",
        )
    )
    """Key in the Secret. Its value must be text."""
    optional: bool = False
    """Whether the variable is omitted if the Secret or its key does not exist. If false, landlord waits for
    both. Defaults to false."""


class EnvSource(Model):
    """Source of a variable's value."""

    secret_key_ref: SecretKeyRef
    """A key of a Secret in the Tenant's own namespace."""


class EnvVar(Model):
    """An environment variable. Without value and valueFrom it is empty."""

    model_config = ConfigDict(
        json_schema_extra=cel(
            "!has(self.value) || !has(self.valueFrom)",
            "a variable must not have both value and valueFrom",
        )
    )

    name: Annotated[str, StringConstraints(min_length=1, max_length=253)] = Field(
        json_schema_extra=cel(
            "self.matches('^[A-Za-z_][A-Za-z0-9_.-]*$')",
            "variable name must start with a letter or '_', followed by letters, digits, '_', '.' or '-'",
        )
    )
    """Name of the variable, such as LOG_LEVEL."""
    value: Annotated[str, StringConstraints(max_length=8192)] = ""
    """Value of the variable, taken literally. Must not be a secret, because everyone who can read the Tenant
    can read it."""
    value_from: EnvSource | None = None
    """Source of the variable's value. Use it for secrets: the Tenant contains only the reference."""

    @property
    def secret(self) -> SecretKeyRef | None:
        """The Secret key that holds the value, if any."""
        return self.value_from.secret_key_ref if self.value_from else None


class Port(Model):
    """A port on which the container listens."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=15)] = Field(
        json_schema_extra=cel(
            LABEL_RULE, "port name must be lower-case letters, digits and '-', such as http"
        )
    )
    """Name of the port. compute.docker.publish and status.endpoints refer to it."""
    container_port: Port32
    """Number of the port inside the container."""
    protocol: Literal["TCP", "UDP"] = "TCP"
    """Transport protocol. Defaults to TCP."""
    app_protocol: Literal["http", "https", "grpc", "tcp"] = "tcp"
    """Application protocol, which becomes the scheme of the endpoint's URL. Defaults to tcp."""


class ResourceAmounts(Model):
    """Amounts of CPU and memory."""

    cpu: Quantity | None = Field(default=None, json_schema_extra=cpu_rule())
    """CPU in cores, such as 500m or 2. A limit must be at least 10m."""
    memory: Quantity | None = Field(default=None, json_schema_extra=memory_rule())
    """Memory in bytes, such as 128Mi or 1Gi. Must be at least 6Mi."""


class Resources(Model):
    """Compute resources of the container."""

    requests: ResourceAmounts | None = None
    """Minimum amount of compute resources that the container is guaranteed."""
    limits: ResourceAmounts | None = Field(default=None, json_schema_extra=cpu_limit_rule())
    """Maximum amount of compute resources that the container may use."""


class HttpGet(Model):
    """Succeeds if an HTTP GET returns a status from 200 to 399."""

    path: Annotated[str, StringConstraints(max_length=1024, pattern="^/")] = "/"
    """Path to request. Defaults to /."""
    port: Port32
    """Number of the port of the container."""


class TcpSocket(Model):
    """Succeeds if a TCP connection can be opened."""

    port: Port32
    """Number of the port of the container."""


class Exec(Model):
    """Succeeds if a command inside the container exits with 0."""

    command: Annotated[Words, Field(min_length=1, max_length=64)]
    """Command and its arguments. Not run in a shell."""


class Probe(Model):
    """A check whether the container serves. The Tenant is not Ready before the probe succeeded, or while it
    keeps failing."""

    model_config = ConfigDict(
        json_schema_extra=cel(
            "[has(self.httpGet), has(self.tcpSocket), has(self.exec)].filter(x, x).size() == 1",
            "exactly one of httpGet, tcpSocket and exec must be set",
        )
    )

    http_get: HttpGet | None = None
    """HTTP request to make."""
    tcp_socket: TcpSocket | None = None
    """TCP connection to open."""
    exec: Exec | None = None
    """Command to run in the container."""
    timeout_seconds: ProbeSeconds = 2
    """Number of seconds after which a try of the probe fails. Defaults to 2."""


class Container(Model):
    """A container of the tenant."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=63)] = Field(
        json_schema_extra=cel(
            LABEL_RULE, "container name must be lower-case letters, digits and '-', such as app"
        )
    )
    """Name of the container. Must be unique within the Tenant."""
    image: Annotated[str, StringConstraints(min_length=1, max_length=512)] = Field(
        json_schema_extra=cel(
            f"self.matches('{IMAGE_RULE}')",
            "image must be a reference such as registry.example.com/team/app:1.2: a name in lower case with "
            "an optional registry, tag and digest, without https://, spaces or line breaks",
        )
    )
    """Image reference, such as nginx:1.27 or registry.example.com/team/app@sha256:…"""
    image_pull_policy: Literal["Always", "IfNotPresent", "Never"] = "IfNotPresent"
    """When to pull the image. With Never, the image must already exist on the Docker host or node. Defaults
    to IfNotPresent."""
    command: Words | None = None
    """Entrypoint of the container. Defaults to the image's ENTRYPOINT."""
    args: Words | None = None
    """Arguments to the entrypoint. Defaults to the image's CMD."""
    env: Annotated[tuple[EnvVar, ...], Field(max_length=128, json_schema_extra=map_list("name"))] = ()
    """List of environment variables to set in the container."""
    ports: Annotated[tuple[Port, ...], Field(max_length=32, json_schema_extra=map_list("name"))] = ()
    """List of ports on which the container listens."""
    resources: Resources | None = None
    """Compute resources of the container."""
    probe: Probe | None = None
    """Check whether the container serves. Without a probe, it serves as soon as it runs."""


class Workload(Model):
    """What the tenant runs."""

    containers: Annotated[
        tuple[Container, ...], Field(min_length=1, max_length=8, json_schema_extra=map_list("name"))
    ]
    """List of containers. On the docker backend, exactly one."""
    replicas: Annotated[int, Field(ge=1, le=1000, json_schema_extra={"format": "int32"})] = 1
    """Number of replicas. On the docker backend, exactly one. Defaults to 1."""

    @property
    def refers_to_secrets(self) -> bool:
        """Whether the value of any variable comes from a Secret."""
        return any(variable.secret for container in self.containers for variable in container.env)

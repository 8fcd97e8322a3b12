"""Where a tenant runs: `spec.compute`."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints

from landlord.api.amounts import Quantity, quota_rules
from landlord.api.base import Model
from landlord.api.schema import cel, cels, map_list
from landlord.api.workload import LABEL_RULE

Adoption = Literal["Never", "IfUnowned"]
Label = Annotated[str, StringConstraints(max_length=63)]
Annotation = Annotated[str, StringConstraints(max_length=4096)]


class Publish(Model):
    """A container port that is published on the Docker host."""

    port: Annotated[str, StringConstraints(min_length=1, max_length=15)]
    """Name of the container port to publish."""
    host_port: Annotated[int, Field(ge=0, le=65535, json_schema_extra={"format": "int32"})] = 0
    """Port number on the host. Defaults to 0, which chooses a free port; status.endpoints shows the
    choice."""


class Volume(Model):
    """A named volume that is kept across updates and deleted with the Tenant."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=63)] = Field(
        json_schema_extra=cel(
            LABEL_RULE, "volume name must be lower-case letters, digits and '-', such as data"
        )
    )
    """Name of the volume. Must be unique within the Tenant."""
    mount_path: Annotated[str, StringConstraints(max_length=1024)] = Field(
        json_schema_extra=cel(
            "self.startsWith('/') && !self.contains(':')",
            "mountPath must be an absolute path inside the container, without a colon",
        )
    )
    """Path within the container at which the volume is mounted."""
    read_only: bool = False
    """Whether the volume is mounted read-only. Defaults to false."""


class DockerCompute(Model):
    """Settings of the docker backend."""

    network: Annotated[str, StringConstraints(min_length=1, max_length=128)] | None = Field(
        default=None,
        json_schema_extra=cel(
            "self.matches('^[a-zA-Z0-9][a-zA-Z0-9_.-]*$') && "
            "!(self in ['host', 'none', 'bridge', 'default'])",
            "network must be letters, digits, '_', '.' and '-', and not host, none, bridge or default: "
            "landlord creates the network",
        ),
    )
    """Name of the network to join. Tenants with the same network can reach each other. Defaults to a network
    on which tenants can't reach each other."""
    bind_address: Annotated[str, StringConstraints(max_length=45)] = Field(
        default="127.0.0.1",
        json_schema_extra=cel("isIP(self)", "bindAddress must be an IP address of the host, like 127.0.0.1"),
    )
    """IP address on the host that published ports are bound to. Defaults to 127.0.0.1."""
    publish: Annotated[tuple[Publish, ...], Field(max_length=32, json_schema_extra=map_list("port"))] = ()
    """List of ports to publish on the host. status.endpoints shows the URL of each."""
    volumes: Annotated[tuple[Volume, ...], Field(max_length=16, json_schema_extra=map_list("name"))] = ()
    """List of named volumes. Only the docker backend provides them; on other backends the tenant runs
    without."""
    restart_policy: Literal["no", "always", "on-failure", "unless-stopped"] = "unless-stopped"
    """Restart policy of the container. Defaults to unless-stopped. Quote "no" in YAML."""


class NamespaceSettings(Model):
    """The tenant's own namespace."""

    model_config = ConfigDict(
        json_schema_extra=cels(
            (
                "!has(self.name) || !has(oldSelf.name) || self.name == oldSelf.name",
                "namespace.name can't be changed: create a new Tenant instead",
            ),
            (
                "!has(self.labels) || self.labels.all(k, !k.startsWith('landlord.dev/') && "
                "!k.startsWith('pod-security.kubernetes.io/') && k != 'kubernetes.io/metadata.name')",
                "namespace.labels must not contain landlord.dev/… or pod-security.kubernetes.io/…: landlord "
                "sets these; for the latter use compute.kubernetes.podSecurity",
            ),
            (
                "!has(self.annotations) || self.annotations.all(k, !k.startsWith('landlord.dev/'))",
                "namespace.annotations must not contain landlord.dev/…: landlord sets these",
            ),
        )
    )

    name: Annotated[str, StringConstraints(min_length=1, max_length=63)] | None = Field(
        default=None,
        json_schema_extra=cels(
            (LABEL_RULE, "namespace name must be lower-case letters, digits and '-', such as tenant-acme"),
            (
                "self != 'default' && !self.startsWith('kube-')",
                "namespace name must not be default or start with kube-: these belong to the cluster",
            ),
        ),
    )
    """Name of the namespace. Cannot be updated. Defaults to tenant-<tenantID>."""
    labels: dict[str, Label] = Field(default_factory=dict, max_length=32)
    """Labels to add to the namespace."""
    annotations: dict[str, Annotation] = Field(default_factory=dict, max_length=32)
    """Annotations to add to the namespace."""


class KubernetesCompute(Model):
    """Settings of the kubernetes backend."""

    model_config = ConfigDict(
        json_schema_extra=cel(
            "self.exposure != 'LoadBalancer' || self.networkIsolation != 'Isolated'",
            "exposure LoadBalancer can't reach pods in an Isolated network: set networkIsolation to "
            "IngressOnly or Open",
        )
    )

    namespace: NamespaceSettings = NamespaceSettings()
    """The tenant's own namespace."""
    quota: dict[str, Quantity] = Field(default_factory=dict, max_length=32, json_schema_extra=quota_rules())
    """Hard limits of the namespace, as in a ResourceQuota: requests.cpu, limits.memory, pods, …"""
    pod_security: Literal["restricted", "baseline", "privileged"] = "restricted"
    """Pod Security level that is enforced in the namespace. Defaults to restricted, under which images must
    not run as root."""
    network_isolation: Literal["Isolated", "IngressOnly", "Open"] = "Isolated"
    """Network traffic that is allowed. Isolated: the tenant's pods can reach only each other and DNS.
    IngressOnly: in addition, anyone can reach the declared ports. Open: no restriction. Defaults to
    Isolated."""
    exposure: Literal["None", "ClusterIP", "LoadBalancer"] = "ClusterIP"
    """How the declared ports are exposed: not at all, by a Service within the cluster, or by a load balancer.
    Defaults to ClusterIP."""
    node_selector: dict[str, Label] = Field(default_factory=dict, max_length=16)
    """Labels that a node must have to run the tenant's pods."""


class Compute(Model):
    """Where the tenant runs."""

    provider: Annotated[str, StringConstraints(min_length=1, max_length=63)] | None = Field(
        default=None,
        json_schema_extra=cel(
            LABEL_RULE, "provider must be the name of an installed backend, such as docker"
        ),
    )
    """Name of the backend that runs the tenant. Cannot be updated. Defaults to the operator's default
    backend, which status.provider records for the lifetime of the Tenant, so one manifest serves a laptop and
    production."""
    docker: DockerCompute | None = None
    """Settings of the docker backend. Other backends ignore them."""
    kubernetes: KubernetesCompute | None = None
    """Settings of the kubernetes backend. Other backends ignore them."""
    config: dict[str, Any] | None = Field(default=None, max_length=64)
    """Settings of a plug-in backend; `landlord backends NAME` shows their schema. Backends without such
    settings reject them. Must not contain secrets."""

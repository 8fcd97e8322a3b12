"""Where a tenant runs: `spec.compute`."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints

from landlord.api.base import Model
from landlord.api.schema import cel, cels, map_list
from landlord.api.workload import LABEL_RULE, Quantity

Adoption = Literal["Never", "IfUnowned"]
Label = Annotated[str, StringConstraints(max_length=63)]
Annotation = Annotated[str, StringConstraints(max_length=4096)]


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
    """Named volumes. They are the docker backend's alone: on others the tenant runs without them."""
    restart_policy: Literal["no", "always", "on-failure", "unless-stopped"] = "unless-stopped"
    """What the engine does when the container exits. Quote "no" in YAML."""


class NamespaceSettings(Model):
    """The namespace that the tenant has to itself."""

    model_config = ConfigDict(
        json_schema_extra=cels(
            (
                "!has(self.name) || !has(oldSelf.name) || self.name == oldSelf.name",
                "namespace.name can't be changed: create a new Tenant instead",
            ),
            (
                "!has(self.labels) || self.labels.all(k, !k.startsWith('landlord.dev/') && "
                "!k.startsWith('pod-security.kubernetes.io/') && k != 'kubernetes.io/metadata.name')",
                "namespace.labels can't hold landlord.dev/… or pod-security.kubernetes.io/…: landlord sets "
                "them, the latter by compute.kubernetes.podSecurity",
            ),
            (
                "!has(self.annotations) || self.annotations.all(k, !k.startsWith('landlord.dev/'))",
                "namespace.annotations can't hold landlord.dev/…: landlord sets them",
            ),
        )
    )

    name: Annotated[str, StringConstraints(min_length=1, max_length=63)] | None = Field(
        default=None,
        json_schema_extra=cels(
            (LABEL_RULE, "a namespace's name is lower-case letters, digits and -, such as tenant-acme"),
            (
                "self != 'default' && !self.startsWith('kube-')",
                "default and kube-… belong to the cluster; choose another namespace",
            ),
        ),
    )
    """Its name, unchangeable. Unset: tenant-<tenantID>."""
    labels: dict[str, Label] = Field(default_factory=dict, max_length=32)
    """Further labels of the namespace."""
    annotations: dict[str, Annotation] = Field(default_factory=dict, max_length=32)
    """Further annotations of the namespace."""


class KubernetesCompute(Model):
    """Settings that only the kubernetes backend reads."""

    model_config = ConfigDict(
        json_schema_extra=cel(
            "self.exposure != 'LoadBalancer' || self.networkIsolation != 'Isolated'",
            "a LoadBalancer reaches nothing in an Isolated network: set networkIsolation to IngressOnly "
            "or Open",
        )
    )

    namespace: NamespaceSettings = NamespaceSettings()
    """The namespace that the tenant has to itself."""
    quota: dict[str, Quantity] = Field(default_factory=dict, max_length=32)
    """What the whole namespace may use, as in a ResourceQuota: requests.cpu, limits.memory, pods, …"""
    pod_security: Literal["restricted", "baseline", "privileged"] = "restricted"
    """Pod Security level that is enforced in the namespace. restricted: images must not run as root."""
    network_isolation: Literal["Isolated", "IngressOnly", "Open"] = "Isolated"
    """Isolated: the tenant's pods reach each other and DNS, and nothing else. IngressOnly: besides, everybody
    reaches the declared ports. Open: no restriction."""
    exposure: Literal["None", "ClusterIP", "LoadBalancer"] = "ClusterIP"
    """How the declared ports are offered: not at all, by a Service in the cluster, or by a load balancer."""
    node_selector: dict[str, Label] = Field(default_factory=dict, max_length=16)
    """Labels of the nodes that may run the tenant."""


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
    kubernetes: KubernetesCompute | None = None
    """Settings that only the kubernetes backend reads; other backends ignore them."""
    config: dict[str, Any] | None = Field(default=None, max_length=64)
    """Settings of a backend that is a plug-in, as its documentation and `landlord backends` say. Refused by
    backends that take none. Not for secrets."""

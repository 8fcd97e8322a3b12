"""The Tenant: the spec that a platform engineer writes, and the status that landlord reports."""

from datetime import datetime, timedelta
from typing import Annotated, Literal, NamedTuple

import durationpy
from pydantic import ConfigDict, Field, StringConstraints, ValidationError, model_validator

from landlord.api.base import Model
from landlord.api.compute import Adoption, Compute
from landlord.api.deletion import Deletion
from landlord.api.lifecycle import Lifetime, State
from landlord.api.names import FINALIZER, MAX_TENANT_ID
from landlord.api.schema import JsonObject, cel, cels
from landlord.api.status import TenantStatus
from landlord.api.workload import LABEL_RULE, Workload


class Key(NamedTuple):
    """Namespace and name of a Tenant."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


def explain(error: ValidationError) -> str:
    """Describe a validation error in one line: each field and what is wrong with it."""
    return "; ".join(
        f"{'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}" for problem in error.errors()
    )


NAMESPACE_IS_NAMED = " && ".join(
    f"has({{0}}.{field})"
    for field in (
        "compute",
        "compute.kubernetes",
        "compute.kubernetes.__namespace__",  # how CEL spells a reserved word
        "compute.kubernetes.__namespace__.name",
    )
)


class Management(Model):
    """What landlord may do to the tenant."""

    mode: Literal["Managed", "Paused"] = "Managed"
    """Managed: landlord applies the spec. Paused: landlord leaves the tenant unchanged until it is Managed
    again; only a deletion is carried out. Defaults to Managed."""
    drift: Literal["Repair", "Report", "Ignore"] = "Repair"
    """What landlord does when someone deletes or changes the tenant's objects on the backend. Repair: it
    applies them again. Report: it lists the differences in status.drift and in an Event, and leaves them.
    Ignore: it does nothing; the condition ComputeHealthy still reports missing or unhealthy objects. Defaults
    to Repair."""
    adoption: Adoption = "Never"
    """What landlord does with an existing namespace or object of the tenant's name. Never: it reports a
    conflict and leaves it unchanged. IfUnowned: it adopts the namespace or object if nothing else owns it. An
    adopted namespace is kept when the Tenant is deleted; the objects that landlord manages in it are not.
    Only the kubernetes backend can adopt. Defaults to Never."""


class WorkflowSpec(Model):
    """Settings of the workflow that provisions the tenant."""

    timeout: Annotated[str, StringConstraints(max_length=32)] = Field(
        default="30m",
        json_schema_extra=cel(
            "self.matches('^([0-9]+(ms|s|m|h))+$') && "
            "duration(self) >= duration('1s') && duration(self) <= duration('24h')",
            "timeout must be a duration from 1s to 24h, such as 90s or 1h30m",
        ),
    )
    """How long failing steps are retried before the workflow fails, such as 90s or 1h30m. Defaults to 30m."""

    @property
    def timeout_seconds(self) -> float:
        """The timeout in seconds."""
        timeout: timedelta = durationpy.from_str(self.timeout)
        return timeout.total_seconds()


class TenantSpec(Model):
    """Desired state of the tenant."""

    model_config = ConfigDict(
        json_schema_extra=cels(
            (
                "has(self.tenantID) == has(oldSelf.tenantID) && "
                "(!has(self.tenantID) || self.tenantID == oldSelf.tenantID)",
                "tenantID can't be changed: create a new Tenant instead",
            ),
            (
                "!has(oldSelf.compute) || !has(oldSelf.compute.provider) || (has(self.compute) && "
                "has(self.compute.provider) && self.compute.provider == oldSelf.compute.provider)",
                "compute.provider can't be changed: create a new Tenant instead",
            ),
            (
                "!has(self.compute) || !has(self.compute.provider) || self.compute.provider != 'docker' || "
                "self.workload.containers.size() == 1",
                "a Tenant on the docker backend must have exactly one container",
            ),
            (
                "!has(self.compute) || !has(self.compute.provider) || self.compute.provider != 'docker' || "
                "self.workload.replicas == 1",
                "a Tenant on the docker backend must have exactly one replica",
            ),
            (
                f"({NAMESPACE_IS_NAMED.format('self')}) == ({NAMESPACE_IS_NAMED.format('oldSelf')})",
                "compute.kubernetes.namespace.name can't be changed: create a new Tenant instead",
            ),
            (
                "!has(oldSelf.desiredState) || oldSelf.desiredState != 'Archived' || "
                "!has(self.desiredState) || self.desiredState != 'Suspended'",
                "an archived tenant can't be suspended: set desiredState to Active or Archived",
            ),
            (
                "!has(self.lifetime) || !has(self.lifetime.onExpiry) || "
                "self.lifetime.onExpiry != 'Delete' || !has(self.deletion) || "
                "!has(self.deletion.protected) || !self.deletion.protected",
                "a protected Tenant can't be deleted when it expires: set lifetime.onExpiry to Suspend or "
                "Archive, or deletion.protected to false",
            ),
            (
                "!has(self.compute) || !has(self.compute.docker) || !has(self.compute.docker.publish) || "
                "self.compute.docker.publish.all(p, self.workload.containers.exists(c, has(c.ports) && "
                "c.ports.exists(q, q.name == p.port)))",
                "compute.docker.publish must name ports that a container declares",
            ),
        )
    )

    tenant_id: Annotated[str, StringConstraints(min_length=1, max_length=MAX_TENANT_ID)] | None = Field(
        default=None,
        alias="tenantID",
        json_schema_extra=cel(
            LABEL_RULE,
            f"tenantID must be at most {MAX_TENANT_ID} lower-case letters, digits and '-', such as acme-eu",
        ),
    )
    """Identity of the tenant on the backend. Must be unique in the cluster. Cannot be updated. Defaults to
    metadata.name."""
    display_name: Annotated[str, StringConstraints(max_length=128)] | None = None
    """Name for people, shown by `kubectl get tenants -o wide`."""
    compute: Compute = Compute()
    """Where the tenant runs."""
    workload: Workload
    """What the tenant runs."""
    desired_state: State = "Active"
    """Active: the tenant runs. Suspended: it is stopped, and all of its objects are kept, so it can be
    resumed. Archived: only the objects that hold its data are kept, from which Active restores it. Defaults
    to Active."""
    lifetime: Lifetime | None = None
    """How long the tenant stays in its desired state, and what happens then. Defaults to no expiry."""
    deletion: Deletion = Deletion()
    """What happens when the Tenant is deleted."""
    management: Management = Management()
    """What landlord may do to the tenant."""
    workflow: WorkflowSpec = WorkflowSpec()
    """Settings of the workflow that provisions the tenant."""


def _deletion_of(raw: JsonObject) -> Deletion:
    """Return spec.deletion of an unreadable spec. If that is unreadable too, the tenant is protected."""
    try:
        return Deletion.model_validate((raw.get("spec") or {}).get("deletion") or {})
    except ValidationError:
        return Deletion(protected=True)


class Metadata(Model):
    """The part of ObjectMeta that landlord reads."""

    name: str
    namespace: str
    uid: str
    resource_version: str
    generation: int
    creation_timestamp: datetime
    deletion_timestamp: datetime | None = None
    finalizers: tuple[str, ...] = ()
    annotations: dict[str, str] = Field(default_factory=dict)


class Tenant(Model):
    """One Tenant object."""

    metadata: Metadata
    spec: TenantSpec | None
    """None if this version of landlord can't read the spec; `spec_error` explains why."""
    spec_error: str | None = None
    deletion: Deletion = Deletion()
    """spec.deletion, which applies even if the rest of the spec can't be read."""
    status: TenantStatus = TenantStatus()

    @model_validator(mode="before")
    @classmethod
    def _set_an_unreadable_spec_aside(cls, raw: JsonObject) -> JsonObject:
        """Accept an object that was stored under another schema, so it can be rejected, reported and
        deleted."""
        try:
            spec = TenantSpec.model_validate(raw.get("spec"))
            return {**raw, "spec": spec, "deletion": spec.deletion}
        except ValidationError as error:
            return {**raw, "spec": None, "specError": explain(error), "deletion": _deletion_of(raw)}

    @property
    def key(self) -> "Key":
        """Namespace and name of the object."""
        return Key(self.metadata.namespace, self.metadata.name)

    @property
    def tenant_id(self) -> str:
        """Identity of the tenant on the backend."""
        chosen = self.spec.tenant_id if self.spec else self.status.tenant_id
        return chosen or self.metadata.name

    @property
    def deleting(self) -> bool:
        """Whether the object is being deleted."""
        return self.metadata.deletion_timestamp is not None

    @property
    def paused(self) -> bool:
        """Whether landlord may carry out nothing but a deletion."""
        return self.spec is not None and self.spec.management.mode == "Paused"

    @property
    def has_finalizer(self) -> bool:
        """Whether our finalizer keeps the object from disappearing."""
        return FINALIZER in self.metadata.finalizers

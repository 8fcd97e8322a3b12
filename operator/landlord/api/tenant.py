"""The Tenant: what a platform engineer writes and what landlord answers."""

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
    """A Tenant's place in the cluster."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


def explained(error: ValidationError) -> str:
    """A validation error in one line: the fields and what is wrong with each."""
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
    """How far landlord may go."""

    mode: Literal["Managed", "Paused"] = "Managed"
    """Managed: what runs is made what the spec says. Paused: nothing is done to the tenant, whatever changes,
    until it is Managed again; only a deletion is carried out."""
    drift: Literal["Repair", "Report", "Ignore"] = "Repair"
    """What is done when somebody removes or changes what was made for the tenant. Repair: it is made again.
    Report: status.drift and an Event say what is different, and it is left so. Ignore: nothing; that it is
    gone or unhealthy is still told by the condition ComputeHealthy."""
    adoption: Adoption = "Never"
    """What to do about a namespace or object that was there before the Tenant. Never: it is a conflict, and
    left as it is. IfUnowned: it becomes the tenant's, if nothing else owns it. A namespace that was taken
    over outlives the Tenant; what landlord manages in it does not. Only the kubernetes backend can adopt."""


class WorkflowSpec(Model):
    """How the workflow that provisions the tenant behaves."""

    timeout: Annotated[str, StringConstraints(max_length=32)] = Field(
        default="30m",
        json_schema_extra=cel(
            "self.matches('^([0-9]+(ms|s|m|h))+$') && "
            "duration(self) >= duration('1s') && duration(self) <= duration('24h')",
            "timeout is a duration from 1s to 24h, such as 90s or 1h30m",
        ),
    )
    """How long failing steps are tried again before the workflow is given up, such as 90s or 1h30m."""

    @property
    def timeout_seconds(self) -> float:
        """The timeout in seconds."""
        timeout: timedelta = durationpy.from_str(self.timeout)
        return timeout.total_seconds()


class TenantSpec(Model):
    """What the tenant shall be."""

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
                "the docker backend runs exactly one container in a Tenant",
            ),
            (
                "!has(self.compute) || !has(self.compute.provider) || self.compute.provider != 'docker' || "
                "self.workload.replicas == 1",
                "the docker backend runs exactly one replica of a Tenant",
            ),
            (
                f"({NAMESPACE_IS_NAMED.format('self')}) == ({NAMESPACE_IS_NAMED.format('oldSelf')})",
                "compute.kubernetes.namespace.name can't be changed: create a new Tenant instead",
            ),
            (
                "!has(oldSelf.desiredState) || oldSelf.desiredState != 'Archived' || "
                "!has(self.desiredState) || self.desiredState != 'Suspended'",
                "an archived tenant can't be suspended: set desiredState to Active, or leave it Archived",
            ),
            (
                "!has(self.lifetime) || !has(self.lifetime.onExpiry) || "
                "self.lifetime.onExpiry != 'Delete' || !has(self.deletion) || "
                "!has(self.deletion.protected) || !self.deletion.protected",
                "a protected Tenant can't be deleted at its expiry: set lifetime.onExpiry to Suspend or "
                "Archive, or deletion.protected to false",
            ),
            (
                "!has(self.compute) || !has(self.compute.docker) || !has(self.compute.docker.publish) || "
                "self.compute.docker.publish.all(p, self.workload.containers.exists(c, has(c.ports) && "
                "c.ports.exists(q, q.name == p.port)))",
                "compute.docker.publish refers to a port that no container declares",
            ),
        )
    )

    tenant_id: Annotated[str, StringConstraints(min_length=1, max_length=MAX_TENANT_ID)] | None = Field(
        default=None,
        alias="tenantID",
        json_schema_extra=cel(
            LABEL_RULE,
            f"tenantID is at most {MAX_TENANT_ID} lower-case letters, digits and -, such as acme-eu",
        ),
    )
    """Identity of the tenant on the backend; unique in the cluster, unchangeable. Unset: metadata.name."""
    display_name: Annotated[str, StringConstraints(max_length=128)] | None = None
    """Name for people, shown by kubectl get tenants -o wide."""
    compute: Compute = Compute()
    """Where the tenant runs."""
    workload: Workload
    """What the tenant runs."""
    desired_state: State = "Active"
    """Active: it runs. Suspended: nothing of it runs, and all of it is kept, so that it goes on as it was
    when it is Active again. Archived: only what holds its data is kept; Active restores it."""
    lifetime: Lifetime | None = None
    """How long the tenant is wanted so, and what becomes of it then; unset: for ever."""
    deletion: Deletion = Deletion()
    """What happens when the Tenant is deleted."""
    management: Management = Management()
    """How far landlord may go."""
    workflow: WorkflowSpec = WorkflowSpec()
    """How the workflow behaves that provisions the tenant."""


def _deletion_of(raw: JsonObject) -> Deletion:
    """What an unreadable spec says of deletion; what can't be read either is not taken for consent."""
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


class Tenant(Model):
    """One Tenant object."""

    metadata: Metadata
    spec: TenantSpec | None
    """None if this version of landlord can't read it, which `spec_error` explains."""
    spec_error: str | None = None
    deletion: Deletion = Deletion()
    """spec.deletion, which is heeded even if the rest can't be read."""
    status: TenantStatus = TenantStatus()

    @model_validator(mode="before")
    @classmethod
    def _set_an_unreadable_spec_aside(cls, raw: JsonObject) -> JsonObject:
        """An object that was stored under another schema must still be refused, shown and deleted."""
        try:
            spec = TenantSpec.model_validate(raw.get("spec"))
            return {**raw, "spec": spec, "deletion": spec.deletion}
        except ValidationError as error:
            return {**raw, "spec": None, "specError": explained(error), "deletion": _deletion_of(raw)}

    @property
    def key(self) -> "Key":
        """What identifies the object for kubectl."""
        return Key(self.metadata.namespace, self.metadata.name)

    @property
    def tenant_id(self) -> str:
        """The identity on the backend."""
        chosen = self.spec.tenant_id if self.spec else self.status.tenant_id
        return chosen or self.metadata.name

    @property
    def deleting(self) -> bool:
        """Whether somebody asked to delete the object."""
        return self.metadata.deletion_timestamp is not None

    @property
    def paused(self) -> bool:
        """Whether nothing but its deletion may be carried out."""
        return self.spec is not None and self.spec.management.mode == "Paused"

    @property
    def has_finalizer(self) -> bool:
        """Whether our finalizer keeps the object from disappearing."""
        return FINALIZER in self.metadata.finalizers

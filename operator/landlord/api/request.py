"""What the operator asks of the workflow. Never holds a secret: it is journaled by the engine."""

import hashlib
import json
from datetime import datetime
from typing import Any, Literal, Self

from pydantic import model_validator

from landlord.api.base import Model
from landlord.api.compute import Adoption, DockerCompute, KubernetesCompute
from landlord.api.workload import Workload

Operation = Literal["apply", "suspend", "archive", "delete"]


class Desired(Model):
    """What a backend has to make true for one tenant."""

    tenant_id: str
    workload: Workload
    docker: DockerCompute | None = None
    kubernetes: KubernetesCompute | None = None
    config: dict[str, Any] | None = None
    """For plug-in backends; checked against the backend's `Config` before any step."""
    adoption: Adoption = "Never"
    secrets_namespace: str | None = None
    """Where the Secrets are that the workload refers to: the Tenant's namespace. Set exactly if it does."""

    @model_validator(mode="after")
    def _secrets_are_somewhere(self) -> Self:
        if (self.secrets_namespace is not None) != self.workload.refers_to_secrets:
            raise ValueError("secrets_namespace belongs to a workload that refers to Secrets and to no other")
        return self

    def hash(self) -> str:
        """16 hex digits that change exactly when the desired state does.

        Defaults are left out, so that a later version with one more optional field replaces nothing. Adoption
        is a permission and no part of the state.
        """
        desired = self.model_dump(mode="json", exclude_defaults=True, exclude={"adoption"})
        canonical = json.dumps(desired, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:16]


class Request(Model):
    """One call of the workflow, on behalf of one generation of one Tenant object."""

    tenant_id: str
    operation: Operation
    uid: str
    """metadata.uid of the Tenant object."""
    created_at: datetime
    """metadata.creationTimestamp of the Tenant object."""
    generation: int
    attempt: int
    """Counts from 1; a new attempt at the same generation is a new invocation."""
    provider: str
    timeout_seconds: float
    """How long failing steps are tried again, from the start of the invocation."""
    desired: Desired | None = None
    """Set exactly for apply."""
    keeps_data: bool = False
    """Of a delete: it leaves what an archive would."""

    @model_validator(mode="after")
    def _desired_exactly_for_apply(self) -> Self:
        if (self.desired is not None) != (self.operation == "apply"):
            raise ValueError("desired belongs to apply and to nothing else")
        if self.desired is not None and self.desired.tenant_id != self.tenant_id:
            raise ValueError("desired is for another tenantID than the request")
        if self.keeps_data and self.operation != "delete":
            raise ValueError("keeps_data belongs to delete and to nothing else")
        return self

    @property
    def idempotency_key(self) -> str:
        """The same for the same work, however often it is submitted."""
        return f"{self.uid}-{self.generation}-{self.attempt}"

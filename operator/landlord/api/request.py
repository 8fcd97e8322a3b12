"""What the operator requests of the workflow. Never contains a secret, because the engine journals it."""

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
    """The desired state of one tenant, as a backend applies it."""

    tenant_id: str
    workload: Workload
    docker: DockerCompute | None = None
    kubernetes: KubernetesCompute | None = None
    config: dict[str, Any] | None = None
    """Settings of a plug-in backend, validated by its `Config` before the first step."""
    adoption: Adoption = "Never"
    secrets_namespace: str | None = None
    """The Tenant's namespace, if the workload refers to Secrets, which are there; otherwise None."""

    @model_validator(mode="after")
    def _secrets_are_somewhere(self) -> Self:
        if (self.secrets_namespace is not None) != self.workload.refers_to_secrets:
            raise ValueError("secrets_namespace must be set if and only if the workload refers to Secrets")
        return self

    def hash(self) -> str:
        """Return 16 hex digits that change exactly when the desired state does.

        Defaults are left out, so a later version with another optional field replaces no workload. Adoption
        is left out because it is a permission and not part of the state.
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
    """Counts from 1. Another attempt at the same generation is another invocation."""
    provider: str
    timeout_seconds: float
    """How long failing steps are retried, from the start of the invocation."""
    desired: Desired | None = None
    """Set if and only if the operation is apply."""
    keeps_data: bool = False
    """Whether a delete keeps what an archive keeps."""

    @model_validator(mode="after")
    def _desired_exactly_for_apply(self) -> Self:
        if (self.desired is not None) != (self.operation == "apply"):
            raise ValueError("desired must be set if and only if the operation is apply")
        if self.desired is not None and self.desired.tenant_id != self.tenant_id:
            raise ValueError("desired.tenant_id must equal the tenant_id of the request")
        if self.keeps_data and self.operation != "delete":
            raise ValueError("keeps_data must not be set unless the operation is delete")
        return self

    @property
    def idempotency_key(self) -> str:
        """The same key for the same work, however often it is submitted."""
        return f"{self.uid}-{self.generation}-{self.attempt}"

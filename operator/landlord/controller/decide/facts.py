"""What a plan is made from: the Tenant, what is known beside it, and the time."""

from dataclasses import dataclass
from datetime import datetime

from landlord.api.outcome import Outcome
from landlord.api.request import Request
from landlord.api.tenant import Tenant
from landlord.controller.decide.breaker import Deletions
from landlord.controller.decide.comparison import Finding
from landlord.engines.contract import Progress, Registration
from landlord.errors import EngineError, NotRegistered, RequestRejected


@dataclass(frozen=True)
class Flight:
    """What this process knows of one request that it submitted to the engine."""

    request: Request
    progress: Progress | None = None
    outcome: Outcome | None = None
    error: EngineError | None = None

    def is_for(self, request: Request) -> bool:
        """Whether it is this very work; another operation has another handler, and so a key of its own."""
        submitted = (self.request.operation, self.request.idempotency_key)
        return submitted == (request.operation, request.idempotency_key)

    @property
    def may_be_running(self) -> bool:
        """Whether the engine accepted it, or may have, and has not reported its outcome."""
        return self.outcome is None and not isinstance(self.error, NotRegistered | RequestRejected)

    @property
    def has_ended(self) -> bool:
        """Whether this process no longer waits for it."""
        return self.outcome is not None or self.error is not None


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known beside the object."""

    registration: Registration
    """The current one: unfinished Tenants report it and wait for it."""
    steady: Registration | None
    """The one that has not changed for a while, or had not before a change of a moment ago."""
    default_provider: str
    owner: str | None = None
    """namespace/name of the older Tenant that has the same tenantID."""
    flight: Flight | None = None
    finding: Finding | None = None
    """How the last survey differs from what the Tenant reports."""
    deletions: Deletions | None = None
    """All known deletions. None: the breaker is off, or not needed."""

    @property
    def settled_registration(self) -> Registration | None:
        """What settled Tenants report; None while the registration is changing: they are left unchanged."""
        now, steady = self.registration, self.steady
        is_same = steady is not None and (steady.status, steady.reason) == (now.status, now.reason)
        return steady if is_same else None


@dataclass(frozen=True)
class Case:
    """One Tenant at one moment, with all that landlord knows about it."""

    tenant: Tenant
    facts: Facts
    now: datetime

    @property
    def finding(self) -> Finding | None:
        """The survey's finding, unless another workflow has ended since that survey."""
        finding, workflow = self.facts.finding, self.tenant.status.workflow
        if finding is None or workflow is None:
            return None
        last_work = (self.tenant.metadata.uid, workflow.generation, workflow.attempt)
        return finding if finding.work == last_work else None

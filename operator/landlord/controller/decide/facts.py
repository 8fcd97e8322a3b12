"""What a plan is made from besides the Tenant itself."""

from dataclasses import dataclass

from landlord.api.outcome import Outcome
from landlord.api.request import Request
from landlord.controller.decide.breaker import Deletions
from landlord.controller.decide.comparison import Finding
from landlord.engines.contract import Progress, Registration
from landlord.errors import EngineError, NotRegistered, RequestRejected


@dataclass(frozen=True)
class Flight:
    """What this process knows of one request that it gave to the engine."""

    request: Request
    progress: Progress | None = None
    outcome: Outcome | None = None
    error: EngineError | None = None

    def is_for(self, request: Request) -> bool:
        """Whether it is this very work; another operation has another handler, and so a key of its own."""
        asked = (self.request.operation, self.request.idempotency_key)
        return asked == (request.operation, request.idempotency_key)

    @property
    def taken(self) -> bool:
        """Whether the engine has taken it, or may have, and has not told what came of it."""
        return self.outcome is None and not isinstance(self.error, NotRegistered | RequestRejected)

    @property
    def ended(self) -> bool:
        """Whether it is not under way any more, as far as this process knows."""
        return self.outcome is not None or self.error is not None


@dataclass(frozen=True)
class Facts:
    """What is known beside the object."""

    registration: Registration
    """As it is now: what unfinished Tenants say and wait for."""
    steady: Registration | None
    """As it has stood for a while, or did before a change of a moment ago."""
    default_provider: str
    owner: str | None = None
    """namespace/name of the older Tenant that has the same tenantID."""
    flight: Flight | None = None
    finding: Finding | None = None
    """What the last survey has found to be otherwise than the Tenant says."""
    deletions: Deletions | None = None
    """All deletions that are known of. None: the breaker is off, or not needed."""

    @property
    def for_settled(self) -> Registration | None:
        """What settled Tenants tell of it; None while it is changing: they are left as they are."""
        now, steady = self.registration, self.steady
        same = steady is not None and (steady.status, steady.reason) == (now.status, now.reason)
        return steady if same else None

"""Decides whether so many Tenants are being deleted that a person has to confirm it.

landlord waits BURST_SECONDS before it carries out a deletion, so that it judges a burst as a whole, and
before it removes anything. A Tenant whose deletion is on hold reports that in its status, which keeps the
breaker open across a restart.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from landlord.api import names

NEVER_TOO_MANY = 10
"""landlord always allows so many deletions, however large a share of the Tenants they are."""
BURST_SECONDS = 5.0
"""kubectl delete --all takes about a second for 50 Tenants."""

RELEASE = (
    f"kubectl annotate crd {names.CRD_NAME} --overwrite "
    f"{names.ANNOTATION_RELEASED}=$(date -u +%Y-%m-%dT%H:%M:%SZ)"
)
"""What a person runs to confirm all deletions up to now."""


@dataclass(frozen=True)
class Limits:
    """How many deletions, within how long, landlord takes to be intended."""

    count: int
    share: float
    """Percent of all Tenants."""
    window: timedelta

    def count_allowed(self, tenants: int) -> int:
        """Count how many deletions are allowed, of so many Tenants."""
        return min(self.count, max(NEVER_TOO_MANY, int(tenants * self.share / 100)))


@dataclass(frozen=True, kw_only=True)
class Deletions:
    """All that is known of deletions at one moment."""

    allowed: int
    window: timedelta
    tenants: int
    """How many existed before those that went within the window."""
    times: tuple[datetime, ...]
    """When unconfirmed deletions began, of Tenants that exist or went within the window, earliest first."""
    is_any_held: bool = False
    """Whether an unconfirmed deletion is on hold already."""
    is_crd_terminating: bool = False
    """Whether somebody deleted the CRD, and every Tenant with it."""
    released: datetime | None = None
    """A person confirmed all deletions up to then."""

    def explain_hold(self, deleted_at: datetime) -> str | None:
        """Explain why a Tenant that was deleted then must not be deprovisioned; None if it may be."""
        if self.is_released(deleted_at):
            return None
        if self.is_crd_terminating:
            return f"the CRD {names.CRD_NAME} was deleted, and all Tenants with it"
        if self.is_any_held or self._is_in_burst(deleted_at):
            minutes = self.window.total_seconds() / 60
            return f"more than {self.allowed} Tenants were deleted within {minutes:g} minutes"
        return None

    def _is_in_burst(self, deleted_at: datetime) -> bool:
        """Whether too many were deleted around that time, which may be long ago if the operator was away."""
        near = [at for at in self.times if abs(at - deleted_at) <= self.window]
        bursts = zip(near, near[self.allowed :], strict=False)
        return any(last - first <= self.window for first, last in bursts)

    def find_burst_end(self, deleted_at: datetime) -> datetime:
        """Find out when landlord has observed all deletions that belong to the same burst and matter."""
        if self.is_released(deleted_at) or self.tenants <= self.allowed:
            return deleted_at
        return deleted_at + timedelta(seconds=BURST_SECONDS)

    def is_released(self, deleted_at: datetime) -> bool:
        """Whether a person confirmed what was deleted then."""
        return self.released is not None and deleted_at <= self.released

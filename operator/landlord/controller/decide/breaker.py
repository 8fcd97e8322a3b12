"""Decides whether so many Tenants are being deleted that a person has to say that it is meant. Pure.

Each deletion is held on to for BURST_SECONDS first, so that a burst is judged as a whole and before anything
of it is removed. Who is held says so in its status, which is what keeps the breaker open across a restart.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from landlord.api import names

NEVER_TOO_MANY = 10
"""So many deletions may be meant, however large a share of the Tenants they are."""
BURST_SECONDS = 5.0
"""kubectl delete --all takes about a second for 50 Tenants."""

RELEASE = (
    f"kubectl annotate crd {names.CRD_NAME} --overwrite "
    f"{names.ANNOTATION_RELEASED}=$(date -u +%Y-%m-%dT%H:%M:%SZ)"
)
"""What a person runs who means all deletions up to now."""


@dataclass(frozen=True)
class Limits:
    """How many deletions within how long are taken to be meant."""

    count: int
    share: float
    """Percent of all Tenants."""
    window: timedelta

    def allowed(self, tenants: int) -> int:
        """The most deletions that are carried out, of so many Tenants."""
        return min(self.count, max(NEVER_TOO_MANY, int(tenants * self.share / 100)))


@dataclass(frozen=True)
class Deletions:
    """What is known of all deletions, at one moment."""

    allowed: int
    window: timedelta
    tenants: int
    """How many there were before those that went within the window."""
    times: tuple[datetime, ...]
    """When those were deleted that are there or went of late and are not released, earliest first."""
    held: bool = False
    """Whether one that is not released is held already."""
    crd_terminating: bool = False
    """Whether somebody deleted the CRD, and every Tenant with it."""
    released: datetime | None = None
    """A person means all deletions up to then."""

    def held_because(self, deleted_at: datetime) -> str | None:
        """Why a Tenant that was deleted then is not deprovisioned; None if it may be."""
        if self.releases(deleted_at):
            return None
        if self.crd_terminating:
            return f"the CRD {names.CRD_NAME} was deleted, and all Tenants with it"
        if self.held or self._too_many_around(deleted_at):
            minutes = self.window.total_seconds() / 60
            return f"more than {self.allowed} Tenants were deleted within {minutes:g} minutes"
        return None

    def _too_many_around(self, deleted_at: datetime) -> bool:
        """Whether within a window near that time, whenever that was: the operator may have been away."""
        near = [at for at in self.times if abs(at - deleted_at) <= self.window]
        bursts = zip(near, near[self.allowed :], strict=False)
        return any(last - first <= self.window for first, last in bursts)

    def settled_at(self, deleted_at: datetime) -> datetime:
        """When all that was deleted together with a Tenant has been seen, as far as it could matter."""
        if self.releases(deleted_at) or self.tenants <= self.allowed:
            return deleted_at
        return deleted_at + timedelta(seconds=BURST_SECONDS)

    def releases(self, deleted_at: datetime) -> bool:
        """Whether a person means what was deleted then."""
        return self.released is not None and deleted_at <= self.released

"""What the operator asks the worker about existing tenants, and what the worker answers."""

from pydantic import Field

from landlord.api.base import Model
from landlord.api.lifecycle import State
from landlord.api.request import Desired

LONGEST_LOOK = 60.0
"""Seconds that a backend may take to answer. A survey that takes longer has failed. On two busy cores the
lists of 2,000 tenants on Kubernetes took up to 7.6 s, and the time grows linearly."""


class Seen(Model):
    """An `Observation` of one tenant, as it is sent."""

    healthy: bool = True
    spec_hash: str | None = Field(default=None, alias="hash")
    reason: str = ""
    """Set only if the tenant is not healthy."""
    state: State = "Active"
    drift: str = ""
    outdated: str = ""
    left: str = ""


class SurveyRequest(Model):
    """A request for all tenants of one backend."""

    provider: str


class Survey(Model):
    """All tenants of one backend, by tenantID."""

    tenants: dict[str, Seen] = Field(default_factory=dict)
    error: str | None = None
    """Why the backend could not be observed, for a person."""


class InspectionRequest(Model):
    """A request for the differences of one tenant from its desired state."""

    provider: str
    desired: Desired


class Inspection(Model):
    """The differences of one tenant from its desired state, one line for each field or object."""

    lines: tuple[str, ...] = ()
    error: str | None = None
    """Why the backend could not be observed, for a person."""

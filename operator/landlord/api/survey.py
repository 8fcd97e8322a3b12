"""What the operator asks of the worker about running tenants, and what it answers."""

from pydantic import Field

from landlord.api.base import Model
from landlord.api.lifecycle import State
from landlord.api.request import Desired

LONGEST_LOOK = 60.0
"""Seconds that a backend may take to answer. A survey that takes longer counts as missed. On two busy cores
the lists of 2,000 tenants on Kubernetes took up to 7.6 s, and it is linear."""


class Seen(Model):
    """An `Observation`, on its way."""

    healthy: bool = True
    spec_hash: str | None = Field(default=None, alias="hash")
    reason: str = ""
    """Only if it is not healthy."""
    state: State = "Active"
    drift: str = ""
    outdated: str = ""


class SurveyRequest(Model):
    """Asks for all tenants of one backend."""

    provider: str


class Survey(Model):
    """All tenants of one backend, by tenantID."""

    tenants: dict[str, Seen] = Field(default_factory=dict)
    error: str | None = None
    """For a person: why nothing could be seen."""


class InspectionRequest(Model):
    """Asks what of one tenant is not as it should be."""

    provider: str
    desired: Desired


class Inspection(Model):
    """What of one tenant is not as it should be, one line for each field or object."""

    lines: tuple[str, ...] = ()
    error: str | None = None
    """For a person: why nothing could be seen."""

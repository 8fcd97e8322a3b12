"""The contract of a compute backend, and how installed backends are found.

A backend is one module and one `landlord.backends` entry point that names a class without constructor
arguments. Constructing it does no I/O: an engine that is away is an error of a step, not of the worker.
`tests/contract` is the executable form of what is written here.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from pydantic import BaseModel, ConfigDict

from landlord.api.lifecycle import State
from landlord.api.outcome import Result
from landlord.api.request import Desired


@dataclass(frozen=True)
class Step:
    """Makes one thing true. Run again, it finds it true and changes nothing.

    `name` is short, lower-case and deterministic for a given desired state: it is journaled.
    `run` raises `landlord.errors.Terminal` when trying again can't help; anything else it raises is
    tried again until the workflow's timeout. It must bound its own waits (tens of seconds at most) and
    may be cancelled at any await.
    """

    name: str
    run: Callable[[], Awaitable[Result]]


@dataclass(frozen=True)
class Observation:
    """What a survey saw of one tenant."""

    healthy: bool
    spec_hash: str | None
    """`Desired.hash()` of what was last applied; None if unknown."""
    reason: str
    """For a person: why it is not healthy, or how it is."""
    state: State = "Active"
    """The state that it was brought into last."""
    drift: str = ""
    """For a person: what somebody has removed or changed of what was made; empty if all is as it was made."""
    outdated: str = ""
    """For a person: what has changed since of what it refers to, such as a Secret, so that it has to be
    applied again; empty if nothing has."""


class NoConfig(BaseModel):
    """Nothing of `spec.compute.config` is read."""

    model_config = ConfigDict(extra="forbid")


class Backend(Protocol):
    """Where tenants run.

    Owns by the labels of `landlord.api.names`; a resource that has the right name but not our label is a
    Terminal conflict and is left untouched. Calls for different tenants run at the same time; calls for one
    tenant never do.
    """

    name: str

    @property
    def Config(self) -> type[BaseModel]:  # noqa: N802
        """What it reads of `spec.compute.config`: a nested class, or `NoConfig`.

        Checked before any step is asked for, so that `self.Config.model_validate(desired.config or {})`
        succeeds in `apply`. It is journaled and shown: never for secrets.
        """
        ...

    def apply(self, desired: Desired) -> Sequence[Step]:
        """Ordered steps that make `desired` true. Raises Terminal for what this backend can't do at all."""
        ...

    def suspend(self, tenant_id: str) -> Sequence[Step]:
        """Ordered steps after which nothing of the tenant runs, and all of it is kept, so that `apply` brings
        back exactly what was; fine if nothing was there."""
        ...

    def archive(self, tenant_id: str) -> Sequence[Step]:
        """Ordered steps after which only what holds the tenant's data is left, and that is what the Results
        name; fine if nothing was there."""
        ...

    def delete(self, tenant_id: str) -> Sequence[Step]:
        """Ordered steps after which nothing of the tenant is left; fine if nothing was there."""
        ...

    async def survey(self) -> Mapping[str, Observation]:
        """All tenants that exist on the backend, by tenantID.

        A few list calls tell of all. Only a backend that runs on one machine may look at each.
        """
        ...

    async def inspect(self, desired: Desired) -> Sequence[str]:
        """A line for each field or object of a tenant that is not as `apply` would make it now, such as
        "Deployment tenant: spec.replicas is 3, should be 2". Never shows the value of a variable or Secret.
        Raises what a step does."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...

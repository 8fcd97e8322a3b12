"""The contract of a compute backend.

A backend is a class without constructor arguments and a `landlord.backends` entry point that names it. Its
constructor does no I/O, so an engine that is down fails a step and not the worker. `tests/contract` is the
executable form of this contract.
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
    """Makes one thing true. Running it again finds it true and changes nothing.

    `name` is short, lower-case and deterministic for a desired state, because it is journaled. `run` raises
    `landlord.errors.Terminal` if a retry can't help; landlord retries after any other exception until the
    workflow's timeout. `run` must bound its own waits to tens of seconds, and may be cancelled at any await.
    """

    name: str
    run: Callable[[], Awaitable[Result]]


@dataclass(frozen=True)
class Observation:
    """What a survey observed of one tenant."""

    healthy: bool
    spec_hash: str | None
    """`Desired.hash()` of what was last applied; None if unknown."""
    reason: str
    """For a person: why the tenant is unhealthy, or its condition if it is healthy."""
    state: State = "Active"
    """The state that the tenant reached last."""
    drift: str = ""
    """For a person: what others removed or changed since landlord applied the tenant; empty if nothing."""
    outdated: str = ""
    """For a person: what changed in the things that the tenant refers to, such as a Secret, so that it must
    be applied again; empty if nothing."""
    left: str = ""
    """For a person: which fields landlord leaves to whom, such as the replicas to an autoscaler; empty if
    none."""


class NoConfig(BaseModel):
    """The `Config` of a backend that reads nothing from `spec.compute.config`."""

    model_config = ConfigDict(extra="forbid")


class Backend(Protocol):
    """A place where tenants run.

    It recognizes its own resources by the labels of `landlord.api.names`. A resource that has the right name
    without the labels is a Terminal conflict, and the backend leaves it unchanged. Calls for different
    tenants run concurrently; calls for one tenant never do.
    """

    name: str

    @property
    def Config(self) -> type[BaseModel]:  # noqa: N802
        """The schema of `spec.compute.config`: a nested class, or `NoConfig`.

        landlord validates the config before it asks for any step, so
        `self.Config.model_validate(desired.config or {})` succeeds in `apply`. The config is journaled and
        shown, so it must not contain secrets.
        """
        ...

    def apply(self, desired: Desired) -> Sequence[Step]:
        """Return the ordered steps that make `desired` true. Raises Terminal for what it can't run."""
        ...

    def suspend(self, tenant_id: str) -> Sequence[Step]:
        """Return the ordered steps after which nothing of the tenant runs and everything is kept, so that
        `apply` restores exactly what ran. They succeed if the tenant does not exist."""
        ...

    def archive(self, tenant_id: str) -> Sequence[Step]:
        """Return the ordered steps after which only the tenant's data is left, which their Results name. They
        succeed if the tenant does not exist."""
        ...

    def delete(self, tenant_id: str) -> Sequence[Step]:
        """Return the ordered steps after which nothing of the tenant is left. They succeed if the tenant does
        not exist."""
        ...

    async def survey(self) -> Mapping[str, Observation]:
        """Observe all tenants that exist on the backend, by tenantID.

        A survey makes a few list calls for all tenants together. Only a backend that runs on one machine may
        make a call for each.
        """
        ...

    async def inspect(self, desired: Desired) -> Sequence[str]:
        """Return a line for each field or object of a tenant that `apply` would change now, such as
        "Deployment tenant: spec.replicas is 3, should be 2". A line never contains the value of a variable or
        a Secret. Before landlord repairs what a survey found in an active tenant, it inspects the tenant, and
        repairs nothing if there is no line. Raises the same errors as a step."""
        ...

    async def close(self) -> None:
        """Close all connections."""
        ...

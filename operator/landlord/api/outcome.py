"""The result of a finished workflow, parts of which the Tenant's status repeats."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from landlord.api.base import Model

LONGEST_MESSAGE = 4096
Message = Annotated[str, StringConstraints(max_length=LONGEST_MESSAGE)]


class Endpoint(Model):
    """An address at which the tenant can be reached."""

    name: Annotated[str, StringConstraints(max_length=63)]
    """Name of the container port behind it."""
    url: Annotated[str, StringConstraints(max_length=512)]
    """URL to use, such as http://127.0.0.1:49153."""


class ResourceRef(Model):
    """A resource that landlord created for the tenant on the backend."""

    kind: Annotated[str, StringConstraints(max_length=63)]
    """Kind of resource in the backend's own terms, such as container."""
    name: Annotated[str, StringConstraints(max_length=253)]
    """Its name on the backend."""


class Failure(Model):
    """Why a step did not succeed."""

    code: Annotated[str, StringConstraints(max_length=63)]
    """Machine-readable kind of failure, in CamelCase."""
    message: Message
    """What failed and why, in the backend's own words."""
    fix: Message = ""
    """What a person can do about it; empty if nothing but waiting helps."""
    retryable: bool
    """Whether it may succeed when tried again without a change of the Tenant."""
    step: Annotated[str, StringConstraints(max_length=63)] | None = None
    """Step that failed; absent if the workflow failed before its first step."""


class Result(Model):
    """What one step created, or all steps together."""

    endpoints: tuple[Endpoint, ...] = ()
    resources: tuple[ResourceRef, ...] = ()

    def merged(self, other: "Result") -> "Result":
        """Combine both, this one's entries first."""
        return Result(endpoints=self.endpoints + other.endpoints, resources=self.resources + other.resources)


class Outcome(Model):
    """How one workflow invocation ended. A failure is a value, not an error of the engine."""

    result: Literal["Succeeded", "Failed", "Superseded"]
    made: Result = Field(default_factory=Result)
    spec_hash: str | None = None
    """`Desired.hash()` of what was applied; set exactly when an apply succeeded."""
    failure: Failure | None = None
    """Set exactly when the result is Failed."""
    invocation_id: str | None = None
    """The engine's identifier of the invocation; set by the engine, not by the workflow."""

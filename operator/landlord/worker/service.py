"""The workflow as a Restate virtual object keyed by tenant, which runs one request of a tenant at a time."""

from collections.abc import Mapping
from datetime import timedelta

from restate import InvocationRetryPolicy, ObjectContext, TerminalError, VirtualObject

from landlord.api import names
from landlord.api.outcome import Outcome
from landlord.api.request import Operation, Request
from landlord.backends.contract import Backend
from landlord.worker.journal import RestateJournal
from landlord.worker.serde import ModelSerde
from landlord.workflow.run import provision

BAD_REQUEST = 400

# For failures outside of steps: the worker is away, or its code does not match the journal. Restate's default
# pauses silently after 70 tries. This policy continues, and loses at most 5 s after an outage.
RETRY_POLICY = InvocationRetryPolicy(
    initial_interval=timedelta(milliseconds=200),
    exponentiation_factor=2.0,
    max_interval=timedelta(seconds=5),
    max_attempts=2**31 - 1,
)

# A running step sends nothing to Restate, so both together must exceed the longest try.
INACTIVITY_TIMEOUT = timedelta(seconds=90)
ABORT_TIMEOUT = timedelta(seconds=30)


def build_provisioning_object(backends: Mapping[str, Backend]) -> VirtualObject:
    """Return the `TenantProvisioning` object for the given backends."""
    service = VirtualObject(
        names.WORKFLOW_SERVICE,
        invocation_retry_policy=RETRY_POLICY,
        inactivity_timeout=INACTIVITY_TIMEOUT,
        abort_timeout=ABORT_TIMEOUT,
    )
    requests, outcomes = ModelSerde(Request), ModelSerde(Outcome)

    async def handle(ctx: ObjectContext, request: Request, operation: Operation) -> Outcome:
        if request.operation != operation:
            raise TerminalError(
                f"the handler {operation} received a request to {request.operation}", BAD_REQUEST
            )
        if request.tenant_id != ctx.key():
            raise TerminalError(
                f"the object {ctx.key()} received a request for {request.tenant_id}", BAD_REQUEST
            )
        return await provision(request, backends, RestateJournal(ctx, request.timeout_seconds))

    @service.handler(input_serde=requests, output_serde=outcomes)
    async def apply(ctx: ObjectContext, request: Request) -> Outcome:
        """Apply the desired state of a tenant."""
        return await handle(ctx, request, "apply")

    @service.handler(input_serde=requests, output_serde=outcomes)
    async def suspend(ctx: ObjectContext, request: Request) -> Outcome:
        """Stop a tenant, and keep all of its objects."""
        return await handle(ctx, request, "suspend")

    @service.handler(input_serde=requests, output_serde=outcomes)
    async def archive(ctx: ObjectContext, request: Request) -> Outcome:
        """Delete all of a tenant's objects except those that hold its data."""
        return await handle(ctx, request, "archive")

    @service.handler(input_serde=requests, output_serde=outcomes)
    async def delete(ctx: ObjectContext, request: Request) -> Outcome:
        """Delete all of a tenant's objects, or all except those that hold its data."""
        return await handle(ctx, request, "delete")

    return service

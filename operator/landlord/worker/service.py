"""The workflow as a Restate virtual object keyed by tenant: one request of a tenant at a time."""

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

# For what goes wrong outside of steps: the worker is away, or its code does not fit the journal. Restate's
# default is to pause silently after 70 tries; this goes on, and at most 5 s are lost after an outage.
RETRY_POLICY = InvocationRetryPolicy(
    initial_interval=timedelta(milliseconds=200),
    exponentiation_factor=2.0,
    max_interval=timedelta(seconds=5),
    max_attempts=2**31 - 1,
)

# Restate hears nothing from a step while it runs, so both together must exceed the longest try.
INACTIVITY_TIMEOUT = timedelta(seconds=90)
ABORT_TIMEOUT = timedelta(seconds=30)


def tenant_provisioning(backends: Mapping[str, Backend]) -> VirtualObject:
    """The `TenantProvisioning` object that runs tenants on the given backends."""
    service = VirtualObject(
        names.WORKFLOW_SERVICE,
        invocation_retry_policy=RETRY_POLICY,
        inactivity_timeout=INACTIVITY_TIMEOUT,
        abort_timeout=ABORT_TIMEOUT,
    )
    takes, gives = ModelSerde(Request), ModelSerde(Outcome)

    async def handle(ctx: ObjectContext, request: Request, operation: Operation) -> Outcome:
        if request.operation != operation:
            raise TerminalError(f"handler {operation} got a request to {request.operation}", BAD_REQUEST)
        if request.tenant_id != ctx.key():
            raise TerminalError(f"object {ctx.key()} got a request for {request.tenant_id}", BAD_REQUEST)
        return await provision(request, backends, RestateJournal(ctx, request.timeout_seconds))

    @service.handler(input_serde=takes, output_serde=gives)
    async def apply(ctx: ObjectContext, request: Request) -> Outcome:
        """Make the desired state of a tenant true."""
        return await handle(ctx, request, "apply")

    @service.handler(input_serde=takes, output_serde=gives)
    async def suspend(ctx: ObjectContext, request: Request) -> Outcome:
        """Have nothing of a tenant run, and keep all of it."""
        return await handle(ctx, request, "suspend")

    @service.handler(input_serde=takes, output_serde=gives)
    async def archive(ctx: ObjectContext, request: Request) -> Outcome:
        """Keep of a tenant only what holds its data."""
        return await handle(ctx, request, "archive")

    @service.handler(input_serde=takes, output_serde=gives)
    async def delete(ctx: ObjectContext, request: Request) -> Outcome:
        """Remove everything that was made for a tenant, or all but what holds its data."""
        return await handle(ctx, request, "delete")

    return service

"""What the worker sees of running tenants, as a Restate service without any state of its own."""

from collections.abc import Mapping
from datetime import timedelta

from restate import Context, InvocationRetryPolicy, Service

from landlord.api import names
from landlord.api.survey import LONGEST_LOOK, Inspection, InspectionRequest, Survey, SurveyRequest
from landlord.backends.contract import Backend
from landlord.worker.serde import ModelSerde
from landlord.workflow.survey import inspect, survey

# Nothing is worth trying again, as the next survey follows soon.
RETRY_POLICY = InvocationRetryPolicy(max_attempts=1, on_max_attempts="kill")
INACTIVITY_TIMEOUT = timedelta(seconds=LONGEST_LOOK + 5)
ABORT_TIMEOUT = timedelta(seconds=1)


def tenant_survey(backends: Mapping[str, Backend]) -> Service:
    """The `TenantSurvey` service that looks at tenants on the given backends.

    Restate forgets each look as soon as it is answered: kept for a day, as is usual, the surveys of 10,000
    tenants would be gigabytes.
    """
    service = Service(
        names.SURVEY_SERVICE,
        invocation_retry_policy=RETRY_POLICY,
        inactivity_timeout=INACTIVITY_TIMEOUT,
        abort_timeout=ABORT_TIMEOUT,
        journal_retention=timedelta(0),
        # The ingress gives a key to each call that has none, and remembers by it what was answered.
        idempotency_retention=timedelta(0),
    )

    @service.handler("survey", input_serde=ModelSerde(SurveyRequest), output_serde=ModelSerde(Survey))
    async def handle_survey(_: Context, request: SurveyRequest) -> Survey:
        """All tenants of one backend."""
        return await survey(backends, request)

    @service.handler(
        "inspect", input_serde=ModelSerde(InspectionRequest), output_serde=ModelSerde(Inspection)
    )
    async def handle_inspect(_: Context, request: InspectionRequest) -> Inspection:
        """What of one tenant is not as it should be."""
        return await inspect(backends, request)

    return service

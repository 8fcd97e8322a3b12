"""Surveys and inspections of tenants as a stateless Restate service."""

from collections.abc import Mapping
from datetime import timedelta

from restate import Context, InvocationRetryPolicy, Service

from landlord.api import names
from landlord.api.survey import LONGEST_LOOK, Inspection, InspectionRequest, Survey, SurveyRequest
from landlord.backends.contract import Backend
from landlord.worker.serde import ModelSerde
from landlord.workflow.survey import inspect, survey

# No retries, because the next survey follows soon.
RETRY_POLICY = InvocationRetryPolicy(max_attempts=1, on_max_attempts="kill")
INACTIVITY_TIMEOUT = timedelta(seconds=LONGEST_LOOK + 5)
ABORT_TIMEOUT = timedelta(seconds=1)


def build_survey_service(backends: Mapping[str, Backend]) -> Service:
    """Return the `TenantSurvey` service for the given backends.

    Restate keeps no survey after answering it. Kept for a day, which is the default, the surveys of 10,000
    tenants would take gigabytes.
    """
    service = Service(
        names.SURVEY_SERVICE,
        invocation_retry_policy=RETRY_POLICY,
        inactivity_timeout=INACTIVITY_TIMEOUT,
        abort_timeout=ABORT_TIMEOUT,
        journal_retention=timedelta(0),
        # The ingress generates a key for each call without one, and stores the answer under it.
        idempotency_retention=timedelta(0),
    )

    @service.handler("survey", input_serde=ModelSerde(SurveyRequest), output_serde=ModelSerde(Survey))
    async def handle_survey(_: Context, request: SurveyRequest) -> Survey:
        """Survey all tenants of one backend."""
        return await survey(backends, request)

    @service.handler(
        "inspect", input_serde=ModelSerde(InspectionRequest), output_serde=ModelSerde(Inspection)
    )
    async def handle_inspect(_: Context, request: InspectionRequest) -> Inspection:
        """Return the differences of one tenant from its desired state."""
        return await inspect(backends, request)

    return service

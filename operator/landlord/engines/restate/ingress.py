"""Client of Restate's ingress, which submits requests and reads their outcomes."""

from typing import TypeVar
from urllib.parse import quote

from pydantic import BaseModel, Field, ValidationError

from landlord.api.names import SURVEY_SERVICE, WORKFLOW_SERVICE
from landlord.api.outcome import Failure, Outcome
from landlord.api.request import Request
from landlord.api.survey import LONGEST_LOOK, Inspection, InspectionRequest, Survey, SurveyRequest
from landlord.engines.restate.answers import Cause, find_cause
from landlord.engines.restate.http import Answer, HttpClient
from landlord.errors import EngineUnreachable, InvocationLost, NotRegistered, RequestRejected

M = TypeVar("M", bound=BaseModel)

TOO_LARGE = 413
# Restate spells it with one l if the work was still queued.
_ENDED_BY_HAND = {"cancelled": "Cancelled", "canceled": "Cancelled", "killed": "Killed"}


class _IngressError(BaseModel):
    message: str
    source: str


class _Health(BaseModel):
    services: list[str]


class _Sent(BaseModel):
    invocation_id: str = Field(alias="invocationId")


class Ingress:
    """Requests to the ingress. Each can be repeated: the idempotency key makes it one invocation."""

    def __init__(self, http: HttpClient) -> None:
        self._http = http
        self.url = http.url

    async def has_workflow(self) -> bool:
        """Return whether it accepts work. Raises EngineUnreachable unless it answers like Restate's
        ingress."""
        answer = await self._http.request("GET", "/restate/health")
        health = answer.parse(_Health)
        if answer.status != 200 or health is None:
            raise self._http.error_for(answer)
        return WORKFLOW_SERVICE in health.services

    async def call(self, request: Request) -> Outcome:
        """Submit the request, or attach to it if it was submitted before, and wait without limit for its
        outcome.

        Raises NotRegistered, RequestRejected and EngineUnreachable.
        """
        answer = await self._post(request, "", read_seconds=None)
        return _read_outcome(self._http, answer)

    async def send(self, request: Request) -> str:
        """Submit the request unless it was submitted before, without waiting. Returns the invocation's id.

        Raises what `call` raises.
        """
        answer = await self._post(request, "/send", read_seconds=5.0)
        sent = answer.parse(_Sent)
        if answer.status not in (200, 202) or sent is None:
            raise _build_error(self._http, answer)
        return sent.invocation_id

    async def output(self, request: Request) -> Outcome | None:
        """Return the outcome; None while there is none.

        Raises InvocationLost, NotRegistered and EngineUnreachable.
        """
        key, name = _quote(request.tenant_id), _quote(request.idempotency_key)
        answer = await self._http.request(
            "GET", f"/restate/invocation/{WORKFLOW_SERVICE}/{key}/{request.operation}/{name}/output"
        )
        if not _is_of_invocation(answer):
            cause, _ = _interpret(answer)
            if cause == "unfinished":
                return None
            if cause == "missing":
                raise InvocationLost("Restate lost the work that it had accepted")
        return _read_outcome(self._http, answer)

    async def survey(self, request: SurveyRequest) -> Survey:
        """Return the worker's survey of all tenants of a backend. Raises NotRegistered and
        EngineUnreachable."""
        return await self._ask("survey", request, Survey)

    async def inspect(self, request: InspectionRequest) -> Inspection:
        """Return the worker's inspection of one tenant. Raises what `survey` raises."""
        return await self._ask("inspect", request, Inspection)

    async def _ask(self, handler: str, request: BaseModel, model: type[M]) -> M:
        answer = await self._http.request(
            "POST",
            f"/{SURVEY_SERVICE}/{handler}",
            body=request.model_dump_json(exclude_defaults=True).encode(),
            read_seconds=LONGEST_LOOK + 5,
        )
        result = answer.parse(model) if answer.status == 200 else None
        if result is None:
            raise _build_error(self._http, answer)
        return result

    async def _post(self, request: Request, suffix: str, read_seconds: float | None) -> Answer:
        return await self._http.request(
            "POST",
            f"/{WORKFLOW_SERVICE}/{_quote(request.tenant_id)}/{request.operation}{suffix}",
            body=request.model_dump_json(exclude_defaults=True).encode(),
            headers={"idempotency-key": request.idempotency_key},
            read_seconds=read_seconds,
        )


def _quote(segment: str) -> str:
    return quote(segment, safe="")


def _read_outcome(http: HttpClient, answer: Answer) -> Outcome:
    """Return the outcome of a finished invocation, with its id if known. Raises errors of the ingress."""
    return _read_result(http, answer).model_copy(update={"invocation_id": answer.headers.get("x-restate-id")})


def _read_result(http: HttpClient, answer: Answer) -> Outcome:
    if _is_of_invocation(answer):
        return _read_failure(answer)
    if answer.status != 200:
        raise _build_error(http, answer)
    try:
        return Outcome.model_validate_json(answer.body)
    except ValidationError:
        return _build_workflow_failure(
            f"the worker's outcome can't be read: {answer.text}\n"
            "Fix: run the same version of operator and worker."
        )


def _read_failure(answer: Answer) -> Outcome:
    error = answer.parse(_IngressError)
    message = error.message if error else answer.text
    code = _ENDED_BY_HAND.get(message) if answer.status == 409 else None
    if code is None:
        return _build_workflow_failure(message)
    message = f"the workflow was {code.lower()} in Restate before it finished"
    return Outcome(result="Failed", failure=Failure(code=code, message=message, retryable=True))


def _build_workflow_failure(message: str) -> Outcome:
    return Outcome(
        result="Failed", failure=Failure(code="WorkflowError", message=message[:4096], retryable=False)
    )


def _is_of_invocation(answer: Answer) -> bool:
    """Return whether the workflow itself ended with this error."""
    return bool(answer.headers.get("x-restate-error-source") == "invocation")


def _interpret(answer: Answer) -> tuple[Cause, str]:
    """Return what an answer of the ingress, or of a gateway before it, means, and its message."""
    error = answer.parse(_IngressError)
    by_restate = error is not None and error.source == "ingress"
    message = error.message if error is not None else answer.text
    return find_cause("ingress", answer.status, message, by_restate=by_restate), message


def _build_error(http: HttpClient, answer: Answer) -> NotRegistered | RequestRejected | EngineUnreachable:
    cause, message = _interpret(answer)
    if cause == "unregistered":
        return NotRegistered(f"Restate at {http.url} answered: {message}")
    if cause == "request":
        fix = ""
        if answer.status == TOO_LARGE:
            fix = (
                "make the spec smaller, or raise the limit (ingress.request-size-limit in Restate's "
                "configuration, or that of a gateway before it)"
            )
        return RequestRejected(f"Restate rejected the request: {message} (HTTP {answer.status})", fix)
    return http.error_for(answer)

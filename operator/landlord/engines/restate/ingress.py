"""Restate's ingress: submits requests and reads their outcomes."""

from typing import TypeVar
from urllib.parse import quote

from pydantic import BaseModel, Field, ValidationError

from landlord.api.names import SURVEY_SERVICE, WORKFLOW_SERVICE
from landlord.api.outcome import Failure, Outcome
from landlord.api.request import Request
from landlord.api.survey import LONGEST_LOOK, Inspection, InspectionRequest, Survey, SurveyRequest
from landlord.engines.restate.http import Answer, HttpClient
from landlord.errors import EngineUnreachable, InvocationLost, NotRegistered, RequestRejected

M = TypeVar("M", bound=BaseModel)

NOT_COMPLETED = 470
_TRANSIENT = frozenset({401, 403, 408, 421, 425, 429})
# Restate spells it with one l when the work was still queued.
_ENDED_BY_HAND = {"cancelled": "Cancelled", "canceled": "Cancelled", "killed": "Killed"}


class _Error(BaseModel):
    message: str
    source: str


class _Health(BaseModel):
    services: list[str]


class _Sent(BaseModel):
    invocation_id: str = Field(alias="invocationId")


class Ingress:
    """Each call may be repeated at any time: the request's idempotency key makes it one invocation."""

    def __init__(self, http: HttpClient) -> None:
        self._http = http
        self.url = http.url

    async def knows_workflow(self) -> bool:
        """Whether it can take work. Raises EngineUnreachable unless it answers as Restate's ingress does."""
        answer = await self._http.request("GET", "/restate/health")
        health = answer.parsed(_Health)
        if answer.status != 200 or health is None:
            raise self._http.unexpected(answer)
        return WORKFLOW_SERVICE in health.services

    async def call(self, request: Request) -> Outcome:
        """Submit the request, or attach to it if it was submitted before, and wait for its end, however long.

        Raises NotRegistered, RequestRejected and EngineUnreachable.
        """
        answer = await self._post(request, "", read_seconds=None)
        return _outcome(self._http, answer)

    async def send(self, request: Request) -> str:
        """Submit the request if it was not before, without waiting; returns the id of its invocation.

        Raises what `call` raises.
        """
        answer = await self._post(request, "/send", read_seconds=5.0)
        sent = answer.parsed(_Sent)
        if answer.status not in (200, 202) or sent is None:
            raise _error(self._http, answer)
        return sent.invocation_id

    async def output(self, request: Request) -> Outcome | None:
        """The outcome; None while there is none yet. Raises InvocationLost and EngineUnreachable."""
        key, name = _quoted(request.tenant_id), _quoted(request.idempotency_key)
        answer = await self._http.request(
            "GET", f"/restate/invocation/{WORKFLOW_SERVICE}/{key}/{request.operation}/{name}/output"
        )
        error = _ingress_error(answer)
        if error is not None and answer.status == NOT_COMPLETED:
            return None
        if error is not None and answer.status == 404:
            raise InvocationLost("Restate does not know the work any more that it had accepted")
        return _outcome(self._http, answer)

    async def survey(self, request: SurveyRequest) -> Survey:
        """What the worker sees of all tenants of a backend. Raises NotRegistered and EngineUnreachable."""
        return await self._look("survey", request, Survey)

    async def inspect(self, request: InspectionRequest) -> Inspection:
        """What the worker sees of one tenant. Raises what `survey` raises."""
        return await self._look("inspect", request, Inspection)

    async def _look(self, handler: str, request: BaseModel, model: type[M]) -> M:
        answer = await self._http.request(
            "POST",
            f"/{SURVEY_SERVICE}/{handler}",
            body=request.model_dump_json(exclude_defaults=True).encode(),
            read_seconds=LONGEST_LOOK + 5,
        )
        seen = answer.parsed(model) if answer.status == 200 else None
        if seen is None:
            raise _error(self._http, answer)
        return seen

    async def _post(self, request: Request, suffix: str, read_seconds: float | None) -> Answer:
        return await self._http.request(
            "POST",
            f"/{WORKFLOW_SERVICE}/{_quoted(request.tenant_id)}/{request.operation}{suffix}",
            body=request.model_dump_json(exclude_defaults=True).encode(),
            headers={"idempotency-key": request.idempotency_key},
            read_seconds=read_seconds,
        )


def _quoted(segment: str) -> str:
    return quote(segment, safe="")


def _outcome(http: HttpClient, answer: Answer) -> Outcome:
    """What an ended invocation says, with its id if the answer has it. Errors of the ingress are raised."""
    return _said(http, answer).model_copy(update={"invocation_id": answer.headers.get("x-restate-id")})


def _said(http: HttpClient, answer: Answer) -> Outcome:
    if answer.headers.get("x-restate-error-source") == "invocation":
        return _failed(answer)
    if answer.status != 200:
        raise _error(http, answer)
    try:
        return Outcome.model_validate_json(answer.body)
    except ValidationError:
        message = f"the worker's outcome can't be read, are operator and worker of one version? {answer.text}"
        return _workflow_error(message)


def _failed(answer: Answer) -> Outcome:
    error = answer.parsed(_Error)
    message = error.message if error else answer.text
    code = _ENDED_BY_HAND.get(message) if answer.status == 409 else None
    if code is None:
        return _workflow_error(message)
    said = f"the workflow was {code.lower()} in Restate before it had ended"
    return Outcome(result="Failed", failure=Failure(code=code, message=said, retryable=True))


def _workflow_error(message: str) -> Outcome:
    return Outcome(
        result="Failed", failure=Failure(code="WorkflowError", message=message[:4096], retryable=False)
    )


def _ingress_error(answer: Answer) -> _Error | None:
    """The error if it is the ingress's own: not the invocation's, and not a proxy's."""
    error = answer.parsed(_Error)
    return error if error is not None and error.source == "ingress" else None


def _error(http: HttpClient, answer: Answer) -> NotRegistered | RequestRejected | EngineUnreachable:
    error = _ingress_error(answer)
    if error is None or answer.status >= 500 or answer.status in _TRANSIENT:
        return http.unexpected(answer)
    if answer.status == 404:
        return NotRegistered(f"Restate at {http.url} says: {error.message}")
    return RequestRejected(f"Restate refuses the request: {error.message}")

"""Restate's admin API, as far as landlord uses it."""

import json
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from landlord.api.names import REVISION, WORKFLOW_SERVICE
from landlord.engines.restate.http import Answer, HttpClient
from landlord.engines.restate.seen import Deployment, NotOffered, Refused

REGISTER_SECONDS = 15.0
"""Restate waits for the worker for as long as the worker likes, and for 1.7 s even if nobody listens."""

M = TypeVar("M", bound=BaseModel)


class _Error(BaseModel):
    message: str
    restate_code: str | None


class _Service(BaseModel):
    deployment_id: str
    metadata: dict[str, str] = {}


class _Deployment(BaseModel):
    id: str
    uri: str


class _Version(BaseModel):
    version: str


class _Found(BaseModel):
    name: str
    ty: str = "VirtualObject"


class _Discovery(BaseModel):
    services: list[_Found]


class _Rows(BaseModel):
    rows: list[dict[str, Any]]


class Admin:
    """Raises EngineUnreachable for every answer that says nothing: 5xx, 401, or not Restate's at all."""

    def __init__(self, http: HttpClient) -> None:
        self._http = http
        self.url = http.url
        self.tls = http.access.tls

    async def latest(self, service: str) -> Deployment | None:
        """The deployment that new invocations of the service go to; None for an unknown service."""
        answer = await self._http.request("GET", f"/services/{service}")
        if _is_missing(answer):
            return None
        found = answer.parsed(_Service)
        if answer.status != 200 or found is None:
            raise self._http.unexpected(answer)
        answer = await self._http.request("GET", f"/deployments/{found.deployment_id}")
        if _is_missing(answer):
            return None
        deployment = answer.parsed(_Deployment)
        if answer.status != 200 or deployment is None:
            raise self._http.unexpected(answer)
        return Deployment(deployment.id, deployment.uri, found.metadata.get(REVISION))

    async def version(self) -> str:
        """Restate's own."""
        answer = await self._http.request("GET", "/version")
        found = answer.parsed(_Version)
        if answer.status != 200 or found is None:
            raise self._http.unexpected(answer)
        return found.version

    async def register(self, uri: str) -> None:
        """Make Restate discover the worker at `uri` now, and use it for new invocations.

        Raises Refused with Restate's reason, NotOffered if that worker has no such workflow, and TimedOut if
        it keeps Restate waiting.
        """
        # Unforced first: with force Restate lets us take the name of a service of another type. But without
        # it, it answers 200 for a URI that it knows, contacts nobody and changes nothing.
        answer = await self._register(uri, force=False)
        if answer.status == 200:
            answer = await self._register(uri, force=True)
        found = answer.parsed(_Discovery)
        offered = {service.name: service.ty for service in found.services} if found else {}
        if found and offered.get(WORKFLOW_SERVICE) != "VirtualObject":
            raise NotOffered(offered)

    async def _register(self, uri: str, *, force: bool) -> Answer:
        body = {"uri": uri, "force": force}
        answer = await self._http.request(
            "POST", "/deployments", body=json.dumps(body).encode(), read_seconds=REGISTER_SECONDS
        )
        if answer.status not in (200, 201):
            error = answer.parsed(_Error)
            code, message = (error.restate_code, error.message) if error else (None, answer.text)
            raise Refused(answer.status, code, message)
        return answer

    async def query(self, sql: str, row: type[M]) -> list[M]:
        """Rows of an introspection query; columns that are NULL are absent."""
        answer = await self._http.request("POST", "/query", body=json.dumps({"query": sql}).encode())
        result = answer.parsed(_Rows)
        if answer.status != 200 or result is None:
            raise self._http.unexpected(answer)
        try:
            return [row.model_validate(each) for each in result.rows]
        except ValidationError as error:
            raise self._http.unexpected(answer) from error

    async def cancel(self, invocation: str) -> None:
        """Ask it to stop. One that is queued vanishes; one that backs off stops when it is resumed."""
        await self._patch(invocation, "cancel")

    async def resume(self, invocation: str) -> None:
        """End its backoff or its pause now."""
        await self._patch(invocation, "resume")

    async def kill(self, invocation: str) -> None:
        """End it without the handler's help."""
        await self._patch(invocation, "kill")

    async def _patch(self, invocation: str, verb: str) -> None:
        answer = await self._http.request("PATCH", f"/invocations/{invocation}/{verb}")
        # 404 and 409: it has ended meanwhile, or is in a state that does not need the verb any more.
        if answer.status not in (200, 202, 404, 409):
            raise self._http.unexpected(answer)


def _is_missing(answer: Answer) -> bool:
    """A 404 by Restate itself: one by a proxy in front of it must never pass for a lost registration."""
    return answer.status == 404 and answer.parsed(_Error) is not None

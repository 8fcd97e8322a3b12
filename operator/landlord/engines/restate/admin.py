"""Client of Restate's admin API."""

import json
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from landlord.api.names import REVISION, WORKFLOW_SERVICE
from landlord.engines.restate.answers import find_cause
from landlord.engines.restate.http import Answer, HttpClient
from landlord.engines.restate.seen import Deployment, NotOffered, Refused, TimedOut

REGISTER_SECONDS = 15.0
"""Restate waits for the worker without a limit, and for 1.7 s even if nothing listens."""
DELETED_MEANWHILE = 3
"""How often to read a service whose deployment does not exist: somebody may have just deleted that one."""

M = TypeVar("M", bound=BaseModel)


class _AdminError(BaseModel):
    message: str
    restate_code: str | None


class _Service(BaseModel):
    deployment_id: str
    metadata: dict[str, str] = {}
    public: bool = True


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
    """Requests to the admin API. Raises EngineUnreachable for any unusable answer: 5xx, 401, or not
    Restate's."""

    def __init__(self, http: HttpClient) -> None:
        self._http = http
        self.url = http.url
        self.tls = http.access.tls

    async def latest(self, service: str, *others: str) -> Deployment | None:
        """Return the deployment for new invocations of the service; None for an unknown service.

        `others` are further services of its worker, which may be private too.
        """
        for _ in range(DELETED_MEANWHILE):
            found = await self._read_service(service)
            if found is None:
                return None
            answer = await self._http.request("GET", f"/deployments/{found.deployment_id}")
            if not _is_missing(answer):
                break
        else:
            return None
        deployment = answer.parse(_Deployment)
        if answer.status != 200 or deployment is None:
            raise self._http.error_for(answer)
        services = {service: found, **{other: await self._read_service(other) for other in others}}
        private = tuple(name for name, each in services.items() if each is not None and not each.public)
        return Deployment(deployment.id, deployment.uri, found.metadata.get(REVISION), private)

    async def _read_service(self, name: str) -> _Service | None:
        answer = await self._http.request("GET", f"/services/{name}")
        if _is_missing(answer):
            return None
        service = answer.parse(_Service)
        if answer.status != 200 or service is None:
            raise self._http.error_for(answer)
        return service

    async def version(self) -> str:
        """Return Restate's version."""
        answer = await self._http.request("GET", "/version")
        found = answer.parse(_Version)
        if answer.status != 200 or found is None:
            raise self._http.error_for(answer)
        return found.version

    async def register(self, uri: str) -> None:
        """Make Restate discover the worker at `uri` now and use it for new invocations.

        Raises Refused with Restate's reason, NotOffered if the worker lacks the workflow, and TimedOut if the
        worker keeps Restate waiting.
        """
        # First without force, because with force Restate would replace a service of another type. But without
        # force, it answers 200 for a known URI without contacting the worker or changing anything.
        answer = await self._register(uri, force=False)
        if answer.status == 200:
            answer = await self._register(uri, force=True)
        found = answer.parse(_Discovery)
        offered = {service.name: service.ty for service in found.services} if found else {}
        if found and offered.get(WORKFLOW_SERVICE) != "VirtualObject":
            raise NotOffered(offered)

    async def _register(self, uri: str, *, force: bool) -> Answer:
        body = {"uri": uri, "force": force}
        answer = await self._http.request(
            "POST", "/deployments", body=json.dumps(body).encode(), read_seconds=REGISTER_SECONDS
        )
        if answer.status not in (200, 201):
            error = answer.parse(_AdminError)
            code, message = (error.restate_code, error.message) if error else (None, answer.text)
            raise Refused(answer.status, code, message)
        return answer

    async def query(self, sql: str, row: type[M]) -> list[M]:
        """Return the rows of an introspection query. Columns that are NULL are absent."""
        answer = await self._http.request("POST", "/query", body=json.dumps({"query": sql}).encode())
        result = answer.parse(_Rows)
        if answer.status != 200 or result is None:
            raise self._http.error_for(answer)
        try:
            return [row.model_validate(each) for each in result.rows]
        except ValidationError as error:
            raise self._http.error_for(answer) from error

    async def find_recording_problem(self, invocation: str) -> str | None:
        """Have the partition of an invocation that does not exist record its cancellation.

        Returns why it does not. Raises EngineUnreachable if something else than Restate answers, or nothing.
        """
        try:
            answer = await self._http.request("PATCH", f"/invocations/{invocation}/cancel")
        except TimedOut as error:
            return str(error)
        # An answer that a gateway gives to this kind of request says nothing about partitions.
        if answer.status < 500:
            return None
        problem = self._http.error_for(answer)
        if answer.parse(_AdminError) is None:
            raise problem
        return str(problem)

    async def cancel(self, invocation: str) -> None:
        """Cancel the invocation. If it is queued, it disappears; if it backs off, it stops when it is
        resumed."""
        await self._patch(invocation, "cancel")

    async def resume(self, invocation: str) -> None:
        """End the invocation's backoff or pause now."""
        await self._patch(invocation, "resume")

    async def kill(self, invocation: str) -> None:
        """End the invocation without running its handler."""
        await self._patch(invocation, "kill")

    async def _patch(self, invocation: str, verb: str) -> None:
        answer = await self._http.request("PATCH", f"/invocations/{invocation}/{verb}")
        # It may have ended in the meantime, or be in a state that no longer needs the verb.
        if answer.status not in (200, 202) and not _is_missing(answer):
            raise self._http.error_for(answer)


def _is_missing(answer: Answer) -> bool:
    """Return whether Restate itself says so. A gateway's 404 must never count as a lost registration."""
    error = answer.parse(_AdminError)
    message = error.message if error else answer.text
    return find_cause("admin", answer.status, message, by_restate=error is not None) == "missing"

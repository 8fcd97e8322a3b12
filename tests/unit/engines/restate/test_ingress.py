"""What the ingress's answers mean; those of an invocation are outcomes, those of anything else are errors."""

from collections.abc import Callable
from datetime import UTC, datetime

import httpx
import pytest

from landlord.api.outcome import Outcome
from landlord.api.request import Request
from landlord.engines.restate.http import HttpClient
from landlord.engines.restate.ingress import Ingress
from landlord.errors import EngineError, EngineUnreachable, InvocationLost, NotRegistered, RequestRejected

REQUEST = Request(
    tenant_id="acme",
    operation="delete",
    uid="u",
    created_at=datetime(2026, 1, 1, tzinfo=UTC),
    generation=3,
    attempt=1,
    provider="memory",
    timeout_seconds=60,
)


def ingress(answer: Callable[[httpx.Request], httpx.Response]) -> Ingress:
    return Ingress(HttpClient("Restate's ingress", "http://restate:8080", httpx.MockTransport(answer)))


def from_invocation(status: int, message: str) -> httpx.Response:
    return httpx.Response(
        status,
        json={"code": status, "message": message, "source": "invocation"},
        headers={"x-restate-error-source": "invocation"},
    )


def from_ingress(status: int, message: str) -> httpx.Response:
    return httpx.Response(
        status,
        json={"code": status, "message": message, "source": "ingress"},
        headers={"x-restate-error-source": "ingress"},
    )


@pytest.mark.parametrize(
    ("answer", "code", "retryable", "message"),
    [
        (from_invocation(409, "cancelled"), "Cancelled", True, "the workflow was cancelled in Restate"),
        (from_invocation(409, "canceled"), "Cancelled", True, "the workflow was cancelled in Restate"),
        (from_invocation(409, "killed"), "Killed", True, "the workflow was killed in Restate"),
        (from_invocation(409, "conflict"), "WorkflowError", False, "conflict"),
        (from_invocation(500, "Unable to parse"), "WorkflowError", False, "Unable to parse"),
        (from_invocation(404, "not found"), "WorkflowError", False, "not found"),
        (from_invocation(470, "odd"), "WorkflowError", False, "odd"),
        (from_invocation(503, "odd"), "WorkflowError", False, "odd"),
        (from_invocation(200, "odd"), "WorkflowError", False, "odd"),
        (
            httpx.Response(200, json={"result": "Great"}),
            "WorkflowError",
            False,
            "the same version of operator and worker",
        ),
        (httpx.Response(200), "WorkflowError", False, "the same version of operator and worker"),
    ],
)
async def test_an_invocation_that_ended_badly_is_an_outcome(
    answer: httpx.Response, code: str, retryable: bool, message: str
) -> None:
    client = ingress(lambda _: answer)
    outcome = await client.call(REQUEST)
    assert outcome.result == "Failed"
    assert outcome.failure is not None
    assert (outcome.failure.code, outcome.failure.retryable) == (code, retryable)
    assert message in outcome.failure.message
    assert await client.output(REQUEST) == outcome


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (from_ingress(404, "service 'TenantProvisioning' not found"), NotRegistered),
        (from_ingress(404, "the service 'TenantProvisioning' exists, but the handler"), NotRegistered),
        (from_ingress(400, "the invoked service is not public"), NotRegistered),
        (from_ingress(400, "bad path"), RequestRejected),
        (from_ingress(400, "input validation error: Empty body not allowed"), RequestRejected),
        (from_ingress(413, "too large"), RequestRejected),
        (httpx.Response(413, text="length limit exceeded"), RequestRejected),
        (httpx.Response(413, text="<html>413 Request Entity Too Large</html>"), RequestRejected),
        (from_ingress(400, "something that passes"), EngineUnreachable),
        (from_ingress(405, "method not allowed"), EngineUnreachable),
        (from_ingress(409, "in the middle of something"), EngineUnreachable),
        (from_ingress(401, "who"), EngineUnreachable),
        (httpx.Response(403, text="blocked by the gateway"), EngineUnreachable),
        (from_ingress(429, "slow down"), EngineUnreachable),
        (from_ingress(500, "oops"), EngineUnreachable),
        (from_ingress(503, "oops"), EngineUnreachable),
        (httpx.Response(404, text="default backend"), EngineUnreachable),
        (httpx.Response(400, text="not Restate"), EngineUnreachable),
        (httpx.Response(302, text="moved"), EngineUnreachable),
    ],
)
async def test_what_is_not_the_invocations_is_an_error(
    answer: httpx.Response, error: type[EngineError]
) -> None:
    client = ingress(lambda _: answer)
    with pytest.raises(error):
        await client.call(REQUEST)
    with pytest.raises(error):
        await client.send(REQUEST)


async def test_a_request_that_is_too_large_names_the_limit() -> None:
    with pytest.raises(RequestRejected) as rejected:
        await ingress(lambda _: httpx.Response(413, text="length limit exceeded")).call(REQUEST)
    assert rejected.value.message == "Restate rejected the request: length limit exceeded (HTTP 413)"
    assert rejected.value.fix.startswith("make the spec smaller, or raise the limit")


async def test_work_of_a_workflow_that_is_not_registered_now_is_not_lost() -> None:
    with pytest.raises(NotRegistered):
        await ingress(lambda _: from_ingress(404, "service 'TenantProvisioning' not found")).output(REQUEST)


async def test_output_tells_not_yet_from_unknown() -> None:
    assert await ingress(lambda _: from_ingress(470, "not completed")).output(REQUEST) is None
    with pytest.raises(InvocationLost):
        await ingress(lambda _: from_ingress(404, "invocation not found")).output(REQUEST)
    with pytest.raises(EngineUnreachable):
        await ingress(lambda _: httpx.Response(404, text="default backend")).output(REQUEST)


async def test_what_is_asked() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        if request.url.path.endswith("/send"):
            return httpx.Response(202, json={"invocationId": "inv_1", "status": "PreviouslyAccepted"})
        return httpx.Response(200, json={"result": "Succeeded"})

    client = ingress(answer)
    odd = REQUEST.model_copy(update={"tenant_id": "a/b c?d"})
    assert await client.call(odd) == Outcome(result="Succeeded")
    assert await client.send(odd) == "inv_1"
    assert await client.output(odd) == Outcome(result="Succeeded")
    assert [(request.method, request.url.raw_path.decode()) for request in seen] == [
        ("POST", "/TenantProvisioning/a%2Fb%20c%3Fd/delete"),
        ("POST", "/TenantProvisioning/a%2Fb%20c%3Fd/delete/send"),
        ("GET", "/restate/invocation/TenantProvisioning/a%2Fb%20c%3Fd/delete/u-3-1/output"),
    ]
    assert [request.headers.get("idempotency-key") for request in seen] == ["u-3-1", "u-3-1", None]
    assert Request.model_validate_json(seen[0].content) == odd

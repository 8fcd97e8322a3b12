"""A gateway that repeats what it was sent: the secret goes no further, whatever shape the answer has."""

import json
import logging

import httpx
import pytest
from tests.unit.engines.restate.test_ingress import REQUEST

from landlord.engines.restate.access import Access, Auth, Header
from landlord.engines.restate.admin import Admin
from landlord.engines.restate.http import HttpClient
from landlord.engines.restate.ingress import Ingress
from landlord.engines.restate.keeper import Keeper
from landlord.errors import EngineError

SECRET = 's3cr3t/t0"ken\\'
VALUE = f"Bearer {SECRET}"
SHAPES = {
    "text": VALUE,
    "restate": json.dumps({"message": VALUE, "restate_code": "META0006", "source": "ingress"}),
    "slashes": json.dumps({"message": VALUE, "restate_code": None, "source": "ingress"}).replace("/", "\\/"),
}


class Echo:
    """Answers everything but healthz with what it was sent."""

    def __init__(self, status: int, shape: str, **headers: str) -> None:
        self.status, self.shape, self.headers = status, shape, headers

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET" and request.url.path.startswith("/services"):
            return httpx.Response(404, json={"message": "unknown", "restate_code": None})
        if request.url.path == "/restate/health":
            return httpx.Response(200, json={"services": []})
        assert request.headers["authorization"] == VALUE
        return httpx.Response(self.status, text=SHAPES[self.shape], headers=self.headers)


def client(answer: Echo) -> HttpClient:
    access = Access(Auth(Header("Authorization", VALUE)))
    return HttpClient("Restate", "http://restate", httpx.MockTransport(answer), access=access)


def assert_hidden(text: str) -> None:
    assert "s3cr3t" not in text, text
    assert "…" in text


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("status", [400, 401, 404, 409, 500])
async def test_a_refused_registration_does_not_tell_the_secret(
    status: int, shape: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "landlord")

    def worker(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"status": "ok", "revision": "one", "backends": []})

    restate, answers = client(Echo(status, shape)), HttpClient("w", "http://w", httpx.MockTransport(worker))
    keeper = Keeper(
        admin=Admin(restate),
        ingress=Ingress(restate),
        worker=answers,
        policy="enforce",
        on_change=lambda _: None,
    )
    await keeper.check()
    assert_hidden(keeper.registration.message)
    assert "s3cr3t" not in "\n".join(str(vars(record)) for record in caplog.records)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("status", [400, 404, 500])
async def test_an_error_of_the_ingress_does_not_tell_the_secret(status: int, shape: str) -> None:
    with pytest.raises(EngineError) as raised:
        await Ingress(client(Echo(status, shape))).send(REQUEST)
    assert_hidden(str(raised.value))


@pytest.mark.parametrize("shape", SHAPES)
async def test_an_outcome_does_not_tell_the_secret(shape: str) -> None:
    echo = Echo(500, shape, **{"x-restate-error-source": "invocation"})
    outcome = await Ingress(client(echo)).call(REQUEST)
    assert outcome.failure is not None
    assert_hidden(outcome.failure.message)

"""What a refused registration means. The messages are Restate's own, as version 1.7.12 gave them."""

import pytest

from landlord.engines.restate.refusals import interpret, shorten
from landlord.engines.restate.seen import Refused, TimedOut
from landlord.errors import EngineUnreachable

URL = "http://worker:9080"
NOT_FOUND = (
    "[META0003] [META0003] got status code '404'. Make sure the provided URI has the correct path where the "
    'Restate SDK endpoint is mounted. Response headers: {"date": "Mon, 23 Nov 2026 21:01:45 GMT"}. Body: '
)
REFUSED_CONNECTION = (
    "[META0003] [META0003] error when calling 'http://worker:9080/': h2 pool connection error: "
    "Connection refused"
)
GARBAGE = (
    "received a bad response from the SDK that cannot be decoded: key must be a string at line 1 column 2. "
    "Discovery response: {garbage"
)
OTHER_TYPE = (
    "[META0006] detected a new service revision for 'TenantProvisioning' changing the service type from "
    "previous revision. Service type cannot be changed across revisions."
)


@pytest.mark.parametrize(
    ("error", "reason", "retry", "advice"),
    [
        (
            Refused(500, "META0003", REFUSED_CONNECTION),
            "WorkerUnreachable",
            "soon",
            "check that the worker runs",
        ),
        (Refused(500, "META0003", NOT_FOUND), "WorkerUnreachable", "soon", "check that the worker runs"),
        (
            Refused(500, "META0003", "[META0003] got status code '401 Unauthorized'."),
            "RegistrationRejected",
            "soon",
            "LANDLORD_RESTATE_IDENTITY_KEYS",
        ),
        (
            Refused(409, "META0004", "conflict"),
            "RegistrationRejected",
            "now_and_then",
            "delete the other deployment",
        ),
        (Refused(409, "META0005", "order"), "RegistrationRejected", "on_change", "original order"),
        (
            Refused(409, "META0006", OTHER_TYPE),
            "RegistrationRejected",
            "on_change",
            "the other service with this name",
        ),
        (Refused(500, "META0012", "version"), "RegistrationRejected", "on_change", "whichever is older"),
        (
            Refused(500, "META0013", "content type"),
            "RegistrationRejected",
            "on_change",
            "LANDLORD_WORKER_URL",
        ),
        (Refused(500, "META0014", "http"), "RegistrationRejected", "on_change", "allow h2c through"),
        (Refused(500, "META0015", "http"), "RegistrationRejected", "on_change", "allow h2c through"),
        (
            Refused(409, "META0016", "update"),
            "RegistrationRejected",
            "on_change",
            "deploy the previous version",
        ),
        (Refused(409, "META0017", "two"), "RegistrationRejected", "now_and_then", "delete all but one"),
        (Refused(500, None, GARBAGE), "RegistrationRejected", "on_change", "is not a landlord worker"),
        (Refused(500, "META9999", "new"), "RegistrationRejected", "on_change", "documentation of this code"),
        (
            Refused(422, None, "uri is invalid"),
            "RegistrationRejected",
            "now_and_then",
            "check LANDLORD_WORKER_URL",
        ),
        (Refused(400, None, "bad"), "RegistrationRejected", "now_and_then", "check LANDLORD_WORKER_URL"),
        (Refused(404, None, "nginx"), "EngineUnreachable", "soon", "LANDLORD_RESTATE_ADMIN_URL"),
        (Refused(405, None, "gateway"), "EngineUnreachable", "soon", "LANDLORD_RESTATE_ADMIN_URL"),
        (Refused(401, None, "no"), "EngineUnreachable", "soon", "LANDLORD_RESTATE_AUTH_HEADER"),
        (Refused(403, None, "no"), "EngineUnreachable", "soon", "LANDLORD_RESTATE_AUTH_HEADER"),
        (Refused(429, None, "slow down"), "EngineUnreachable", "soon", "landlord retries"),
        (Refused(500, None, "oops"), "EngineUnreachable", "soon", "landlord retries"),
        (Refused(503, None, "away"), "EngineUnreachable", "soon", "landlord retries"),
        (TimedOut("did not answer within 15 s"), "WorkerUnreachable", "soon", "restart the worker"),
        (EngineUnreachable("connection refused"), "EngineUnreachable", "soon", "connection refused"),
    ],
    ids=lambda value: getattr(value, "code", None) or type(value).__name__,
)
def test_every_refusal_has_a_reason_and_an_advice(
    error: Refused | EngineUnreachable, reason: str, retry: str, advice: str
) -> None:
    said = interpret(error, URL)
    assert (said.reason, said.retry) == (reason, retry)
    assert advice in said.message


def test_a_message_names_the_url_restates_reason_and_its_code() -> None:
    assert interpret(Refused(409, "META0006", OTHER_TYPE), URL).message == (
        "Restate did not register the worker at http://worker:9080: detected a new service revision for "
        "'TenantProvisioning' changing the service type from previous revision. Service type cannot be "
        "changed across revisions (META0006)\nFix: delete the deployment of the other service with this name "
        "from Restate, or give landlord a Restate of its own."
    )


def test_what_differs_each_time_in_restates_message_is_left_out() -> None:
    assert shorten(NOT_FOUND) == (
        "got status code '404'. Make sure the provided URI has the correct path where the Restate SDK "
        "endpoint is mounted"
    )
    assert shorten(GARBAGE).endswith("key must be a string at line 1 column 2")
    assert len(shorten("x" * 5000)) == 300

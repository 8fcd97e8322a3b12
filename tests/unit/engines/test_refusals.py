"""What a refused registration means. The messages are Restate's own, as version 1.7.12 gave them."""

import pytest

from landlord.engines.restate.refusals import detail, refusal
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
OTHER_TYPE = (
    "[META0006] detected a new service revision for 'TenantProvisioning' changing the service type from "
    "previous revision. Service type cannot be changed across revisions."
)


@pytest.mark.parametrize(
    ("error", "reason", "permanent", "advice"),
    [
        (
            Refused(500, "META0003", REFUSED_CONNECTION),
            "WorkerUnreachable",
            False,
            "check that the worker runs",
        ),
        (Refused(500, "META0003", NOT_FOUND), "WorkerUnreachable", False, "check that the worker runs"),
        (
            Refused(500, "META0003", "[META0003] got status code '401 Unauthorized'."),
            "RegistrationRejected",
            False,
            "LANDLORD_RESTATE_IDENTITY_KEYS",
        ),
        (Refused(409, "META0004", "conflict"), "RegistrationRejected", True, "remove the other deployment"),
        (Refused(409, "META0005", "order"), "RegistrationRejected", True, "original order"),
        (Refused(409, "META0006", OTHER_TYPE), "RegistrationRejected", True, "a service of another type"),
        (Refused(500, "META0013", "content type"), "RegistrationRejected", True, "LANDLORD_WORKER_URL"),
        (Refused(500, "META0014", "http"), "RegistrationRejected", True, "let h2c through"),
        (Refused(409, "META0016", "update"), "RegistrationRejected", True, "deploy the former version"),
        (Refused(500, "META9999", "new"), "RegistrationRejected", True, "documentation of that code"),
        (Refused(422, None, "uri is invalid"), "RegistrationRejected", True, "check LANDLORD_WORKER_URL"),
        (Refused(400, None, "bad"), "RegistrationRejected", True, "check LANDLORD_WORKER_URL"),
        (Refused(404, None, "nginx"), "RegistrationRejected", True, "LANDLORD_RESTATE_ADMIN_URL"),
        (Refused(401, None, "no"), "EngineUnreachable", False, "let landlord use Restate's admin API"),
        (Refused(403, None, "no"), "EngineUnreachable", False, "let landlord use Restate's admin API"),
        (Refused(429, None, "slow down"), "EngineUnreachable", False, "landlord keeps trying"),
        (Refused(500, None, "oops"), "EngineUnreachable", False, "landlord keeps trying"),
        (Refused(503, None, "away"), "EngineUnreachable", False, "landlord keeps trying"),
        (TimedOut("did not answer within 15 s"), "WorkerUnreachable", False, "restart it"),
        (EngineUnreachable("connection refused"), "EngineUnreachable", False, "connection refused"),
    ],
    ids=lambda value: getattr(value, "code", None) or type(value).__name__,
)
def test_every_refusal_has_a_reason_and_an_advice(
    error: Refused | EngineUnreachable, reason: str, permanent: bool, advice: str
) -> None:
    said = refusal(error, URL)
    assert (said.reason, said.permanent) == (reason, permanent)
    assert advice in said.message


def test_a_message_names_the_url_restates_reason_and_its_code() -> None:
    assert refusal(Refused(409, "META0006", OTHER_TYPE), URL).message == (
        "Restate did not register the worker at http://worker:9080: detected a new service revision for "
        "'TenantProvisioning' changing the service type from previous revision. Service type cannot be "
        "changed across revisions (META0006); a service of another type has that name: remove its "
        "deployment from Restate, or give landlord a Restate of its own"
    )


def test_dates_in_restates_message_are_left_out() -> None:
    assert detail(NOT_FOUND) == (
        "got status code '404'. Make sure the provided URI has the correct path where the Restate SDK "
        "endpoint is mounted"
    )
    assert len(detail("x" * 5000)) == 300

"""The API server's own texts, as 1.37 says them, and what they mean."""

import pytest

from landlord.api.amounts import Quantity
from landlord.backends.cluster.api_errors import Gone, explain_missing_pods, explain_refusal
from landlord.errors import Retryable, StepError, Stuck, Terminal

Case = tuple[int, str, type[StepError], str]

EXCEEDED = 'pods "x" is forbidden: exceeded quota: {}, requested: {}, used: {}, limited: {}'

ANSWERS: dict[str, Case] = {
    "a namespace on its way out": (
        403,
        'deployments.apps "tenant" is forbidden: unable to create new content in namespace t because it is '
        "being terminated",
        Retryable,
        "StillTerminating",
    ),
    "a namespace that is made while it goes": (
        409,
        'object is being deleted: namespaces "t" already exists',
        Retryable,
        "StillTerminating",
    ),
    "a namespace that is not there": (404, 'namespaces "t" not found', Gone, "NamespaceGone"),
    "an admission policy": (
        422,
        "namespaces \"t\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no",
        Stuck,
        "Denied",
    ),
    "a webhook": (400, 'admission webhook "w" denied the request: no', Stuck, "Denied"),
    "unknown credentials": (401, "Unauthorized", Retryable, "Unauthorized"),
    "a right that is missing": (
        403,
        'namespaces is forbidden: User "u" cannot list resource "namespaces"',
        Retryable,
        "Forbidden",
    ),
    "a change at the same time": (409, "the object has been modified", Retryable, "Changed"),
    "another object of the same name": (
        422,
        'Namespace "t" is invalid: metadata.uid: Invalid value: "u": field is immutable',
        Retryable,
        "Changed",
    ),
    "an invalid object": (422, 'Service "tenant" is invalid: spec', Terminal, "InvalidSpec"),
    "an unknown field": (400, "strict decoding error: unknown field", Terminal, "InvalidSpec"),
    "too much at once": (429, "the server has received too many requests", Retryable, "ApiServerUnavailable"),
    "a defect": (500, "etcdserver: request timed out", Retryable, "ApiServerUnavailable"),
    "no answer": (0, "https://k does not answer", Retryable, "ApiServerUnavailable"),
}


@pytest.mark.parametrize(("status", "said", "kind", "code"), ANSWERS.values(), ids=ANSWERS.keys())
def test_a_refusal_is_hopeless_or_not_yet_and_keeps_the_servers_words(
    status: int, said: str, kind: type[StepError], code: str
) -> None:
    failure = explain_refusal(status, said, {})
    assert (type(failure), failure.code) == (kind, code)
    assert said in failure.message.splitlines()[0], "a status shows the first line"


@pytest.mark.parametrize(
    ("name", "requested", "quota", "kind"),
    [
        pytest.param("tenant", "requests.cpu=2", {"requests.cpu": 1}, Terminal, id="more than there is"),
        pytest.param("tenant", "requests.cpu=900m", {"requests.cpu": 1}, Retryable, id="in use"),
        pytest.param("tenant", "pods=1,requests.memory=2Gi", {"requests.memory": "1Gi"}, Terminal, id="one"),
        pytest.param("theirs", "requests.cpu=2", {"requests.cpu": 1}, Retryable, id="somebody else's quota"),
        pytest.param("tenant", "requests.cpu=2", {"requests.cpu": 4}, Retryable, id="raised already"),
    ],
)
def test_a_quota_is_hopeless_if_it_could_never_be_met(
    name: str, requested: str, quota: dict[str, Quantity], kind: type[StepError]
) -> None:
    said = EXCEEDED.format(name, requested, "requests.cpu=0", "requests.cpu=1")
    for failure in (explain_refusal(403, said, quota), explain_missing_pods(said, quota, "tenant-acme")):
        assert (type(failure), failure.code) == (kind, "QuotaExceeded")


PODS: dict[str, tuple[str, type[StepError], str]] = {
    "amounts that a quota wants": (
        'pods "x" is forbidden: failed quota: theirs: must specify limits.cpu for: web',
        Terminal,
        "QuotaExceeded",
    ),
    "an invalid pod": ('Pod "x" is invalid: spec.containers', Stuck, "PodsRefused"),
    "anything else": ('pods "x" is forbidden: violates PodSecurity', Retryable, "PodsRefused"),
}


@pytest.mark.parametrize(("said", "kind", "code"), PODS.values(), ids=PODS.keys())
def test_pods_that_are_not_made_are_told_with_the_reason(said: str, kind: type[StepError], code: str) -> None:
    failure = explain_missing_pods(said, {}, "tenant-acme")
    assert (type(failure), failure.code) == (kind, code)
    assert said in failure.message

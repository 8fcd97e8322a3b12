import pytest
from tests.support.requests import request

from landlord.api.outcome import Outcome
from landlord.api.request import Request
from landlord.worker.serde import ModelSerde


def test_request_survives_the_journal() -> None:
    serde = ModelSerde(Request)
    asked = request(COLOR="blue")
    assert serde.deserialize(serde.serialize(asked)) == asked


def test_journal_has_the_names_of_the_api_and_no_defaults() -> None:
    assert ModelSerde(Outcome).serialize(Outcome(result="Succeeded")) == b'{"result":"Succeeded"}'
    assert b'"tenantID":"acme"' in ModelSerde(Request).serialize(request("acme"))


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "not a Outcome: body: Invalid JSON"),
        (b"{}", "not a Outcome: result: Field required"),
        (b'{"result":"Failed","failure":{}}', "failure.code: Field required; failure.message: Field"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line_that_says_why(body: bytes, says: str) -> None:
    with pytest.raises(ValueError, match=says) as refused:
        ModelSerde(Outcome).deserialize(body)
    assert "\n" not in str(refused.value)


def test_what_was_sent_is_not_repeated_in_the_refusal() -> None:
    with pytest.raises(ValueError, match="result") as refused:
        ModelSerde(Outcome).deserialize(b'{"result":"hunter2"}')
    assert "hunter2" not in str(refused.value)

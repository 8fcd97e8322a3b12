"""The table of answers: which are the request's fault, and which may pass."""

import pytest

from landlord.engines.restate.answers import CAUSES, TABLE, Api, find_cause


@pytest.mark.parametrize("api", ["ingress", "admin"])
@pytest.mark.parametrize("by_restate", [False, True])
def test_every_answer_has_a_cause_and_an_unknown_one_is_never_the_requests_fault(
    api: Api, by_restate: bool
) -> None:
    blamed = {
        status
        for status in range(200, 600)
        if find_cause(api, status, "something unknown", by_restate=by_restate) == "request"
    }
    assert blamed == ({413} if api == "ingress" else {400, 422})


@pytest.mark.parametrize("status", [400, 404, 405, 409, 410, 429, 451, 470, 500])
def test_what_a_gateway_says_in_restates_words_is_not_believed(status: int) -> None:
    for message in ("invocation not found", "the invoked service is not public", "bad path"):
        cause = find_cause("ingress", status, message, by_restate=False)
        assert cause in ("busy", "other")


def test_each_cause_is_in_the_table() -> None:
    assert {row.cause for row in TABLE} == CAUSES.keys()

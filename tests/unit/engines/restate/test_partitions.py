"""A Restate that answers and records nothing, in one of its partitions or in all."""

import httpx
import pytest
from tests.unit.engines.restate.keeping import RESTATE, Answer, Kept, Restate, losses, reachable

from landlord.engines.restate.admin import Admin
from landlord.engines.restate.http import HttpClient
from landlord.engines.restate.partitions import Partitions, build_unused_id


def test_an_id_leads_to_the_partition_of_its_key() -> None:
    """The first part of an id that Restate 1.7.12 gave, and the key that its tables show for it."""
    assert build_unused_id(1417734710680270745).startswith("inv_1dceKvwtEc2n")
    assert {len(build_unused_id(key)) for key in (0, 1, 2**63, 2**64 - 1)} == {38}


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (httpx.ReadTimeout("hangs"), "did not answer within 5 s"),
        (httpx.Response(503, json={"message": "no leader", "restate_code": None}), "no leader"),
    ],
    ids=["hangs", "has no leader"],
)
async def test_a_restate_that_records_nothing_is_not_called_registered_until_it_does(
    kept: Kept, answer: Answer, words: str
) -> None:
    await kept.check()
    before = losses()
    kept.restate.will("PATCH", answer)
    registration = await kept.check(2)
    assert (registration.status, registration.reason) == ("Unknown", "EngineStuck")
    assert words in registration.message
    assert "Fix: find the reason in Restate's log" in registration.message
    assert reachable() == 0
    assert [said.reason for said in kept.said] == ["Registered", "EngineStuck"]
    assert kept.restate.registered == []
    kept.restate.answers.clear()
    assert (await kept.check()).ready
    assert reachable() == 1
    assert losses() == before


async def test_one_partition_of_many_that_hangs_is_found_and_asked_until_it_answers(kept: Kept) -> None:
    def is_dead(request: httpx.Request) -> bool:
        return request.method == "PATCH" and request.url.path.split("/")[2] in dead

    asked: list[str] = []
    dead: set[str] = set()
    answer = Restate.__call__

    def answer_all_but_dead(request: httpx.Request) -> httpx.Response:
        if request.method == "PATCH":
            asked.append(request.url.path.split("/")[2])
            if len(asked) == 11:  # in the second check
                dead.add(asked[-1])
        if is_dead(request):
            raise httpx.ReadTimeout("hangs")
        return answer(kept.restate, request)

    admin = HttpClient("Restate's admin API", RESTATE, httpx.MockTransport(answer_all_but_dead))
    partitions = Partitions(Admin(admin))
    assert await partitions.find_stuck() is None
    assert len({*asked}) == 8
    assert await partitions.find_stuck() is not None
    del asked[:]
    assert await partitions.find_stuck() is not None
    assert {*asked} == dead
    dead.clear()
    assert await partitions.find_stuck() is None
    await admin.close()


@pytest.mark.parametrize("status", [403, 404, 405])
async def test_a_gateway_that_forbids_to_ask_partitions_says_nothing_about_them(
    kept: Kept, status: int
) -> None:
    kept.restate.will("PATCH", httpx.Response(status, text="not through here"))
    assert (await kept.check(2)).ready


async def test_a_gateway_without_restate_is_an_outage_and_no_stuck_partition(kept: Kept) -> None:
    await kept.check()
    kept.restate.will("PATCH", httpx.Response(502, text="bad gateway"))
    assert (await kept.check()).reason == "EngineUnreachable"

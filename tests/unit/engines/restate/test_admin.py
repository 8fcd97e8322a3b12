"""What the admin API says of a service, whatever changes between two of its answers."""

import httpx
from tests.unit.engines.restate.keeping import RESTATE

from landlord.api.names import WORKFLOW_SERVICE
from landlord.engines.restate.admin import Admin
from landlord.engines.restate.http import HttpClient

MISSING = httpx.Response(404, json={"message": "not found", "restate_code": "META0005"})


async def test_a_deployment_that_is_deleted_while_it_is_read_is_no_loss_of_the_service() -> None:
    deployments = iter(("dp_theirs", "dp_ours"))

    def answer(request: httpx.Request) -> httpx.Response:
        match request.url.path.split("/")[1:]:
            case ["services", _]:
                body = {"deployment_id": next(deployments), "public": True, "metadata": {"revision": "one"}}
                return httpx.Response(200, json={"name": WORKFLOW_SERVICE, "revision": 1} | body)
            case ["deployments", "dp_ours"]:
                return httpx.Response(200, json={"id": "dp_ours", "uri": "http://worker:9080/"})
            case _:
                return MISSING

    client = HttpClient("Restate's admin API", RESTATE, httpx.MockTransport(answer))
    found = await Admin(client).latest(WORKFLOW_SERVICE)
    assert found is not None
    assert found.id == "dp_ours"
    await client.close()


async def test_a_service_whose_deployment_never_exists_is_unknown() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.startswith("/services/"):
            body = {"deployment_id": "dp_gone", "public": True, "metadata": {}}
            return httpx.Response(200, json={"name": WORKFLOW_SERVICE, "revision": 1} | body)
        return MISSING

    client = HttpClient("Restate's admin API", RESTATE, httpx.MockTransport(answer))
    assert await Admin(client).latest(WORKFLOW_SERVICE) is None
    await client.close()

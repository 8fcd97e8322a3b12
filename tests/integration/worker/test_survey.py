"""What each engine tells of running tenants, and what that leaves in Restate: nothing."""

import secrets
import time

import pytest
from tests.integration.worker.conftest import World
from tests.support.polling import eventually
from tests.support.requests import request
from tests.support.served import Served, restate_engine, running

from landlord.api.request import Desired
from landlord.api.survey import Seen
from landlord.errors import EngineError


@pytest.fixture
def tenant() -> str:
    return f"acme-{secrets.token_hex(4)}"


def desired(tenant: str, color: str = "red") -> Desired:
    asked = request(tenant, COLOR=color).desired
    assert asked is not None
    return asked


async def test_a_survey_tells_of_all_tenants_of_a_backend_and_of_no_others(world: World, tenant: str) -> None:
    await world.engine.perform(request(tenant, COLOR="red"))
    await world.engine.perform(request(f"{tenant}-l", provider="ledger"))
    seen = await world.engine.survey("memory")
    assert seen[tenant] == Seen(spec_hash=desired(tenant).hash())
    assert f"{tenant}-l" not in seen
    assert f"{tenant}-l" in await world.engine.survey("ledger")
    await world.engine.perform(request(tenant, "suspend", generation=2))
    assert (await world.engine.survey("memory"))[tenant].state == "Suspended"


async def test_an_inspection_tells_what_of_a_tenant_is_not_as_it_should_be(world: World, tenant: str) -> None:
    assert list(await world.engine.inspect("memory", desired(tenant))) == [f"memory {tenant} is missing"]
    await world.engine.perform(request(tenant, COLOR="red"))
    assert list(await world.engine.inspect("memory", desired(tenant))) == []
    (line,) = await world.engine.inspect("memory", desired(tenant, "blue"))
    assert line.startswith(f"memory {tenant}: spec_hash is ")


async def test_a_backend_that_is_not_there_is_named(world: World, tenant: str) -> None:
    for look in (world.engine.survey("mainframe"), world.engine.inspect("mainframe", desired(tenant))):
        with pytest.raises(EngineError, match="no backend 'mainframe'; enabled: ledger, memory"):
            await look


async def test_restate_keeps_nothing_of_a_survey(served: Served, tenant: str) -> None:
    engine = restate_engine(served)
    async with running(engine):
        await engine.perform(request(tenant, COLOR="red"))
        for _ in range(5):
            await engine.survey("memory")

        def kept() -> list[str]:
            rows = served.query("SELECT target_service_name FROM sys_invocation")
            return [row["target_service_name"] for row in rows]

        eventually(lambda: kept() == ["TenantProvisioning"], what="Restate has forgotten the surveys")


async def test_without_the_worker_a_survey_fails_at_once_and_is_not_tried_again(
    served: Served, tenant: str
) -> None:
    engine = restate_engine(served)
    async with running(engine):
        await engine.perform(request(tenant, COLOR="red"))
        served.worker.kill()
        began = time.monotonic()
        with pytest.raises(EngineError):
            await engine.survey("memory")
        assert time.monotonic() - began < 5
        assert served.query("SELECT id FROM sys_invocation WHERE target_service_name = 'TenantSurvey'") == []

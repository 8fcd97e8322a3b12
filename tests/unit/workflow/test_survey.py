from tests.support.requests import workload

from landlord.api.request import Desired
from landlord.api.survey import InspectionRequest
from landlord.backends.memory import MemoryBackend
from landlord.workflow.survey import inspect


async def test_config_that_a_newer_plug_in_can_not_read_is_told_of_and_not_repeated() -> None:
    desired = Desired(tenant_id="acme", workload=workload(), config={"colour": "xyzzy"})
    seen = await inspect({"memory": MemoryBackend()}, InspectionRequest(provider="memory", desired=desired))
    assert seen.error is not None
    assert "takes no compute.config" in seen.error
    assert "xyzzy" not in seen.error

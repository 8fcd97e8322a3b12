"""A rollout that somebody paused is named, and goes on when it is resumed."""

import pytest
from tests.integration.backends.namespaces import Namespaces, namespace_of

from landlord.errors import Stuck


@pytest.mark.parametrize("at_once", [True, False], ids=["a new version", "a first version"])
async def test_a_paused_rollout_is_named_at_once_and_its_advice_helps(
    namespaces: Namespaces, at_once: bool
) -> None:
    before = namespaces.new(image="registry.example.com/web:1")
    after = namespaces.new(before.tenant_id, image="registry.example.com/web:2")
    await namespaces.make(before)
    namespaces.kubectl("rollout", "pause", "deployment/tenant", "-n", namespace_of(before))
    if at_once:
        await namespaces.apply(before)  # it runs already, so nothing is left to roll out
    failure = await namespaces.failure(after)
    assert (type(failure), failure.code) == (Stuck, "RolloutPaused")
    assert failure.message == "0 of 1 pods exist, because somebody paused the rollout"
    assert (await namespaces.backend.survey())[after.tenant_id].reason == failure.message
    assert failure.fix.startswith("resume it with `kubectl ")
    namespaces.kubectl(*failure.fix.split("`")[1].split()[1:])
    await namespaces.apply(after)

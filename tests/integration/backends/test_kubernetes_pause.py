"""A rollout that somebody paused is named while landlord waits for it, and goes on with the next change."""

import json

import pytest
from tests.contract.harness import run_with_patience
from tests.integration.backends.namespaces import Namespaces, namespace_of

from landlord.errors import Stuck

PAUSED = {
    "spec": {
        "paused": True,
        "template": {"spec": {"containers": [{"name": "web", "image": "registry.example.com/web:2"}]}},
    }
}


async def test_a_paused_rollout_is_named_and_its_advice_helps(namespaces: Namespaces) -> None:
    desired = namespaces.new(image="registry.example.com/web:1")
    await namespaces.apply(desired)
    where = ("deployment", "tenant", "-n", namespace_of(desired))
    namespaces.kubectl("patch", *where, "-p", json.dumps(PAUSED))
    wait = namespaces.backend.apply(desired)[-1:]
    with pytest.raises(Stuck) as raised:
        await run_with_patience(wait, 1)
    assert raised.value.code == "RolloutPaused"
    assert raised.value.message == "0 of 1 pods exist, because somebody paused the rollout"
    assert raised.value.fix.startswith("resume it with `kubectl ")
    namespaces.kubectl(*raised.value.fix.split("`")[1].split()[1:])
    await run_with_patience(wait, 3)


async def test_a_rollout_that_somebody_paused_goes_on_with_the_next_change(namespaces: Namespaces) -> None:
    before = namespaces.new(image="registry.example.com/web:1")
    await namespaces.apply(before)
    namespaces.kubectl("rollout", "pause", "deployment/tenant", "-n", namespace_of(before))
    after = namespaces.new(before.tenant_id, image="registry.example.com/web:2")
    await namespaces.apply(after)
    assert "paused" not in namespaces.get(after, "deployment")["spec"]

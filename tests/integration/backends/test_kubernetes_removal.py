"""A teardown ends when the namespace is gone, and says until then what holds it."""

import json

import pytest
from tests.contract.harness import run
from tests.integration.backends.namespaces import Namespaces, config_map, namespace_of
from tests.support.polling import eventually_async

from landlord.api.request import Desired
from landlord.backends.kubernetes import removal, stopping
from landlord.errors import Retryable

HELD = "example.com/hold"


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is held is told sooner; the step may be tried again as often as one likes."""
    for module in (removal, stopping):
        monkeypatch.setattr(module, "WINDOW_SECONDS", 2.0)


async def failing(namespaces: Namespaces, desired: Desired) -> Retryable | None:
    try:
        await namespaces.remove(desired)
    except Retryable as error:
        return error
    return None


async def test_what_holds_the_namespace_is_named_and_when_it_lets_go_all_is_gone(
    namespaces: Namespaces,
) -> None:
    desired = namespaces.new()
    await run(namespaces.backend.apply(desired)[:1])
    namespaces.put(desired, config_map("theirs", finalizers=[HELD]), config_map("free"))

    async def told() -> bool:
        failure = await failing(namespaces, desired)
        return failure is not None and failure.code == "HeldByFinalizers"

    await eventually_async(told)
    failure = await failing(namespaces, desired)
    assert failure is not None
    assert f": configmaps/theirs ({HELD})" in failure.message
    seen = (await namespaces.backend.survey())[desired.tenant_id]
    assert not seen.healthy
    with pytest.raises(Retryable, match="is being deleted") as raised:
        await namespaces.make(desired)
    assert raised.value.code == "StillTerminating"

    namespaces.edit(desired, "configmap", {"metadata": {"finalizers": None}}, "theirs")
    await eventually_async(lambda: gone(namespaces, desired))
    assert namespaces.namespace(desired) == {}


async def test_a_pod_that_does_not_go_is_named(namespaces: Namespaces) -> None:
    desired = namespaces.new()
    await namespaces.apply(desired)
    (pod,) = namespaces.pods(desired)
    name = pod["metadata"]["name"]
    namespaces.edit(desired, "pod", {"metadata": {"finalizers": [HELD]}}, name)
    failure = await failing(namespaces, desired)
    assert failure is not None
    assert f"pods/{name} ({HELD})" in failure.message
    assert "deletionTimestamp" not in namespaces.namespace(desired)["metadata"]
    namespaces.edit(desired, "pod", {"metadata": {"finalizers": None}}, name)
    await namespaces.backend.delete(desired.tenant_id)[0].run()
    assert namespaces.pods(desired) == []


async def test_a_namespace_whose_own_finalizer_holds_it_is_named(namespaces: Namespaces) -> None:
    desired = namespaces.new()
    await run(namespaces.backend.apply(desired)[:1])
    hold = {"metadata": {"finalizers": [HELD]}}
    namespaces.edit(desired, "namespace", hold, namespace_of(desired))
    failure = await failing(namespaces, desired)
    assert failure is not None
    assert f"the namespace itself ({HELD})" in failure.message
    let_go = [{"op": "remove", "path": "/metadata/finalizers"}]
    namespaces.kubectl("patch", "namespace", namespace_of(desired), "--type=json", f"-p={json.dumps(let_go)}")
    await eventually_async(lambda: gone(namespaces, desired))


async def test_what_was_made_in_a_namespace_taken_over_is_named_if_it_does_not_go(
    namespaces: Namespaces,
) -> None:
    desired = namespaces.new(adoption="IfUnowned")
    namespaces.put_namespace(desired)
    await namespaces.make(desired)
    namespaces.edit(desired, "service", {"metadata": {"finalizers": [HELD]}})
    failure = await failing(namespaces, desired)
    assert failure is not None
    assert f"services/tenant ({HELD})" in failure.message
    namespaces.edit(desired, "service", {"metadata": {"finalizers": None}})
    await namespaces.remove(desired)
    assert namespaces.namespace(desired)["metadata"]["labels"]["owner"] == "somebody"


async def gone(namespaces: Namespaces, desired: Desired) -> bool:
    return await failing(namespaces, desired) is None

"""Images come from a real registry, once for all who wait for them."""

import asyncio
import socket

import pytest
from tests.contract.harness import run
from tests.integration.backends.registry import Registry
from tests.integration.backends.tenants import Tenants
from tests.support.polling import eventually_async

from landlord.backends.docker import images
from landlord.errors import Retryable, Stuck


async def test_missing_image_is_pulled_for_all_tenants_that_wait_for_it(
    tenants: Tenants, registry: Registry
) -> None:
    reference = registry.push()
    together = [tenants.new(image=reference) for _ in range(3)]
    await asyncio.gather(*(run(tenants.backend.apply(desired)) for desired in together))
    assert {tenants.container(desired).status for desired in together} == {"running"}


async def test_tag_that_the_registry_does_not_have_is_hopeless(tenants: Tenants, registry: Registry) -> None:
    missing = registry.push().removesuffix(":1") + ":no-such-tag"
    failure = await tenants.failure(tenants.new(image=missing))
    assert (type(failure), failure.code) == (Stuck, "ImageNotFound")
    assert "no-such-tag" in failure.message.splitlines()[0]


@pytest.mark.parametrize(("policy", "replaced"), [("Always", True), ("IfNotPresent", False)])
async def test_image_that_changed_under_its_tag_replaces_the_container_only_if_always_pulled(
    tenants: Tenants, registry: Registry, policy: str, replaced: bool
) -> None:
    reference = registry.push()
    desired = tenants.new(image=reference, image_pull_policy=policy)
    await tenants.apply(desired)
    first = tenants.container(desired).id
    await tenants.apply(desired)
    assert tenants.container(desired).id == first
    registry.push(reference)
    await tenants.apply(desired)
    assert (tenants.container(desired).id != first) == replaced


async def test_pull_that_takes_long_goes_on_while_tries_come_and_go(
    tenants: Tenants, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(images, "PATIENCE", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        reference = f"127.0.0.1:{mute.getsockname()[1]}/web:1"
        image, *_ = tenants.backend.apply(tenants.new(image=reference))
        for _ in range(3):
            with pytest.raises(Retryable, match=f"pulling {reference}: started") as failure:
                await image.run()
            assert failure.value.code == "Pulling"
        mute.setblocking(False)
        connection, _ = mute.accept()
        with pytest.raises(BlockingIOError):
            mute.accept()  # three tries, one pull
    connection.close()

    async def told() -> bool:
        with pytest.raises(Retryable) as failure:
            await image.run()
        return failure.value.code == "RegistryUnreachable"

    await eventually_async(told, what="the pull's own failure")

"""A Secret of a container that somebody rewrites: an inspection tells another value from another version."""

import pytest
from tests.contract.harness import observe
from tests.integration.backends.tenants import Tenants
from tests.support.secrets import Owner, referring

from dev.cluster import ControlPlane

DIFFERS = "Config.Env {} differs from its Secret"


async def test_only_another_value_is_a_difference(
    tenants: Tenants, control_plane: ControlPlane, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(control_plane.kubeconfig))
    owner = Owner(control_plane.kubectl, namespace)
    owner.put(password="first", token="1")
    env = (
        referring("GREETING"),
        referring("TOKEN", key="token", optional=True),
        referring("PATH", key="path", optional=True),
    )
    desired = tenants.new(env=env, secrets_namespace=namespace)
    await tenants.apply(desired)

    async def differing() -> list[str]:
        seen = await observe(tenants.backend, desired.tenant_id)
        assert seen is not None
        assert seen.outdated, "the survey has noticed the new version"
        return [line.partition(": ")[2] for line in await tenants.backend.inspect(desired)]

    owner.touch()
    assert await differing() == []
    owner.put(password="second", token="1")
    assert await differing() == [DIFFERS.format("GREETING")]
    owner.put(password="first")
    assert await differing() == [DIFFERS.format("TOKEN")]

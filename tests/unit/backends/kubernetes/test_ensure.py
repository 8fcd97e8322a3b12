"""Waiting for the quota controller, which a real control plane can't be asked to be late with."""

from typing import Any

import pytest
from tests.unit.backends.kubernetes.desires import desired

from landlord.api import names
from landlord.backends.cluster import kinds
from landlord.backends.cluster.client import Cluster
from landlord.backends.cluster.kinds import ObjectKind
from landlord.backends.kubernetes import ensure
from landlord.backends.kubernetes.desired.objects import build_objects
from landlord.errors import Retryable

QUOTA = desired(quota={"pods": 4})


class Late(Cluster):
    """A cluster whose quota controller acts after so many looks."""

    def __init__(self, looks: int) -> None:
        super().__init__()
        self.looks = looks

    async def get(self, kind: ObjectKind, namespace: str | None, name: str) -> dict[str, Any]:
        self.looks -= 1
        metadata = {"name": name, "namespace": namespace, "uid": "u", "labels": names.labels("acme")}
        hard = {"pods": "4" if self.looks < 0 else "2"}
        return {"metadata": metadata, "spec": {"hard": {"pods": "4"}}, "status": {"hard": hard}}

    async def apply(self, kind: ObjectKind, manifest: dict[str, Any]) -> dict[str, Any]:
        return await self.get(kind, manifest["metadata"].get("namespace"), manifest["metadata"]["name"])


async def test_no_pod_is_made_before_its_quota_is_in_force() -> None:
    cluster = Late(looks=3)
    quota = [each for each in build_objects(QUOTA)["limits"] if each.kind is kinds.RESOURCE_QUOTA]
    await ensure.ensure(cluster, QUOTA, quota)
    assert cluster.looks < 0


async def test_a_quota_that_nobody_enforces_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ensure, "QUOTA_SECONDS", 0.2)
    with pytest.raises(Retryable) as raised:
        await ensure.ensure(Late(looks=100), QUOTA, build_objects(QUOTA)["limits"])
    assert raised.value.code == "QuotaPending"

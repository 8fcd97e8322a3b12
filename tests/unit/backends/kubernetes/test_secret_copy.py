"""What a refusal of the copy says, which a real API server's policies can't be made to give here."""

import base64
from typing import Any

import pytest
from tests.support.secrets import referring
from tests.unit.backends.kubernetes.desires import WEB, having

from landlord.api import names
from landlord.api.request import Desired
from landlord.api.workload import Workload
from landlord.backends.cluster.client import Cluster
from landlord.backends.cluster.kinds import ObjectKind
from landlord.backends.cluster.secret_reader import SecretReader
from landlord.backends.kubernetes import secret_copy
from landlord.errors import Stuck
from landlord.kubernetes_api import KubeError

TENANT = Desired(
    tenant_id="acme",
    workload=Workload(containers=(having(WEB, env=(referring("PASSWORD"),)),)),
    secrets_namespace="team",
)


def encoded(value: str) -> str:
    return base64.b64encode(value.encode()).decode()


class Denying(Cluster):
    """A cluster with a policy that repeats what it denies."""

    async def get(self, kind: ObjectKind, namespace: str | None, name: str) -> dict[str, Any]:
        data = {"password": encoded("new-value"), "web.OLD": encoded("old-value")}
        annotations = {names.ANNOTATION_SECRETS_VERSION: "1"}
        owned = {"labels": names.labels("acme"), "annotations": annotations}
        metadata = {"name": name, "namespace": namespace, "uid": "u", "resourceVersion": "1", **owned}
        return {"metadata": metadata, "data": data}

    async def apply(self, kind: ObjectKind, manifest: dict[str, Any]) -> dict[str, Any]:
        raise KubeError(403, f"the policy denied the request: {manifest['data']} was {encoded('old-value')}")


async def test_a_refused_copy_tells_neither_what_it_holds_nor_what_it_held() -> None:
    cluster = Denying()
    for change in (
        secret_copy.copy(cluster, SecretReader("kubernetes", cluster), TENANT),
        secret_copy.prune(cluster, TENANT),
    ):
        with pytest.raises(Stuck, match=r"the policy denied the request") as failure:
            await change
        assert encoded("old-value") not in failure.value.message
        assert encoded("new-value") not in failure.value.message

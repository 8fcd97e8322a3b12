"""What the API server refuses is raised with its status and its own words."""

from collections.abc import AsyncIterator

import pytest
import yaml
from kubernetes.aio.client.configuration import Configuration
from tests.support.kubeconfigs import always
from tests.support.specs import memory

from dev.cluster import ControlPlane
from dev.kubectl import Kubectl
from landlord.api.names import API_VERSION, FINALIZER, KIND
from landlord.api.tenant import Key
from landlord.controller.kube import KubeClient, build_tenant_path
from landlord.kubernetes_api import KubeError
from landlord.kubernetes_config import load_configuration

STATUS = {"phase": "Ready"}


@pytest.fixture
async def configuration(control_plane: ControlPlane, monkeypatch: pytest.MonkeyPatch) -> Configuration:
    monkeypatch.setenv("KUBECONFIG", str(control_plane.kubeconfig))
    return await load_configuration()


@pytest.fixture
async def client(configuration: Configuration) -> AsyncIterator[KubeClient]:
    client = KubeClient(always(configuration))
    yield client
    await client.close()


@pytest.fixture
def tenant(kubectl: Kubectl, namespace: str) -> Key:
    """A Tenant that no operator watches."""
    metadata = {"name": "acme", "namespace": namespace}
    kubectl.api.apply(
        yaml.safe_dump({"apiVersion": API_VERSION, "kind": KIND, "metadata": metadata, "spec": memory()})
    )
    return Key(namespace, "acme")


async def test_what_is_not_there_is_a_404(client: KubeClient, namespace: str) -> None:
    with pytest.raises(KubeError, match='"absent" not found') as raised:
        await client.call("GET", build_tenant_path(Key(namespace, "absent")))
    assert raised.value.status == 404


async def test_finalizers_are_not_set_on_an_object_that_has_changed(client: KubeClient, tenant: Key) -> None:
    body = await client.call("GET", build_tenant_path(tenant))
    seen = body["metadata"]["resourceVersion"]
    body = await client.set_finalizers(tenant, seen, (FINALIZER,))
    assert body["metadata"]["finalizers"] == [FINALIZER]
    with pytest.raises(KubeError) as raised:
        await client.set_finalizers(tenant, seen, ())
    assert raised.value.status == 409


async def test_a_status_is_not_written_to_an_object_that_has_changed_or_a_namesake(
    client: KubeClient, tenant: Key
) -> None:
    seen = (await client.call("GET", build_tenant_path(tenant)))["metadata"]["resourceVersion"]
    body = await client.apply_status(tenant, seen, STATUS)
    assert body["status"] == STATUS
    with pytest.raises(KubeError) as raised:
        await client.apply_status(tenant, seen, {"phase": "Failed"})
    assert raised.value.status == 409


async def test_a_status_that_the_schema_forbids_is_refused_with_the_field(
    client: KubeClient, tenant: Key
) -> None:
    seen = (await client.call("GET", build_tenant_path(tenant)))["metadata"]["resourceVersion"]
    with pytest.raises(KubeError, match=r"status\.phase: Unsupported value") as raised:
        await client.apply_status(tenant, seen, {"phase": "Wonderful"})
    assert raised.value.status == 422


async def test_unknown_credentials_are_a_401(configuration: Configuration, tenant: Key) -> None:
    configuration.cert_file = configuration.key_file = None
    configuration.api_key["BearerToken"] = "Bearer unknown"
    client = KubeClient(always(configuration))
    with pytest.raises(KubeError, match="Unauthorized") as raised:
        await client.call("GET", build_tenant_path(tenant))
    assert raised.value.status == 401
    await client.close()


async def test_an_api_server_that_is_away_has_no_status(configuration: Configuration) -> None:
    configuration.host = "https://127.0.0.1:1"
    client = KubeClient(always(configuration))
    with pytest.raises(KubeError, match="does not answer") as raised:
        await client.call("GET", "/version")
    assert raised.value.status == 0
    await client.close()

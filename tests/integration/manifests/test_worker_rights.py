"""The worker's ClusterRole, by what the kubernetes backend does with it: all of that, and nothing besides."""

import asyncio
import json
from typing import Any

import pytest
from tests.contract.harness import new_tenant_id, run, run_with_patience, tenant
from tests.integration.manifests.conftest import WORKER, Applied
from tests.support.manifests import NAMESPACE, granted, granted_to, rules
from tests.support.polling import eventually, eventually_async
from tests.support.rbac import in_short, used
from tests.support.secrets import Owner, allow_reading, referring_to

from dev.cluster import ControlPlane
from landlord.api.compute import KubernetesCompute, NamespaceSettings
from landlord.api.request import Desired
from landlord.backends.kubernetes import removal
from landlord.backends.kubernetes.backend import KubernetesBackend
from landlord.errors import Retryable, Terminal


def desired(**changes: Any) -> Desired:
    compute = {name: changes.pop(name) for name in tuple(changes) if name in KubernetesCompute.model_fields}
    plain = tenant(changes.pop("tenant_id", None) or new_tenant_id(), "any/image:1")
    return plain.model_copy(update=changes | {"kubernetes": KubernetesCompute(**compute)})


async def changes(backend: KubernetesBackend) -> None:
    """A tenant that is limited, then is not, and goes."""
    limited = desired(quota={"pods": "3"})
    await run(backend.apply(limited))
    await run(backend.apply(desired(tenant_id=limited.tenant_id, network_isolation="Open")))
    await run(backend.delete(limited.tenant_id))


async def is_adopted(backend: KubernetesBackend, cluster: ControlPlane) -> None:
    """A tenant that takes over a namespace, and leaves it as it was."""
    name = new_tenant_id("theirs")
    cluster.kubectl.api.create_namespace(name)
    adopting = desired(quota={"pods": "3"}, namespace=NamespaceSettings(name=name), adoption="IfUnowned")
    await run(backend.apply(adopting))
    await run(backend.delete(adopting.tenant_id))
    cluster.kubectl("get", "namespace", name)


async def comes_to_rest(backend: KubernetesBackend) -> None:
    """A tenant that is suspended, looked at in depth, archived and brought back."""
    resting = desired()
    await run(backend.apply(resting))
    await run(backend.suspend(resting.tenant_id))
    assert await backend.inspect(resting)
    await run(backend.archive(resting.tenant_id))
    await run(backend.apply(resting))
    assert await backend.inspect(resting) == []
    await run(backend.delete(resting.tenant_id))


async def is_never_ready(backend: KubernetesBackend, cluster: ControlPlane) -> None:
    """A tenant whose pod fails its probe: why is looked for in its ReplicaSets, pods and Events."""
    unready = desired()
    await run(backend.apply(unready))
    api, place = cluster.kubectl.api, f"tenant-{unready.tenant_id}"
    (pod,) = api.get("pods", namespace=place)["items"]
    conditions = [
        each | {"status": "False"} if each["type"] == "Ready" else each
        for each in pod["status"]["conditions"]
    ]
    status = {"status": {"conditions": conditions}}
    api.patch("pod", pod["metadata"]["name"], status, namespace=place, subresource="status")
    eventually(lambda: "availableReplicas" not in api.get("deploy", namespace=place)["items"][0]["status"])
    with pytest.raises(Retryable, match="0 of 1 pods are available"):
        await run(backend.apply(unready))
    await _waits_for_a_pull_secret(backend, cluster, unready)
    await run(backend.delete(unready.tenant_id))


async def _waits_for_a_pull_secret(
    backend: KubernetesBackend, cluster: ControlPlane, unready: Desired
) -> None:
    """Its ServiceAccount is given a pull secret, without which the pod was created: a new pod gets it."""
    pull = {"imagePullSecrets": [{"name": "registry"}]}
    cluster.kubectl.api.patch("sa", "tenant", pull, namespace=f"tenant-{unready.tenant_id}")
    await run_with_patience(backend.apply(unready), 3)


async def refers_to_secrets(backend: KubernetesBackend, cluster: ControlPlane) -> None:
    """A tenant that gets a value from a Secret, then another one, then none."""
    owner = Owner(cluster.kubectl, new_tenant_id("owner"))
    cluster.kubectl.api.create_namespace(owner.namespace)
    allow_reading(cluster.kubectl, owner.namespace)
    owner.put(password="first")
    referring = referring_to(owner, desired())
    await run(backend.apply(referring))
    owner.put(password="second")
    assert (await backend.survey())[referring.tenant_id].outdated
    await run(backend.apply(referring))
    await run(backend.apply(desired(tenant_id=referring.tenant_id)))
    await run(backend.delete(referring.tenant_id))


async def test_no_tenant_takes_over_the_namespace_of_landlord(backend: KubernetesBackend) -> None:
    taking = desired(namespace=NamespaceSettings(name=NAMESPACE), adoption="IfUnowned")
    with pytest.raises(Terminal, match="a Namespace named landlord-system exists") as raised:
        await run(backend.apply(taking)[:1])
    assert raised.value.code == "Conflict"


async def test_what_holds_a_namespace_is_told_without_the_right_to_see_it(
    cluster: ControlPlane, backend: KubernetesBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removal, "WINDOW_SECONDS", 2.0)
    held = desired()
    await run(backend.apply(held)[:1])
    place = ("-n", f"tenant-{held.tenant_id}")
    hold = {"name": "theirs", "finalizers": ["example.com/hold"]}
    theirs = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": hold}
    cluster.kubectl("create", "-f", "-", *place, stdin=json.dumps(theirs))

    async def told() -> str:
        with pytest.raises(Retryable) as raised:
            await run(backend.delete(held.tenant_id))
        return raised.value.message if raised.value.code == "HeldByFinalizers" else ""

    said = await eventually_async(told, what="what holds it")
    assert "configmaps" in said
    assert "example.com/hold in 1 resource instances" in said
    cluster.kubectl(
        "patch", "configmap", "theirs", *place, "--type=merge", '-p={"metadata":{"finalizers":null}}'
    )
    cluster.kubectl("wait", "--for=delete", f"namespace/{place[1]}", "--timeout=60s", timeout=90)


async def test_each_of_its_rights_is_needed_and_enough(
    cluster: ControlPlane, backend: KubernetesBackend
) -> None:
    await asyncio.gather(
        changes(backend),
        is_adopted(backend, cluster),
        comes_to_rest(backend),
        is_never_ready(backend, cluster),
        refers_to_secrets(backend, cluster),
    )
    await backend.survey()
    everywhere, where_bound = granted_to(WORKER), granted(rules("ClusterRole", "landlord-secrets-reader"))
    assert used(cluster, NAMESPACE, WORKER) == {in_short(right) for right in everywhere | where_bound}


@pytest.mark.parametrize(
    "what", ["deployments.apps/coredns", "services/kubernetes", "networkpolicies/theirs"]
)
async def test_it_can_t_touch_what_others_have_made(
    cluster: ControlPlane, applied: Applied, what: str
) -> None:
    worker = f"--as=system:serviceaccount:{NAMESPACE}:{WORKER}"
    for verb in ("get", "list", "patch", "delete"):
        asked = cluster.kubectl.run("auth", "can-i", verb, what, "-n", "kube-system", worker)
        assert asked.stdout.strip() == "no", verb


def test_it_can_t_list_the_secrets_of_others(cluster: ControlPlane, applied: Applied) -> None:
    worker = f"--as=system:serviceaccount:{NAMESPACE}:{WORKER}"
    listed = cluster.kubectl.run("get", "secrets", "-A", worker)
    assert "cannot list resource" in listed.stderr
    cluster.kubectl("get", "secrets", "-A", worker, "--field-selector=metadata.name=tenant")

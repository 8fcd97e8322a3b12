"""What is made for a tenant, as the API server has it; every object is accepted with strict validation."""

import json

import pytest
from tests.integration.backends.namespaces import Namespaces, namespace_of
from tests.support.polling import eventually

from landlord import kubernetes_api
from landlord.api import names
from landlord.api.outcome import Endpoint
from landlord.api.request import Desired
from landlord.api.workload import Container, EnvVar, Exec, Port, Probe, ResourceAmounts, Resources
from landlord.backends.kubernetes import ready

SIDECAR = Container(
    name="sidecar",
    image="sidecar:1",
    command=("/sidecar",),
    args=("--verbose",),
    ports=(Port(name="metrics", container_port=9090), Port(name="dns", container_port=53, protocol="UDP")),
    probe=Probe(exec=Exec(command=("/ok",))),
    resources=Resources(requests=ResourceAmounts(cpu="10m"), limits=ResourceAmounts(memory="32Mi")),
)


def labels(found: dict[str, dict[str, dict[str, str]]]) -> dict[str, str]:
    return found["metadata"]["labels"]


async def test_a_tenant_has_a_namespace_of_its_own_with_all_that_belongs_into_it(
    namespaces: Namespaces,
) -> None:
    desired = namespaces.new(quota={"pods": 5})
    made = await namespaces.apply(desired)

    assert {ref.kind for ref in made.resources} == {
        "Namespace", "ResourceQuota", "LimitRange", "NetworkPolicy",
        "ServiceAccount", "Service", "Deployment",
    }  # fmt: skip
    for ref in made.resources:
        found = namespaces.get(desired, ref.kind, ref.name)
        expected = names.labels(desired.tenant_id) | {names.LABEL_SPEC_HASH: desired.hash()}
        assert expected.items() <= labels(found).items(), ref
    host = f"tenant.{namespace_of(desired)}.svc"
    assert made.endpoints == (Endpoint(name="http", url=f"http://{host}:8080"),)


async def test_pods_pass_the_restricted_level_that_their_namespace_enforces_and_hold_no_token(
    namespaces: Namespaces,
) -> None:
    desired = namespaces.new()
    await namespaces.apply(desired)
    assert labels(namespaces.namespace(desired))["pod-security.kubernetes.io/enforce"] == "restricted"
    (pod,) = namespaces.pods(desired)
    assert "volumes" not in pod["spec"]
    assert pod["spec"]["serviceAccountName"] == "tenant"
    dry_run = namespaces.kubectl.run(
        "run", "root", "--image=any", "-n", namespace_of(desired), "--dry-run=server"
    )
    assert 'violates PodSecurity "restricted' in dry_run.stderr


async def test_all_containers_run_in_all_replicas_and_share_one_service(namespaces: Namespaces) -> None:
    desired = namespaces.new(containers=(SIDECAR,), replicas=3)
    made = await namespaces.apply(desired)
    pods = namespaces.pods(desired)
    assert [[container["name"] for container in pod["spec"]["containers"]] for pod in pods] == [
        ["web", "sidecar"]
    ] * 3
    host = f"tenant.{namespace_of(desired)}.svc"
    assert [endpoint.url for endpoint in made.endpoints] == [
        f"http://{host}:8080", f"tcp://{host}:9090", f"udp://{host}:53",
    ]  # fmt: skip


async def test_a_change_of_replicas_alone_replaces_no_pod(namespaces: Namespaces) -> None:
    desired = namespaces.new(replicas=2)
    await namespaces.apply(desired)
    before = {pod["metadata"]["uid"] for pod in namespaces.pods(desired)}
    await namespaces.apply(namespaces.new(desired.tenant_id, replicas=3))
    assert before < {pod["metadata"]["uid"] for pod in namespaces.pods(desired)}


async def test_a_change_of_a_container_replaces_its_pods_before_the_tenant_is_ready(
    namespaces: Namespaces,
) -> None:
    desired = namespaces.new()
    await namespaces.apply(desired)
    await namespaces.apply(namespaces.new(desired.tenant_id, image="web:2"))
    images = [pod["spec"]["containers"][0]["image"] for pod in alive(namespaces, desired)]
    assert images == ["web:2"]


async def test_values_are_taken_literally(namespaces: Namespaces) -> None:
    desired = namespaces.new(env=(EnvVar(name="A", value="1"), EnvVar(name="B", value="$(A) $$")))
    await namespaces.apply(desired)
    (pod,) = namespaces.pods(desired)
    # $$ is how a $ is written that Kubernetes leaves alone
    assert pod["spec"]["containers"][0]["env"][1]["value"] == "$$(A) $$$$"


@pytest.mark.parametrize(
    ("isolation", "ingress"),
    [("Isolated", [None]), ("IngressOnly", [None, [8080]]), ("Open", None)],
)
async def test_isolation_says_who_reaches_the_pods(
    namespaces: Namespaces, isolation: str, ingress: list[list[int] | None] | None
) -> None:
    desired = namespaces.new(network_isolation=isolation)
    await namespaces.make(desired)
    policy = namespaces.get(desired, "networkpolicy")
    if ingress is None:
        assert policy == {}
        return
    assert policy["spec"]["podSelector"] == {}
    assert sorted(policy["spec"]["policyTypes"]) == ["Egress", "Ingress"]
    ports = [
        [port["port"] for port in rule["ports"]] if "ports" in rule else None
        for rule in policy["spec"]["ingress"]
    ]
    assert ports == ingress


async def test_what_is_not_wanted_any_more_is_removed(namespaces: Namespaces) -> None:
    before = namespaces.new(quota={"pods": 5})
    await namespaces.make(before)
    after = namespaces.new(before.tenant_id, exposure="None", network_isolation="Open")
    await namespaces.make(after)
    for kind in ("service", "resourcequota", "networkpolicy"):
        assert eventually(lambda kind=kind: namespaces.get(after, kind) == {}), kind  # type: ignore[misc]
    assert (await namespaces.apply(after)).endpoints == ()


async def test_a_field_that_is_not_wanted_any_more_is_removed(namespaces: Namespaces) -> None:
    before = namespaces.new(
        namespace={"labels": {"team": "a"}},
        node_selector={"kubernetes.io/os": "linux"},
        env=(EnvVar(name="A", value="1"),),
    )
    await namespaces.make(before)
    await namespaces.make(namespaces.new(before.tenant_id))
    pod = namespaces.get(before, "deployment")["spec"]["template"]["spec"]
    assert "team" not in labels(namespaces.namespace(before))
    assert "nodeSelector" not in pod
    assert "env" not in pod["containers"][0]


async def test_a_load_balancer_is_waited_for_and_gives_the_endpoint(
    namespaces: Namespaces, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ready, "WINDOW_SECONDS", 3.0)
    desired = namespaces.new(exposure="LoadBalancer", network_isolation="IngressOnly")
    failure = await namespaces.failure(desired)
    assert failure.code == "LoadBalancerPending"
    status = {"status": {"loadBalancer": {"ingress": [{"ip": "203.0.113.7"}]}}}
    namespaces.kubectl(
        "patch", "service", "tenant", "-n", namespace_of(desired), "--subresource=status", "--type=merge",
        f"-p={json.dumps(status)}",
    )  # fmt: skip
    assert (await namespaces.apply(desired)).endpoints == (
        Endpoint(name="http", url="http://203.0.113.7:8080"),
    )


async def test_a_survey_of_many_pages_tells_of_all_tenants(
    namespaces: Namespaces, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kubernetes_api, "PAGE", 1)
    tenants = [namespaces.new() for _ in range(3)]
    for desired in tenants:
        await namespaces.apply(desired)
    seen = await namespaces.backend.survey()
    assert [seen[desired.tenant_id].healthy for desired in tenants] == [True] * 3


def alive(namespaces: Namespaces, desired: Desired) -> list[dict[str, dict[str, list[dict[str, str]]]]]:
    return [pod for pod in namespaces.pods(desired) if "deletionTimestamp" not in pod["metadata"]]

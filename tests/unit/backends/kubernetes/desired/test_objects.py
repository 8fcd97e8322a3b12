"""The objects of a tenant, field by field where a rule decides."""

from typing import Any

import pytest
from tests.unit.backends.kubernetes.desires import WEB, desired, having

from landlord.api import names
from landlord.api.amounts import Quantity
from landlord.api.request import Desired
from landlord.api.workload import (
    Container,
    EnvVar,
    Exec,
    HttpGet,
    Port,
    Probe,
    ResourceAmounts,
    Resources,
    TcpSocket,
)
from landlord.backends.cluster import kinds
from landlord.backends.cluster.kinds import ObjectKind
from landlord.backends.kubernetes.desired import limits, network, pods, service
from landlord.backends.kubernetes.desired.objects import build_manifest, build_objects


def container(given: Container, **kubernetes: Any) -> dict[str, Any]:
    made: dict[str, Any] = pod(desired(given, **kubernetes))["containers"][0]
    return made


def pod(wanted: Desired) -> dict[str, Any]:
    made: dict[str, Any] = pods.build_deployment(wanted)["spec"]["template"]["spec"]
    return made


def labels(wanted: Desired) -> dict[str, str]:
    made: dict[str, str] = pods.build_deployment(wanted)["spec"]["template"]["metadata"]["labels"]
    return made


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        (kinds.NAMESPACE, "/api/v1/namespaces/x"),
        (kinds.SERVICE, "/api/v1/namespaces/ns/services/x"),
        (kinds.DEPLOYMENT, "/apis/apps/v1/namespaces/ns/deployments/x"),
    ],
)
def test_kinds_know_where_they_are(kind: ObjectKind, path: str) -> None:
    assert kind.path(None if kind is kinds.NAMESPACE else "ns", "x") == path


def test_no_pod_is_made_before_its_limits_and_its_network() -> None:
    assert list(build_objects(desired())) == ["namespace", "limits", "network", "workload", "ready"]


def test_labels_of_the_tenant_win_over_those_in_its_manifest() -> None:
    wanted = desired(namespace={"labels": {names.LABEL_TENANT: "other", "team": "a"}})
    (namespace,) = build_objects(wanted)["namespace"]
    assert namespace.content is not None
    labels = build_manifest(kinds.NAMESPACE, namespace.content, wanted)["metadata"]["labels"]
    assert labels[names.LABEL_TENANT] == "acme"
    assert labels["team"] == "a"


@pytest.mark.parametrize(
    ("level", "as_root", "capabilities"),
    [("restricted", False, {"drop": ["ALL"]}), ("baseline", True, None), ("privileged", True, None)],
)
def test_the_pod_security_level_decides_what_pods_may(
    level: str, as_root: bool, capabilities: dict[str, list[str]] | None
) -> None:
    wanted = desired(pod_security=level)
    assert ("runAsNonRoot" not in pod(wanted)["securityContext"]) == as_root
    context = pod(wanted)["containers"][0]["securityContext"]
    assert context.get("capabilities") == capabilities
    assert context["allowPrivilegeEscalation"] is False


@pytest.mark.parametrize(
    ("probe", "made"),
    [
        (Probe(http_get=HttpGet(path="/ok", port=80)), {"httpGet": {"path": "/ok", "port": 80}}),
        (Probe(tcp_socket=TcpSocket(port=80)), {"tcpSocket": {"port": 80}}),
        (Probe(exec=Exec(command=("/ok", "$(HOME)"))), {"exec": {"command": ["/ok", "$$(HOME)"]}}),
    ],
)
def test_a_probe_is_a_readiness_probe(probe: Probe, made: dict[str, Any]) -> None:
    assert made.items() <= container(having(probe=probe))["readinessProbe"].items()
    assert pods.build_deployment(desired(having(probe=probe)))["spec"]["minReadySeconds"] == 0


def test_a_container_without_a_probe_has_to_run_for_a_moment() -> None:
    assert pods.build_deployment(desired())["spec"]["minReadySeconds"] == 1


def test_what_is_not_set_is_left_to_the_cluster() -> None:
    assert container(Container(name="a", image="b")).keys() == {
        "name", "image", "imagePullPolicy", "securityContext", "terminationMessagePolicy",
    }  # fmt: skip


def test_amounts_and_words_arrive_as_they_are_meant() -> None:
    made = container(
        having(
            args=("$(HOME)",),
            env=(EnvVar(name="PRICE", value="5$"),),
            resources=Resources(limits=ResourceAmounts(cpu=1, memory="64Mi")),
        )
    )
    assert made["args"] == ["$$(HOME)"]
    assert made["env"] == [{"name": "PRICE", "value": "5$$"}]
    assert made["resources"] == {"limits": {"cpu": "1", "memory": "64Mi"}}


@pytest.mark.parametrize(
    ("change", "replaces"),
    [
        ({"replicas": 2}, False),
        ({"quota": {"pods": 2}}, False),
        ({"network_isolation": "Open"}, False),
        ({"pod_security": "baseline"}, True),
        ({"node_selector": {"disk": "ssd"}}, True),
    ],
)
def test_pods_are_replaced_only_when_what_they_run_changes(change: dict[str, Any], replaces: bool) -> None:
    changed = desired(**change)
    assert (labels(desired()) != labels(changed)) == replaces
    assert desired().hash() != changed.hash()


@pytest.mark.parametrize(
    ("quota", "default"),
    [
        ({}, None),
        ({"requests.cpu": "1"}, None),
        ({"limits.cpu": "1"}, {"cpu": "500m"}),
        ({"limits.cpu": "1", "limits.memory": "1Gi"}, {"cpu": "500m", "memory": "512Mi"}),
    ],
)
def test_containers_have_a_default_for_what_the_quota_wants_named(
    quota: dict[str, str], default: dict[str, str] | None
) -> None:
    (limit,) = limits.build_limit_range(desired(quota=quota))["spec"]["limits"]
    assert limit.get("default") == default
    assert (limits.build_resource_quota(desired(quota=quota)) is None) == (not quota)


LIMITED = Resources(limits=ResourceAmounts(cpu="500m"), requests=ResourceAmounts(memory="1Gi"))


@pytest.mark.parametrize(
    ("quota", "resources", "number"),
    [
        pytest.param({"pods": 2}, None, 2, id="pods"),
        pytest.param({"count/pods": "3"}, None, 3, id="pods by their other name"),
        pytest.param({"requests.cpu": "1"}, LIMITED, 2, id="a limit is a request too"),
        pytest.param({"limits.cpu": "1600m"}, LIMITED, 3, id="a limit"),
        pytest.param({"memory": "3Gi"}, LIMITED, 3, id="a request"),
        pytest.param(
            {"requests.cpu": "100m"}, None, 2, id="nothing asked for counts for the default request"
        ),
        pytest.param({"limits.memory": "1Gi"}, None, 2, id="nothing limited counts for the default limit"),
        pytest.param({"requests.cpu": "1", "pods": 1}, LIMITED, 1, id="the tightest counts"),
    ],
)
def test_a_quota_has_room_for_so_many_pods_and_no_more(
    quota: dict[str, Quantity], resources: Resources | None, number: int
) -> None:
    asked = desired(having(resources=resources), quota=quota)
    assert limits.has_room(asked, number)
    assert not limits.has_room(asked, number + 1)


@pytest.mark.parametrize("quota", [{}, {"services": 1}, {"pods": 3}], ids=str)
def test_where_a_further_pod_has_room_an_update_is_left_to_kubernetes(quota: dict[str, Quantity]) -> None:
    assert "strategy" not in pods.build_deployment(desired(replicas=2, quota=quota))["spec"]


def test_dns_and_each_other_are_reached_whatever_the_isolation() -> None:
    for isolation in ("Isolated", "IngressOnly"):
        policy = network.build_policy(desired(network_isolation=isolation))
        assert policy is not None
        assert policy["spec"]["egress"] == [{"to": [network.OWN_PODS]}, network.DNS]


@pytest.mark.parametrize(
    ("exposure", "containers", "kind"),
    [
        ("None", (WEB,), None),
        ("ClusterIP", (having(ports=()),), None),
        ("ClusterIP", (WEB,), "ClusterIP"),
        ("LoadBalancer", (WEB,), "LoadBalancer"),
    ],
)
def test_declared_ports_are_offered_as_the_exposure_says(
    exposure: str, containers: tuple[Container, ...], kind: str | None
) -> None:
    wanted = desired(*containers, exposure=exposure, network_isolation="Open")
    made = service.build_service(wanted)
    assert (made and made["spec"]["type"]) == kind
    assert len(service.build_endpoints(wanted, "host")) == (1 if kind else 0)


@pytest.mark.parametrize(
    ("ingress", "host"),
    [
        ([], None),
        ([{"ip": "203.0.113.7"}], "203.0.113.7"),
        ([{"hostname": "lb.example.com", "ip": ""}], "lb.example.com"),
    ],
)
def test_a_load_balancers_address_is_the_first_that_it_was_given(
    ingress: list[dict[str, str]], host: str | None
) -> None:
    assert service.read_external_host({"status": {"loadBalancer": {"ingress": ingress}}}) == host


def test_an_endpoint_has_the_scheme_of_what_is_spoken() -> None:
    ports = (
        Port(name="api", container_port=1, app_protocol="grpc"),
        Port(name="dns", container_port=2, protocol="UDP"),
    )
    urls = [endpoint.url for endpoint in service.build_endpoints(desired(having(ports=ports)), "h")]
    assert urls == ["grpc://h:1", "udp://h:2"]

import pytest
from tests.unit.backends.kubernetes.desires import HTTP, WEB, desired, having

from landlord.api.request import Desired
from landlord.api.workload import Port
from landlord.backends.kubernetes.backend import KubernetesBackend
from landlord.errors import Terminal


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        pytest.param(desired(namespace={"name": "kube-system"}), "belongs to the cluster", id="kube-system"),
        pytest.param(desired(namespace={"name": "default"}), "belongs to the cluster", id="default"),
        pytest.param(
            desired(namespace={"name": "a/b"}), "the namespace 'a/b' is not a valid name", id="path"
        ),
        pytest.param(
            desired().model_copy(update={"tenant_id": "../x"}), "tenantID '../x' is not a valid name", id="id"
        ),
        pytest.param(desired(exposure="LoadBalancer"), "can't reach an Isolated network", id="isolated"),
        pytest.param(desired(quota={"pods": "many"}), "compute.kubernetes.quota, pods: 'many'", id="quota"),
        *(
            pytest.param(desired(quota={name: amount}), f"{name}: {amount} is less than {least}", id=amount)
            for name, amount, least in (
                ("limits.memory", "512m", "6Mi"),
                ("requests.storage", "64k", "6Mi"),
                ("limits.cpu", "999u", "1m"),
                ("pods", "500m", "1"),
            )
        ),
        pytest.param(
            desired(WEB, having(name="b", ports=(Port(name="http", container_port=1),))),
            "two ports have the name http",
            id="port-name",
        ),
        pytest.param(
            desired(WEB, having(name="b", ports=(Port(name="b", container_port=8080),))),
            "two ports have the number 8080/TCP",
            id="port-number",
        ),
    ],
)
def test_what_cant_run_is_refused_before_anything_is_made(wrong: Desired, message: str) -> None:
    with pytest.raises(Terminal) as raised:
        KubernetesBackend().apply(wrong)
    assert raised.value.code == "InvalidSpec"
    assert message in raised.value.message


def test_one_number_may_be_a_port_of_each_protocol() -> None:
    udp = Port(name="quic", container_port=HTTP.container_port, protocol="UDP")
    assert KubernetesBackend().apply(desired(having(ports=(HTTP, udp))))


def test_a_quota_may_allow_none_of_something() -> None:
    nothing: dict[str, int | str] = {"services.loadbalancers": 0, "requests.storage": "0"}
    assert KubernetesBackend().apply(desired(quota=nothing))

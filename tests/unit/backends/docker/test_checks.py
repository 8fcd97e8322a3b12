import pytest
from tests.unit.backends.docker.desires import WEB, desired

from landlord.api.compute import Publish, Volume
from landlord.api.request import Desired
from landlord.api.workload import EnvVar, Port, ResourceAmounts, Resources, Workload
from landlord.backends.docker.backend import DockerBackend
from landlord.errors import Terminal


def test_one_host_port_may_be_published_for_each_protocol() -> None:
    udp = Port(name="quic", container_port=8443, protocol="UDP")
    both = (Publish(port="http", host_port=443), Publish(port="quic", host_port=443))
    assert DockerBackend().apply(desired(WEB.model_copy(update={"ports": (*WEB.ports, udp)}), publish=both))


@pytest.mark.parametrize(
    ("wrong", "code", "message"),
    [
        pytest.param(
            desired(WEB, WEB), "Unsupported", "exactly one container, and workload.containers has 2", id="two"
        ),
        pytest.param(
            desired().model_copy(update={"workload": Workload(containers=(WEB,), replicas=2)}),
            "Unsupported",
            "exactly one replica, and workload.replicas is 2",
            id="replicas",
        ),
        pytest.param(
            desired(publish=(Publish(port="https"),)),
            "InvalidSpec",
            "names the port 'https', which the container does not have; its ports: http",
            id="unknown-port",
        ),
        pytest.param(
            desired(
                WEB.model_copy(update={"ports": (*WEB.ports, Port(name="admin", container_port=9090))}),
                publish=(Publish(port="http", host_port=9000), Publish(port="admin", host_port=9000)),
            ),
            "InvalidSpec",
            "gives the host port 9000/TCP to 2 ports",
            id="host-port-twice",
        ),
        pytest.param(desired(network="host"), "InvalidSpec", "network 'host' is reserved", id="host-network"),
        pytest.param(
            desired(network="container:db"), "InvalidSpec", "not a valid name", id="joined-container"
        ),
        pytest.param(desired(network="landlord"), "InvalidSpec", "'landlord' is reserved", id="isolated"),
        pytest.param(
            desired(bind_address="home"), "InvalidSpec", "'home' is not an IP address", id="address"
        ),
        pytest.param(
            desired(volumes=(Volume(name="/etc", mount_path="/x"),)),
            "InvalidSpec",
            "'/etc' is not a valid name of a volume",
            id="host-path",
        ),
        pytest.param(
            desired(WEB.model_copy(update={"env": (EnvVar(name="A=B"),)})),
            "InvalidSpec",
            "'A=B' is not a valid environment variable name",
            id="env",
        ),
        pytest.param(
            desired(WEB.model_copy(update={"ports": (*WEB.ports, Port(name="also", container_port=8080))})),
            "InvalidSpec",
            "two ports have the number 8080/TCP",
            id="ports-of-one-number",
        ),
        *(
            pytest.param(
                desired(WEB.model_copy(update={"resources": Resources(requests=request, limits=limit)})),
                "InvalidSpec",
                message,
                id=f"requests-{name}",
            )
            for name, request, limit, message in (
                (
                    "cpu",
                    ResourceAmounts(cpu=2),
                    ResourceAmounts(cpu="1500m"),
                    "requests.cpu is 2, which is more than limits.cpu, 1500m",
                ),
                (
                    "memory",
                    ResourceAmounts(memory="1Gi"),
                    ResourceAmounts(memory="1G"),
                    "requests.memory is 1Gi, which is more than limits.memory, 1G",
                ),
            )
        ),
        pytest.param(desired(tenant_id="../x"), "InvalidSpec", "tenantID '../x'", id="tenant-id"),
        pytest.param(
            desired(WEB.model_copy(update={"resources": Resources(limits=ResourceAmounts(memory="much"))})),
            "InvalidSpec",
            "limits.memory: 'much' is not a quantity",
            id="quantity",
        ),
        *(
            pytest.param(
                desired(WEB.model_copy(update={"resources": resources})),
                "InvalidSpec",
                f"resources.{field} is {amount}, and the engine enforces no amount below {least}",
                id=f"{field} {amount}",
            )
            for resources, field, amount, least in (
                (Resources(limits=ResourceAmounts(memory="512m")), "limits.memory", "512m", "6Mi"),
                (Resources(limits=ResourceAmounts(memory=100)), "limits.memory", "100", "6Mi"),
                (Resources(requests=ResourceAmounts(memory="5Mi")), "requests.memory", "5Mi", "6Mi"),
                (Resources(limits=ResourceAmounts(cpu="100n")), "limits.cpu", "100n", "10m"),
                (Resources(limits=ResourceAmounts(cpu="9m")), "limits.cpu", "9m", "10m"),
                (Resources(requests=ResourceAmounts(cpu="999u")), "requests.cpu", "999u", "1m"),
            )
        ),
    ],
)
def test_what_the_backend_can_not_run_is_refused_before_anything_is_made(
    wrong: Desired, code: str, message: str
) -> None:
    with pytest.raises(Terminal) as failure:
        DockerBackend().apply(wrong)
    assert failure.value.code == code
    assert message in failure.value.message

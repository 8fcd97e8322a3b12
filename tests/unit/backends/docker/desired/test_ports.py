import pytest
from hypothesis import given
from hypothesis import strategies as st

from landlord.api.compute import DockerCompute, Publish
from landlord.api.request import Desired
from landlord.api.workload import Container, Port, Workload
from landlord.backends.docker.desired import ports

HTTP = Port(name="http", container_port=8080, app_protocol="http")
DNS = Port(name="dns", container_port=53, protocol="UDP")


def desired(*publish: Publish, bind_address: str = "127.0.0.1", tenant_id: str = "acme") -> Desired:
    container = Container(name="web", image="any", ports=(HTTP, DNS))
    return Desired(
        tenant_id=tenant_id,
        workload=Workload(containers=(container,)),
        docker=DockerCompute(publish=publish, bind_address=bind_address),
    )


BOTH = desired(Publish(port="http"), Publish(port="dns"))


def test_wanted_host_port_is_taken_whatever_was_before() -> None:
    wanted = desired(Publish(port="http", host_port=8081))
    assert ports.allot(wanted, {"8080/tcp": 9999}, {8081}) == {"8080/tcp": 8081}


def test_free_port_stays_what_it_was() -> None:
    assert ports.allot(BOTH, {"8080/tcp": 25001, "53/udp": 25002}, set()) == {
        "8080/tcp": 25001,
        "53/udp": 25002,
    }


def test_free_port_follows_from_the_name_alone() -> None:
    assert ports.allot(BOTH, {}, set()) == ports.allot(BOTH, {}, set())


@given(st.text("abcdefgh-0123456789", min_size=1, max_size=40), st.integers(0, 6))
def test_free_ports_are_in_range_differ_and_avoid_what_is_taken(tenant_id: str, collisions: int) -> None:
    tenant = desired(Publish(port="http"), Publish(port="dns"), tenant_id=tenant_id)
    taken: set[int] = set()
    for _ in range(collisions + 1):
        chosen = ports.allot(tenant, {}, taken)
        assert len(set(chosen.values())) == 2
        assert not taken & set(chosen.values())
        assert all(ports.FIRST <= port < ports.FIRST + ports.COUNT for port in chosen.values())
        taken |= set(chosen.values())


def test_earlier_port_that_is_in_use_now_is_given_up() -> None:
    assert ports.allot(BOTH, {"8080/tcp": 25001}, {25001})["8080/tcp"] != 25001


@pytest.mark.parametrize(
    ("bind_address", "host"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("0.0.0.0", "127.0.0.1"),
        ("10.1.2.3", "10.1.2.3"),
        ("::", "[::1]"),
        ("fd00::1", "[fd00::1]"),
    ],
)
def test_endpoints_are_urls_that_can_be_used_on_the_host(bind_address: str, host: str) -> None:
    tenant = desired(Publish(port="http"), Publish(port="dns"), bind_address=bind_address)
    made = ports.build_endpoints(tenant, {"8080/tcp": 25001, "53/udp": 25002})
    assert [(endpoint.name, endpoint.url) for endpoint in made] == [
        ("http", f"http://{host}:25001"),
        ("dns", f"udp://{host}:25002"),
    ]


def test_bindings_are_read_as_the_engine_writes_them() -> None:
    engine = {"8080/tcp": [{"HostIp": "127.0.0.1", "HostPort": "25001"}], "53/udp": None, "1/tcp": []}
    assert ports.read_host_ports(engine) == {"8080/tcp": 25001}
    assert ports.read_host_ports(None) == {}


@pytest.mark.parametrize(
    ("hosts", "address"),
    [
        ([{"HostIp": "127.0.0.1", "HostPort": "25001"}], ("127.0.0.1", 25001)),
        ([{"HostIp": "0.0.0.0", "HostPort": "25001"}], ("127.0.0.1", 25001)),
        ([{"HostIp": "::", "HostPort": "25001"}], ("::1", 25001)),
        ([{"HostIp": "", "HostPort": ""}], None),
        ([], None),
        (None, None),
    ],
)
def test_a_port_is_reached_where_the_engine_has_bound_it(
    hosts: list[dict[str, str]] | None, address: tuple[str, int] | None
) -> None:
    assert ports.find_address({"8080/tcp": hosts}, "8080/tcp") == address
    assert ports.find_address({"8080/tcp": hosts}, "9090/tcp") is None
    assert ports.find_address(None, "8080/tcp") is None

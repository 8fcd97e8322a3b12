"""A probe asks only where the container must be the one that answers."""

from typing import Any

import pytest

from landlord.backends.docker.observed.reach import (
    OutOfReach,
    WorkerHost,
    find_forwarded_address,
    find_shared_address,
)

BRIDGE = "br-0123456789ab"
SOCKET = "unix:///var/run/docker.sock"
PLAIN = {
    "OperatingSystem": "Debian GNU/Linux 12 (bookworm)",
    "Name": "host",
    "SecurityOptions": ["name=seccomp"],
}
ROOTLESS = PLAIN | {"SecurityOptions": ["name=seccomp,profile=default", "name=rootless"]}
PODMAN = PLAIN | {"BuildahVersion": "1.39.3"}
DESKTOP = {"OperatingSystem": "Docker Desktop", "Name": "docker-desktop", "SecurityOptions": None}
LINUX = WorkerHost("host", True, ("lo", "eth0"))
ELSEWHERE = WorkerHost("pod-1", True, ("lo", "eth0"))
MAC = WorkerHost("mac", False, ("lo0", "en0"))


def container(bound_to: str | None = None) -> dict[str, Any]:
    """A container with port 80, which is published on port 20080 of an address, or not at all."""
    return {
        "NetworkSettings": {
            "Ports": {"80/tcp": [{"HostIp": bound_to, "HostPort": "20080"}] if bound_to else None},
            "Networks": {"landlord": {"IPAddress": "172.18.0.2", "NetworkID": "0123456789abcdef"}},
        }
    }


@pytest.mark.parametrize(
    ("bound_to", "address"),
    [
        (None, ("172.18.0.2", 80)),
        ("127.0.0.1", ("127.0.0.1", 20080)),
        ("0.0.0.0", ("127.0.0.1", 20080)),
        ("10.0.0.7", ("10.0.0.7", 20080)),
    ],
)
def test_a_container_whose_bridge_the_worker_has_is_asked(bound_to: str | None, address: Any) -> None:
    assert find_shared_address(container(bound_to), 80, ("lo", BRIDGE)) == address


@pytest.mark.parametrize("interfaces", [(), ("lo", "docker0", "br-fedcba987654")])
def test_another_bridge_is_no_reason_to_ask(interfaces: tuple[str, ...]) -> None:
    assert find_shared_address(container("127.0.0.1"), 80, interfaces) is None


@pytest.mark.parametrize(
    ("bound_to", "info", "url", "worker", "address"),
    [
        pytest.param("127.0.0.1", ROOTLESS, SOCKET, LINUX, ("127.0.0.1", 20080), id="rootless"),
        pytest.param("127.0.0.1", PODMAN, SOCKET, LINUX, ("127.0.0.1", 20080), id="podman"),
        pytest.param("127.0.0.1", DESKTOP, SOCKET, LINUX, ("127.0.0.1", 20080), id="Desktop on Linux"),
        pytest.param("127.0.0.1", PLAIN, SOCKET, MAC, ("127.0.0.1", 20080), id="a VM on macOS"),
        pytest.param("127.0.0.1", DESKTOP, "tcp://localhost:2375", MAC, ("127.0.0.1", 20080), id="local TCP"),
        pytest.param("0.0.0.0", PLAIN, "tcp://10.0.0.5:2376", LINUX, ("10.0.0.5", 20080), id="remote"),
        pytest.param(
            "10.0.0.5", PLAIN, "tcp://e.example.com:1", LINUX, ("e.example.com", 20080), id="by name"
        ),
        pytest.param(None, ROOTLESS, SOCKET, LINUX, "not published", id="rootless, unpublished"),
        pytest.param(None, PLAIN, SOCKET, MAC, "not published", id="a VM, unpublished"),
        pytest.param(None, PLAIN, "tcp://10.0.0.5:2376", LINUX, "not published", id="remote, unpublished"),
        pytest.param("127.0.0.1", PLAIN, "tcp://10.0.0.5:1", LINUX, "127.0.0.1 of the", id="remote loopback"),
        pytest.param("127.0.0.1", PLAIN, SOCKET, ELSEWHERE, "is not the worker's", id="in a container"),
        pytest.param("127.0.0.1", PODMAN, SOCKET, ELSEWHERE, "is not the worker's", id="podman elsewhere"),
        pytest.param("127.0.0.1", ROOTLESS, SOCKET, ELSEWHERE, "is not the worker's", id="forwarded"),
        pytest.param("0.0.0.0", PLAIN, SOCKET, LINUX, "is not the worker's", id="another netns"),
    ],
)
def test_any_other_container_is_asked_where_the_engine_forwards_or_not_at_all(
    bound_to: str | None, info: Any, url: str, worker: WorkerHost, address: Any
) -> None:
    if isinstance(address, str):
        with pytest.raises(OutOfReach) as refused:
            find_forwarded_address(container(bound_to), 80, info, url, worker)
        assert address in refused.value.reason
    else:
        assert find_forwarded_address(container(bound_to), 80, info, url, worker) == address

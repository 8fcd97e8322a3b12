"""Chooses the host port of each published container port, and builds the URLs. No I/O.

landlord chooses free ports itself. The engine would choose another one each time the container restarts, even
after a crash, and `status.endpoints` would no longer hold. A port that is derived from the tenant's name
stays the same; if it is in use, landlord tries the next candidate.
"""

import hashlib
from collections.abc import Mapping, Set
from ipaddress import ip_address
from itertools import count
from typing import Any

from landlord.api.compute import DockerCompute
from landlord.api.outcome import Endpoint
from landlord.api.request import Desired
from landlord.api.workload import Port
from landlord.backends.urls import build_url

FIRST, COUNT = 20000, 10000
"""Below the ports that operating systems assign, and below those of Kubernetes' NodePort Services."""

HostPorts = Mapping[str, int]
"""Host port by container port in the engine's notation, such as 8080/tcp."""


def format_port(port: Port) -> str:
    """Format a container port in the engine's notation."""
    return f"{port.container_port}/{port.protocol.lower()}"


def find_published(desired: Desired) -> dict[str, tuple[Port, int]]:
    """Find the published ports and their host ports (0: any), by the engine's notation."""
    ports = {port.name: port for port in desired.workload.containers[0].ports}
    publish = (desired.docker or DockerCompute()).publish
    return {format_port(ports[item.port]): (ports[item.port], item.host_port) for item in publish}


def allot(desired: Desired, earlier: HostPorts, used: Set[int]) -> dict[str, int]:
    """Allot a host port to each published port: the wanted one, the earlier one, or a free candidate."""
    wanted = find_published(desired)
    chosen = {name: host_port for name, (_, host_port) in wanted.items() if host_port}
    for name in wanted:
        if name not in chosen:
            unavailable = used | set(chosen.values())
            kept = earlier.get(name)
            if kept is None or kept in unavailable:
                kept = _find_candidate(desired.tenant_id, name, unavailable)
            chosen[name] = kept
    return chosen


def _find_candidate(tenant_id: str, name: str, used: Set[int]) -> int:
    digests = (hashlib.sha256(f"{tenant_id}/{name}/{n}".encode()).digest() for n in count())
    ports = (FIRST + int.from_bytes(digest[:8], "big") % COUNT for digest in digests)
    return next(port for port in ports if port not in used)


def read_host_ports(bindings: Mapping[str, Any] | None) -> dict[str, int]:
    """Read the host ports in an engine's PortBindings or Ports, leaving out ports that are not bound."""
    return {
        name: int(hosts[0]["HostPort"])
        for name, hosts in (bindings or {}).items()
        if hosts and hosts[0]["HostPort"]
    }


def find_address(bindings: Mapping[str, Any] | None, name: str) -> tuple[str, int] | None:
    """Find the host address of a container port in an engine's Ports; None if the port is not bound."""
    host_port = read_host_ports(bindings).get(name)
    return (resolve_host(bindings[name][0]["HostIp"]), host_port) if bindings and host_port else None


def build_endpoints(desired: Desired, bindings: HostPorts) -> tuple[Endpoint, ...]:
    """Build the endpoint of each published port, in the order of the manifest."""
    host = resolve_host((desired.docker or DockerCompute()).bind_address)
    return tuple(
        Endpoint(name=port.name, url=build_url(port, host, bindings[name]))
        for name, (port, _) in find_published(desired).items()
        if name in bindings
    )


def resolve_host(bind_address: str) -> str:
    """Find the host address to connect to for a port that is bound to `bind_address`."""
    address = ip_address(bind_address)
    if address.is_unspecified:
        return "127.0.0.1" if address.version == 4 else "::1"
    return str(address)

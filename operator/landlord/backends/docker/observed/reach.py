"""Decides at which address a probe reaches a container, and nothing else. No I/O.

The same addresses exist in many networks: on a worker's host, 172.18.0.2 or a port of 127.0.0.1 may belong to
another program, whose answer would make a tenant Ready that does not serve. So a probe asks only where the
container must be the one that answers:

| the engine | port published | port not published |
|---|---|---|
| has the container's bridge in the worker's own network | where it is published | the container's address |
| forwards to the worker's host: in a VM, rootless, or podman | where it is published | - |
| is remote, by TCP | the engine's host, unless the port is bound to loopback there | - |
| is anywhere else | - | - |
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from landlord.backends.docker.desired import ports
from landlord.backends.docker.observed.container import InspectedContainer, read_networks

BRIDGE = "br-"
"""The engine's bridge of a network has this and the beginning of the network's ID as its name."""
BRIDGE_ID = 12
PODMAN = "BuildahVersion"
"""podman's description of itself has this besides what Docker's has (its pkg/api/handlers/types.go)."""
LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class WorkerHost:
    """Where the worker runs."""

    name: str
    is_linux: bool
    interfaces: Collection[str]


@dataclass(frozen=True)
class OutOfReach(Exception):
    """The worker can't ask this port, for this reason."""

    reason: str


def find_shared_address(
    found: InspectedContainer, port: int, interfaces: Collection[str]
) -> tuple[str, int] | None:
    """Find the address of a port if the container's bridge is among the worker's network interfaces."""
    shared = [
        network["IPAddress"]
        for network in (read_networks(found) or {}).values()
        if network["IPAddress"] and BRIDGE + network["NetworkID"][:BRIDGE_ID] in interfaces
    ]
    if not shared:
        return None
    return _find_published(found, port) or (shared[0], port)


def find_forwarded_address(
    found: InspectedContainer, port: int, info: Mapping[str, Any], url: str, worker: WorkerHost
) -> tuple[str, int]:
    """Find the address of a port whose bridge the worker does not have. Raises OutOfReach.

    `info` is the engine's description of itself, and `url` its address.
    """
    published = _find_published(found, port)
    if published is None:
        raise OutOfReach(f"port {port} is not published, and the engine's network is not the worker's")
    remote = urlsplit(url).hostname if url.startswith(("tcp://", "http://", "https://")) else None
    if remote in (None, *LOOPBACK):
        if _is_forwarding(info, worker):
            return published
        raise OutOfReach(f"port {port} is published on the engine's host, whose network is not the worker's")
    if ip_address(published[0]).is_loopback and not _is_bound_everywhere(found, port):
        raise OutOfReach(f"port {port} is published on {published[0]} of the engine's host, {remote}")
    return str(remote), published[1]


def _find_published(found: InspectedContainer, port: int) -> tuple[str, int] | None:
    return ports.find_address(found["NetworkSettings"]["Ports"], _name(port))


def _is_bound_everywhere(found: InspectedContainer, port: int) -> bool:
    return ip_address(found["NetworkSettings"]["Ports"][_name(port)][0]["HostIp"]).is_unspecified


def _is_forwarding(info: Mapping[str, Any], worker: WorkerHost) -> bool:
    """Whether the engine itself listens on the worker's host, so that nobody else can have the port."""
    if not worker.is_linux or info.get("OperatingSystem") == "Docker Desktop":
        return True
    is_rootless = "name=rootless" in (info.get("SecurityOptions") or ())
    # podman has no daemon in a network of its own, but names its bridges in another way.
    return (is_rootless or PODMAN in info) and info.get("Name") == worker.name


def _name(port: int) -> str:
    return f"{port}/tcp"

"""Checks what this backend can't run, and what would give a tenant access to its host. No I/O."""

import re
from collections import Counter
from ipaddress import ip_address

from landlord.api.request import Desired
from landlord.api.workload import ResourceAmounts, Resources
from landlord.backends.checks import check_distinct_ports, require
from landlord.backends.docker.desired import ports
from landlord.backends.docker.desired.container import read_amounts
from landlord.backends.docker.ownership import ISOLATED_NETWORK, read_settings
from landlord.backends.quantity import parse_quantity
from landlord.errors import Terminal

RESERVED_NETWORKS = {"host", "none", "bridge", "default", "nat", ISOLATED_NETWORK}
NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]*")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")


def check(desired: Desired) -> None:
    """Raise Terminal for what this backend can't run, and for what would give access to the host.

    The API server rejects most of this earlier, but the host's safety must not depend on that.
    """
    _check_size(desired)
    container = desired.workload.containers[0]
    require(
        NAME.fullmatch(desired.tenant_id), f"tenantID {desired.tenant_id!r} is not a valid name on Docker"
    )
    for variable in container.env:
        require(
            VARIABLE.fullmatch(variable.name), f"{variable.name!r} is not a valid environment variable name"
        )
    _check_settings(desired)
    check_distinct_ports(desired.workload)
    _check_host_ports(desired)
    read_amounts(container.resources)
    _check_requests(container.resources)


def _check_size(desired: Desired) -> None:
    if (containers := len(desired.workload.containers)) != 1:
        raise Terminal(
            "Unsupported",
            f"the docker backend runs exactly one container, and workload.containers has {containers}",
            "split them into several Tenants, or use another backend",
        )
    if (replicas := desired.workload.replicas) != 1:
        raise Terminal(
            "Unsupported",
            f"the docker backend runs exactly one replica, and workload.replicas is {replicas}",
            "set workload.replicas to 1, or use another backend",
        )


def _check_settings(desired: Desired) -> None:
    compute = read_settings(desired)
    if compute.network is not None:
        require(
            NAME.fullmatch(compute.network) and compute.network not in RESERVED_NETWORKS,
            f"compute.docker.network {compute.network!r} is reserved or not a valid name",
            "choose another, or leave it out for a network on which tenants can't reach each other",
        )
    require(
        _is_ip_address(compute.bind_address),
        f"compute.docker.bindAddress {compute.bind_address!r} is not an IP address",
    )
    for volume in compute.volumes:
        require(NAME.fullmatch(volume.name), f"{volume.name!r} is not a valid name of a volume")


def _check_host_ports(desired: Desired) -> None:
    known = [port.name for port in desired.workload.containers[0].ports]
    for item in read_settings(desired).publish:
        require(
            item.port in known,
            f"compute.docker.publish names the port {item.port!r}, which the container does not have; "
            f"its ports: {', '.join(known) or 'none'}",
        )
    used = Counter(
        (host_port, port.protocol) for port, host_port in ports.find_published(desired).values() if host_port
    )
    for (host_port, protocol), times in used.items():
        require(
            times == 1,
            f"compute.docker.publish gives the host port {host_port}/{protocol} to {times} ports",
            "give each port a host port of its own; 0 takes a free one",
        )


def _check_requests(resources: Resources | None) -> None:
    """Check that requests do not exceed limits, which Kubernetes rejects and the engine accepts for CPU."""
    limits = (resources and resources.limits) or ResourceAmounts()
    requests = (resources and resources.requests) or ResourceAmounts()
    for name, request, limit in (
        ("cpu", requests.cpu, limits.cpu),
        ("memory", requests.memory, limits.memory),
    ):
        require(
            request is None or limit is None or parse_quantity(request) <= parse_quantity(limit),
            f"resources.requests.{name} is {request}, which is more than limits.{name}, {limit}",
            "lower the request, or raise the limit",
        )


def _is_ip_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True

"""What this backend can't run, and what would let a tenant out of its container. No I/O."""

import re
from collections import Counter
from ipaddress import ip_address

from landlord.api.request import Desired
from landlord.api.workload import ResourceAmounts, Resources
from landlord.backends.checks import check_distinct_ports
from landlord.backends.docker.desired import ports
from landlord.backends.docker.desired.container import parse_amount, read_amounts
from landlord.backends.docker.ownership import ISOLATED_NETWORK, read_settings
from landlord.errors import Terminal

NOT_OURS = {"host", "none", "bridge", "default", "nat", ISOLATED_NETWORK}
NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]*")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")


def check(desired: Desired) -> None:
    """Raises Terminal for what this backend can't run, and for what would let a tenant out of its container.

    The API server's rules refuse most of this before; the worker does not rely on them for its host's safety.
    """
    if len(desired.workload.containers) != 1:
        raise Terminal(
            "Unsupported",
            f"the docker backend runs exactly one container, workload.containers has "
            f"{len(desired.workload.containers)}; split them into several Tenants or use another backend",
        )
    if desired.workload.replicas != 1:
        raise Terminal(
            "Unsupported",
            f"the docker backend runs exactly one replica, workload.replicas is {desired.workload.replicas}; "
            f"set it to 1 or use another backend",
        )
    compute, container = read_settings(desired), desired.workload.containers[0]
    _must(NAME.fullmatch(desired.tenant_id), f"tenantID {desired.tenant_id!r} is not a name for the engine")
    if compute.network is not None:
        _must(
            NAME.fullmatch(compute.network) and compute.network not in NOT_OURS,
            f"compute.docker.network {compute.network!r} is reserved or not a name; choose another, "
            f"or leave it out for a network on which tenants do not reach each other",
        )
    _must(
        _is_ip_address(compute.bind_address),
        f"compute.docker.bindAddress {compute.bind_address!r} is no IP address",
    )
    for variable in container.env:
        _must(
            VARIABLE.fullmatch(variable.name), f"{variable.name!r} is not a name for an environment variable"
        )
    for volume in compute.volumes:
        _must(NAME.fullmatch(volume.name), f"{volume.name!r} is not a name for a volume")
    known = [port.name for port in container.ports]
    for item in compute.publish:
        _must(
            item.port in known,
            f"compute.docker.publish names the port {item.port!r}, which the container does not have; "
            f"its ports: {', '.join(known) or 'none'}",
        )
    check_distinct_ports(desired.workload)
    taken = Counter(
        (host_port, port.protocol) for port, host_port in ports.find_published(desired).values() if host_port
    )
    for (host_port, protocol), times in taken.items():
        _must(
            times == 1,
            f"compute.docker.publish gives the host port {host_port}/{protocol} to {times} ports; each needs "
            f"one of its own (0 takes a free one)",
        )
    _check_requests(container.resources)
    read_amounts(container.resources)


def _check_requests(resources: Resources | None) -> None:
    """The engine takes more CPU requested than allowed, which Kubernetes refuses."""
    limits = (resources and resources.limits) or ResourceAmounts()
    requests = (resources and resources.requests) or ResourceAmounts()
    for name, request, limit in (
        ("cpu", requests.cpu, limits.cpu),
        ("memory", requests.memory, limits.memory),
    ):
        _must(
            request is None
            or limit is None
            or parse_amount(f"requests.{name}", request) <= parse_amount(f"limits.{name}", limit),
            f"resources.requests.{name} is {request}, more than limits.{name}, {limit}: lower the one or "
            f"raise the other",
        )


def _is_ip_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _must(holds: object, otherwise: str) -> None:
    if not holds:
        raise Terminal("InvalidSpec", otherwise)

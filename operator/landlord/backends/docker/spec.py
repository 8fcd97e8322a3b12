"""What the engine is asked for, from the desired state. No I/O."""

import json
import re
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from ipaddress import ip_address
from typing import Any

from landlord.api import names
from landlord.api.compute import DockerCompute, Volume
from landlord.api.request import Desired
from landlord.api.workload import Quantity, ResourceAmounts, Resources
from landlord.backends.checks import check_distinct
from landlord.backends.docker import ports
from landlord.backends.quantity import parse_quantity
from landlord.backends.secrets import Values, references
from landlord.errors import Terminal

Inspected = dict[str, Any]
"""A container as the engine describes it."""

ISOLATED_NETWORK = "landlord"
"""The network of all tenants that name none; on it they do not reach each other."""
NO_SECRETS = Values()
SUSPENDED = ".suspended"
NOT_OURS = {"host", "none", "bridge", "default", "nat", ISOLATED_NETWORK}
NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]*")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
DROPPED_CAPABILITIES = ["MKNOD", "NET_RAW"]
"""No server needs to make device files, or raw packets with which it could pose as another tenant."""


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
    compute, container = docker(desired), desired.workload.containers[0]
    _must(NAME.fullmatch(desired.tenant_id), f"tenantID {desired.tenant_id!r} is not a name for the engine")
    if compute.network is not None:
        _must(
            NAME.fullmatch(compute.network) and compute.network not in NOT_OURS,
            f"compute.docker.network {compute.network!r} is reserved or not a name; choose another, "
            f"or leave it out for a network on which tenants do not reach each other",
        )
    _must(
        _is_ip(compute.bind_address), f"compute.docker.bindAddress {compute.bind_address!r} is no IP address"
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
    check_distinct(desired.workload)
    taken = Counter(
        (host_port, port.protocol) for port, host_port in ports.published(desired).values() if host_port
    )
    for (host_port, protocol), times in taken.items():
        _must(
            times == 1,
            f"compute.docker.publish gives the host port {host_port}/{protocol} to {times} ports; each needs "
            f"one of its own (0 takes a free one)",
        )
    _check_fit(container.resources)
    _amounts(container.resources)


def docker(desired: Desired) -> DockerCompute:
    """The docker settings, defaults where there are none."""
    return desired.docker or DockerCompute()


def container_name(tenant_id: str) -> str:
    """The one container of the tenant."""
    return f"landlord-{tenant_id}"


def suspended_name(tenant_id: str) -> str:
    """What the container is called while the tenant is suspended. No tenantID has a dot in it."""
    return container_name(tenant_id) + SUSPENDED


def volume_name(tenant_id: str, volume: Volume) -> str:
    """The engine's volume behind a tenant's."""
    return f"landlord-{tenant_id}-{volume.name}"


def network_name(desired: Desired) -> str:
    """The network that the container joins."""
    return docker(desired).network or ISOLATED_NETWORK


def owned(labels: Mapping[str, str] | None, tenant_id: str | None = None) -> bool:
    """Whether a resource with these labels is landlord's, and of this tenant if one is given."""
    labels = labels or {}
    return labels.get(names.LABEL_MANAGED_BY) == names.MANAGED_BY and (
        tenant_id is None or labels.get(names.LABEL_TENANT) == tenant_id
    )


def foreign(kind: str, name: str) -> Terminal:
    """The failure of finding somebody else's resource under our name."""
    return Terminal(
        "Conflict",
        f"a {kind} named {name} exists and is not this tenant's; it is left as it is\n"
        f"To do: remove or rename it (`docker {kind} inspect {name}`), or choose another name; on Docker "
        f"nothing is taken over, whatever spec.management.adoption says.",
    )


def container_config(
    desired: Desired, host_ports: ports.HostPorts, secrets: Values = NO_SECRETS
) -> dict[str, Any]:
    """The body of the engine's `POST /containers/create`."""
    container, compute = desired.workload.containers[0], docker(desired)
    made_as = {
        names.LABEL_SPEC_HASH: desired.hash(),
        names.LABEL_HOST_CONFIG: json.dumps(changeable(desired), sort_keys=True),
        names.LABEL_HOST_PORTS: ",".join(map(str, host_ports.values())),
    }
    if secrets.recorded:
        made_as[names.ANNOTATION_SECRETS] = secrets.recorded
    if container.probe:
        made_as[names.LABEL_PROBE] = container.probe.model_dump_json(exclude_defaults=True)
    environment = {each.name: each.value for each in container.env if each.secret is None}
    environment |= {variable: value for (_, variable), value in secrets.by_place.items()}
    return {
        "Image": container.image,
        "Env": [f"{name}={value}" for name, value in environment.items()],
        "Entrypoint": list(container.command or ()) or None,
        "Cmd": list(container.args or ()) or None,
        "Labels": names.labels(desired.tenant_id) | made_as,
        "ExposedPorts": {ports.key(port): {} for port in container.ports},
        "HostConfig": {
            "NetworkMode": network_name(desired),
            "PortBindings": {
                name: [{"HostIp": compute.bind_address, "HostPort": str(host_port)}]
                for name, host_port in host_ports.items()
            },
            "Mounts": [_mount(desired.tenant_id, volume) for volume in compute.volumes],
            "CapDrop": DROPPED_CAPABILITIES,
            "SecurityOpt": ["no-new-privileges"],
            **changeable(desired),
        },
    }


def given(found: Mapping[str, Any], desired: Desired) -> Values:
    """What an inspected container was given of Secrets, whatever is in them by now."""
    environment = dict(each.partition("=")[::2] for each in found["Config"]["Env"] or ())
    wanted = references(desired.workload)
    return Values({place: environment[place[1]] for place in wanted if place[1] in environment})


def changeable(desired: Desired) -> dict[str, Any]:
    """What of a container's HostConfig the engine can change later, as its `update` takes it."""
    policy = docker(desired).restart_policy
    return {"RestartPolicy": {"Name": policy}, **_amounts(desired.workload.containers[0].resources)}


def _mount(tenant_id: str, volume: Volume) -> dict[str, Any]:
    # Type volume, never bind: a source is then a name and can't be a path of the host.
    return {
        "Type": "volume",
        "Source": volume_name(tenant_id, volume),
        "Target": volume.mount_path,
        "ReadOnly": volume.read_only,
        "VolumeOptions": {"Labels": names.labels(tenant_id)},
    }


def _amounts(resources: Resources | None) -> dict[str, int]:
    limits = (resources and resources.limits) or ResourceAmounts()
    requests = (resources and resources.requests) or ResourceAmounts()
    amounts: dict[str, int] = {}
    if limits.cpu is not None:
        amounts["NanoCpus"] = int(_number("limits.cpu", limits.cpu) * 10**9)
    if limits.memory is not None:
        # Without a limit on both together the engine allows as much swap again.
        amounts["Memory"] = amounts["MemorySwap"] = int(_number("limits.memory", limits.memory))
    if requests.cpu is not None:
        shares = int(_number("requests.cpu", requests.cpu) * 1024)
        amounts["CpuShares"] = min(max(shares, 2), 262144)
    if requests.memory is not None:
        amounts["MemoryReservation"] = int(_number("requests.memory", requests.memory))
    return amounts


def _check_fit(resources: Resources | None) -> None:
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
            or _number(f"requests.{name}", request) <= _number(f"limits.{name}", limit),
            f"resources.requests.{name} is {request}, more than limits.{name}, {limit}: lower the one or "
            f"raise the other",
        )


def _number(field: str, quantity: Quantity) -> Decimal:
    try:
        return parse_quantity(quantity)
    except ValueError as error:
        raise Terminal("InvalidSpec", f"resources.{field}: {error}") from error


def _is_ip(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _must(holds: object, otherwise: str) -> None:
    if not holds:
        raise Terminal("InvalidSpec", otherwise)

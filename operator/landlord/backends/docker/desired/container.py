"""Builds the engine's configuration of a tenant's container. No I/O."""

import json
from decimal import Decimal
from typing import Any

from landlord.api import names
from landlord.api.amounts import LEAST_CPU, LEAST_CPU_LIMIT, LEAST_MEMORY, Quantity
from landlord.api.compute import Volume
from landlord.api.request import Desired
from landlord.api.workload import ResourceAmounts, Resources
from landlord.backends.checks import require
from landlord.backends.docker.desired import ports
from landlord.backends.docker.ownership import name_network, name_volume, read_settings
from landlord.backends.quantity import parse_quantity
from landlord.backends.secrets import SecretValues
from landlord.errors import Terminal

NO_SECRETS = SecretValues()
DROPPED_CAPABILITIES = ["MKNOD", "NET_RAW"]
"""No server needs to create device files, or raw packets, which could impersonate another tenant."""


def build_container_config(
    desired: Desired, host_ports: ports.HostPorts, secrets: SecretValues = NO_SECRETS
) -> dict[str, Any]:
    """Build the body of the engine's `POST /containers/create`."""
    container, compute = desired.workload.containers[0], read_settings(desired)
    created_as = {
        names.LABEL_SPEC_HASH: desired.hash(),
        names.LABEL_HOST_CONFIG: json.dumps(build_changeable(desired), sort_keys=True),
        names.LABEL_HOST_PORTS: ",".join(map(str, host_ports.values())),
    }
    if secrets.recorded:
        created_as[names.ANNOTATION_SECRETS] = secrets.recorded
    if container.probe:
        created_as[names.LABEL_PROBE] = container.probe.model_dump_json(exclude_defaults=True)
    environment = {each.name: each.value for each in container.env if each.secret is None}
    environment |= {variable: value for (_, variable), value in secrets.by_variable.items()}
    return {
        "Image": container.image,
        "Env": [f"{name}={value}" for name, value in environment.items()],
        "Entrypoint": list(container.command or ()) or None,
        "Cmd": list(container.args or ()) or None,
        "Labels": names.labels(desired.tenant_id) | created_as,
        "ExposedPorts": {ports.format_port(port): {} for port in container.ports},
        "HostConfig": {
            "NetworkMode": name_network(desired),
            "PortBindings": {
                name: [{"HostIp": compute.bind_address, "HostPort": str(host_port)}]
                for name, host_port in host_ports.items()
            },
            "Mounts": [_build_mount(desired.tenant_id, volume) for volume in compute.volumes],
            "CapDrop": DROPPED_CAPABILITIES,
            "SecurityOpt": ["no-new-privileges"],
            **build_changeable(desired),
        },
    }


def build_changeable(desired: Desired) -> dict[str, Any]:
    """Build the part of a container's HostConfig that the engine's `update` can change later."""
    policy = read_settings(desired).restart_policy
    return {"RestartPolicy": {"Name": policy}, **read_amounts(desired.workload.containers[0].resources)}


def _build_mount(tenant_id: str, volume: Volume) -> dict[str, Any]:
    # Type volume, never bind: the source is then a name and can't be a path on the host.
    return {
        "Type": "volume",
        "Source": name_volume(tenant_id, volume),
        "Target": volume.mount_path,
        "ReadOnly": volume.read_only,
        "VolumeOptions": {"Labels": names.labels(tenant_id)},
    }


def read_amounts(resources: Resources | None) -> dict[str, int]:
    """Read CPU and memory in the engine's units. Raises Terminal for an invalid amount."""
    limits = (resources and resources.limits) or ResourceAmounts()
    requests = (resources and resources.requests) or ResourceAmounts()
    found: dict[str, int] = {}
    if limits.cpu is not None:
        found["NanoCpus"] = int(parse_amount("limits.cpu", limits.cpu, LEAST_CPU_LIMIT) * 10**9)
    if limits.memory is not None:
        # Without a limit on both together, the engine allows the same amount of swap in addition.
        found["Memory"] = found["MemorySwap"] = int(
            parse_amount("limits.memory", limits.memory, LEAST_MEMORY)
        )
    if requests.cpu is not None:
        shares = int(parse_amount("requests.cpu", requests.cpu, LEAST_CPU) * 1024)
        found["CpuShares"] = min(max(shares, 2), 262144)
    if requests.memory is not None:
        found["MemoryReservation"] = int(parse_amount("requests.memory", requests.memory, LEAST_MEMORY))
    return found


def parse_amount(field: str, quantity: Quantity, least: str) -> Decimal:
    """Parse an amount in `resources`. Raises Terminal if it is invalid, or too small for the engine.

    The engine takes an amount that rounds to nothing for no limit at all.
    """
    try:
        amount = parse_quantity(quantity)
    except ValueError as error:
        raise Terminal("InvalidSpec", f"resources.{field}: {error}", "correct the amount") from error
    require(
        amount >= parse_quantity(least),
        f"resources.{field} is {quantity}, and the engine enforces no amount below {least}",
        f"raise it to {least} or more; the suffix m means thousandths, and Mi mebibytes",
    )
    return amount

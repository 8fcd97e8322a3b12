"""Names and recognizes what belongs to a tenant on an engine. No I/O."""

from collections.abc import Mapping

from landlord.api import names
from landlord.api.compute import DockerCompute, Volume
from landlord.api.request import Desired
from landlord.errors import Terminal

ISOLATED_NETWORK = "landlord"
"""The network of all tenants that name none. On it, they can't reach each other."""
SUSPENDED = ".suspended"


def read_settings(desired: Desired) -> DockerCompute:
    """Read `compute.docker`, or its defaults."""
    return desired.docker or DockerCompute()


def name_container(tenant_id: str) -> str:
    """Name the tenant's only container."""
    return f"landlord-{tenant_id}"


def name_suspended_container(tenant_id: str) -> str:
    """Name the container of a suspended tenant. No tenantID contains a dot."""
    return name_container(tenant_id) + SUSPENDED


def name_volume(tenant_id: str, volume: Volume) -> str:
    """Name the engine's volume of a tenant's volume."""
    return f"landlord-{tenant_id}-{volume.name}"


def name_network(desired: Desired) -> str:
    """Name the network that the container joins."""
    return read_settings(desired).network or ISOLATED_NETWORK


def is_owned(labels: Mapping[str, str] | None, tenant_id: str | None = None) -> bool:
    """Whether a resource with these labels is landlord's, and this tenant's if one is given."""
    labels = labels or {}
    return labels.get(names.LABEL_MANAGED_BY) == names.MANAGED_BY and (
        tenant_id is None or labels.get(names.LABEL_TENANT) == tenant_id
    )


def explain_conflict(kind: str, name: str) -> Terminal:
    """Explain that somebody else's resource has the name that landlord needs."""
    return Terminal(
        "Conflict",
        f"a {kind} named {name} exists and does not belong to this tenant; landlord leaves it unchanged",
        f"remove or rename it (`docker {kind} inspect {name}`), or choose another name; on Docker, landlord "
        "adopts nothing, whatever spec.management.adoption says",
    )

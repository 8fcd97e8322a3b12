"""What of an engine is a tenant's, and what it is called. No I/O."""

from collections.abc import Mapping

from landlord.api import names
from landlord.api.compute import DockerCompute, Volume
from landlord.api.request import Desired
from landlord.errors import Terminal

ISOLATED_NETWORK = "landlord"
"""The network of all tenants that name none; on it they do not reach each other."""
SUSPENDED = ".suspended"


def read_settings(desired: Desired) -> DockerCompute:
    """The docker settings, defaults where there are none."""
    return desired.docker or DockerCompute()


def name_container(tenant_id: str) -> str:
    """The one container of the tenant."""
    return f"landlord-{tenant_id}"


def name_suspended_container(tenant_id: str) -> str:
    """What the container is called while the tenant is suspended. No tenantID has a dot in it."""
    return name_container(tenant_id) + SUSPENDED


def name_volume(tenant_id: str, volume: Volume) -> str:
    """The engine's volume behind a tenant's."""
    return f"landlord-{tenant_id}-{volume.name}"


def name_network(desired: Desired) -> str:
    """The network that the container joins."""
    return read_settings(desired).network or ISOLATED_NETWORK


def is_owned(labels: Mapping[str, str] | None, tenant_id: str | None = None) -> bool:
    """Whether a resource with these labels is landlord's, and of this tenant if one is given."""
    labels = labels or {}
    return labels.get(names.LABEL_MANAGED_BY) == names.MANAGED_BY and (
        tenant_id is None or labels.get(names.LABEL_TENANT) == tenant_id
    )


def explain_conflict(kind: str, name: str) -> Terminal:
    """The failure of finding somebody else's resource under our name."""
    return Terminal(
        "Conflict",
        f"a {kind} named {name} exists and is not this tenant's; it is left as it is\n"
        f"To do: remove or rename it (`docker {kind} inspect {name}`), or choose another name; on Docker "
        f"nothing is taken over, whatever spec.management.adoption says.",
    )

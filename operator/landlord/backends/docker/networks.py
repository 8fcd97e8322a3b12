"""The networks that tenants join. They belong to no tenant: the first creates one, the last removes it."""

import threading
from typing import Any

from docker import APIClient
from docker.errors import APIError, NotFound

from landlord.api import names
from landlord.api.outcome import ResourceRef
from landlord.api.request import Desired
from landlord.backends.docker import ownership
from landlord.backends.docker.engine import read_reason
from landlord.backends.docker.observed.container import read_networks
from landlord.errors import Retryable

LABELS = {names.LABEL_MANAGED_BY: names.MANAGED_BY}
LABEL_FILTER = {"label": [f"{key}={value}" for key, value in LABELS.items()]}
NO_TALK = {"com.docker.network.bridge.enable_icc": "false"}

_changing = threading.Lock()
"""Held to create or remove networks, because the engine lets two networks have the same name."""


def ensure(api: APIClient, desired: Desired) -> tuple[ResourceRef, ...]:
    """Create the tenant's network if it is missing. Raises Terminal if somebody else uses its name."""
    name = ownership.name_network(desired)
    with _changing:
        found = find_own(api, name)
        if not found:
            _create(api, name)
            found = find_own(api, name)
        for surplus in found[1:]:  # another process created one at the same time
            _remove(api, surplus["Id"])
    return (ResourceRef(kind="network", name=name),)


def find_own(api: APIClient, name: str) -> list[dict[str, Any]]:
    """Find the networks of this name, the one to keep first. Raises Terminal if one is somebody else's."""
    found = [network for network in api.networks(names=[name]) if network["Name"] == name]
    if not all(ownership.is_owned(network["Labels"]) for network in found):
        raise ownership.explain_conflict("network", name)
    return sorted(found, key=lambda network: (network["Created"], network["Id"]))


def join(api: APIClient, desired: Desired, container_id: str) -> None:
    """Connect the container to its network, in place of an earlier one of the same name."""
    ensure(api, desired)
    api.connect_container_to_network(container_id, ownership.name_network(desired))


def remove_unused(api: APIClient) -> None:
    """Remove landlord's networks on which there is no container of a tenant, running or not."""
    with _changing:
        networks = api.networks(filters=LABEL_FILTER)
        containers = api.containers(all=True, filters=LABEL_FILTER)
        joined = {name for found in containers for name in read_networks(found) or ()}
        for network in networks:
            if network["Name"] not in joined:
                _remove(api, network["Id"])


def _create(api: APIClient, name: str) -> None:
    options = NO_TALK if name == ownership.ISOLATED_NETWORK else None
    try:
        api.create_network(name, driver="bridge", options=options, labels=LABELS, check_duplicate=True)
    except APIError as error:
        if "already exists" in read_reason(error):
            return
        if "address pool" in read_reason(error):
            raise Retryable(
                "NetworkPoolExhausted",
                f"the engine has no addresses left for the network {name}: {read_reason(error)}",
                "remove unused networks (`docker network prune`), or let Tenants share a network",
            ) from error
        raise


def _remove(api: APIClient, network_id: str) -> None:
    try:
        api.remove_network(network_id)
    except NotFound:
        return
    except APIError as error:
        # A container that is not landlord's joined the network, or a tenant's did just now.
        if "active endpoints" not in read_reason(error):
            raise

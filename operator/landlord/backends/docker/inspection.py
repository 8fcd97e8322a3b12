"""Looks at all that one tenant has on the engine, field by field."""

from docker import APIClient

from landlord.api.request import Desired
from landlord.backends.docker import containers, networks, ownership, volumes
from landlord.backends.docker.desired.container import changeable
from landlord.backends.docker.observed import drift
from landlord.backends.docker.observed.container import Inspected


def inspect(api: APIClient, desired: Desired) -> list[str]:
    """A line for each object and field that is not as it is to be. Raises Terminal for somebody else's."""
    tenant_id, network = desired.tenant_id, ownership.network_name(desired)
    there = {volume.name for volume in volumes.kept(api, tenant_id)}
    wanted = (ownership.volume_name(tenant_id, volume) for volume in ownership.docker(desired).volumes)
    lines = [f"volume {name} is missing" for name in wanted if name not in there]
    if not networks.ours(api, network):
        lines.append(f"network {network} is missing")
    found, container = containers.find(api, tenant_id), f"container {ownership.container_name(tenant_id)}"
    if found is None:
        return [*lines, f"{container} is missing"]
    differences = [
        *_state(found, desired),
        *containers.outdated(api, found, desired),
        *drift.of_changeable(found["HostConfig"], changeable(desired)),
        drift.of_network(found, network),
    ]
    return [*lines, *(f"{container}: {each}" for each in differences if each)]


def _state(found: Inspected, desired: Desired) -> list[str]:
    if found["Name"] == f"/{ownership.suspended_name(desired.tenant_id)}":
        return ["it is suspended"]
    state, policy = found["State"], ownership.docker(desired).restart_policy
    if state["Status"] == "created":
        return ["it was never started"]
    return [drift.of_state(state["Status"], policy, succeeded=state["ExitCode"] == 0)]

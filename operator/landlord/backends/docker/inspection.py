"""Inspects all that one tenant has on the engine, field by field."""

from contextlib import suppress

from docker import APIClient
from docker.errors import ImageNotFound

from landlord.api.request import Desired
from landlord.backends.docker import containers, networks, ownership, volumes
from landlord.backends.docker.desired.container import build_changeable
from landlord.backends.docker.observed import drift
from landlord.backends.docker.observed.container import (
    InspectedContainer,
    read_environment,
    read_given_secrets,
)
from landlord.backends.drift import describe_missing
from landlord.backends.secrets import SecretValues, find_references


def inspect(api: APIClient, desired: Desired, secrets: SecretValues | None) -> list[str]:
    """Return a line for each object and field that differs. Raises Terminal for somebody else's objects."""
    tenant_id, network = desired.tenant_id, ownership.name_network(desired)
    existing = {volume.name for volume in volumes.find_volumes(api, tenant_id)}
    wanted = (ownership.name_volume(tenant_id, volume) for volume in ownership.read_settings(desired).volumes)
    lines = [describe_missing(f"volume {name}") for name in wanted if name not in existing]
    if not networks.find_own(api, network):
        lines.append(describe_missing(f"network {network}"))
    found, container = containers.find(api, tenant_id), f"container {ownership.name_container(tenant_id)}"
    if found is None:
        return [*lines, describe_missing(container)]
    differences = [
        *_compare_state(found, desired),
        *containers.find_reasons_to_replace(api, found, desired),
        *drift.compare_changeable(found["HostConfig"], build_changeable(desired)),
        drift.compare_network(found, network),
        *(_compare_secrets(api, found, desired, secrets) if secrets else ()),
    ]
    return [*lines, *(f"{container}: {each}" for each in differences if each)]


def _compare_secrets(
    api: APIClient, found: InspectedContainer, desired: Desired, secrets: SecretValues
) -> list[str]:
    """Find the variables with another value than their Secrets have now; the image may have a default."""
    given, defaults = read_given_secrets(found, desired).by_variable, {}
    with suppress(ImageNotFound):
        image = api.inspect_image(found["Image"])  # type: ignore[no-untyped-call]
        defaults = read_environment(image)
    return [
        f"Config.Env {each[1]} differs from its Secret"
        for each in find_references(desired.workload)
        if given.get(each) != secrets.by_variable.get(each, defaults.get(each[1]))
    ]


def _compare_state(found: InspectedContainer, desired: Desired) -> list[str]:
    if found["Name"] == f"/{ownership.name_suspended_container(desired.tenant_id)}":
        return ["it is suspended"]
    state, policy = found["State"], ownership.read_settings(desired).restart_policy
    if state["Status"] == "created":
        return ["it was never started"]
    return [drift.compare_state(state["Status"], policy, succeeded=state["ExitCode"] == 0)]

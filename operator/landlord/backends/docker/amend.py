"""Changes an existing container, which thereby keeps what it has written outside its volumes."""

from collections.abc import Mapping
from typing import Any

from docker import APIClient
from docker.errors import APIError

from landlord.api.request import Desired
from landlord.backends.docker import networks, ownership
from landlord.backends.docker.desired.container import build_changeable
from landlord.backends.docker.observed import drift


def correct(api: APIClient, found: Mapping[str, Any], desired: Desired) -> None:
    """Correct the container's name, limits, restart policy and network."""
    if found["Name"] == f"/{ownership.name_suspended_container(desired.tenant_id)}":
        api.rename(found["Id"], ownership.name_container(desired.tenant_id))
    wanted = build_changeable(desired)
    if drift.compare_changeable(found["HostConfig"], wanted):
        update(api, found["Id"], wanted)
    if drift.compare_network(found, ownership.name_network(desired)):
        networks.join(api, desired, found["Id"])


def update(api: APIClient, container_id: str, changes: Mapping[str, Any]) -> None:
    """Change fields of a container's HostConfig. The SDK's own method does not support all of them."""
    answer = api.post(
        f"{api.base_url}/v{api.api_version}/containers/{container_id}/update",
        json=changes,
        timeout=api.timeout,
    )
    if not answer.ok:
        raise APIError(answer.reason, response=answer, explanation=answer.text)

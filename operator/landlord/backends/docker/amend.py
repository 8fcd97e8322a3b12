"""What is changed on a container that stays the same one, with what it has written outside of its volumes."""

from collections.abc import Mapping
from typing import Any

from docker import APIClient
from docker.errors import APIError

from landlord.api.request import Desired
from landlord.backends.docker import networks, ownership
from landlord.backends.docker.desired.container import changeable
from landlord.backends.docker.observed import drift


def put_right(api: APIClient, found: Mapping[str, Any], desired: Desired) -> None:
    """Have the container called, limited, restarted and connected as desired."""
    if found["Name"] == f"/{ownership.suspended_name(desired.tenant_id)}":
        api.rename(found["Id"], ownership.container_name(desired.tenant_id))
    wanted = changeable(desired)
    if drift.of_changeable(found["HostConfig"], wanted):
        update(api, found["Id"], wanted)
    if drift.of_network(found, ownership.network_name(desired)):
        networks.join(api, desired, found["Id"])


def update(api: APIClient, container_id: str, changes: Mapping[str, Any]) -> None:
    """Change fields of a container's HostConfig. The SDK's own method does not know all of them."""
    answer = api.post(
        f"{api.base_url}/v{api.api_version}/containers/{container_id}/update",
        json=changes,
        timeout=api.timeout,
    )
    if not answer.ok:
        raise APIError(answer.reason, response=answer, explanation=answer.text)

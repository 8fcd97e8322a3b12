"""The named volumes of a tenant. They outlive every container, and are removed only with the tenant."""

from docker import APIClient
from docker.errors import APIError, NotFound

from landlord.api import names
from landlord.api.outcome import ResourceRef
from landlord.api.request import Desired
from landlord.backends.docker import ownership
from landlord.backends.docker.engine import read_reason
from landlord.errors import Retryable


def ensure(api: APIClient, desired: Desired) -> tuple[ResourceRef, ...]:
    """Create the missing volumes. Raises Terminal if somebody else uses one of the names."""
    tenant_id = desired.tenant_id
    made = []
    for volume in ownership.read_settings(desired).volumes:
        name = ownership.name_volume(tenant_id, volume)
        # Creating a volume is idempotent by name, and returns the labels of an existing one.
        found = api.create_volume(name, labels=names.labels(tenant_id))
        if not ownership.is_owned(found.get("Labels"), tenant_id):
            raise ownership.explain_conflict("volume", name)
        made.append(ResourceRef(kind="volume", name=name))
    return tuple(made)


def find_volumes(api: APIClient, tenant_id: str) -> tuple[ResourceRef, ...]:
    """Find all volumes of the tenant, including those that the manifest no longer has."""
    labels = [f"{key}={value}" for key, value in names.labels(tenant_id).items()]
    found = api.volumes(filters={"label": labels})["Volumes"] or ()
    return tuple(ResourceRef(kind="volume", name=name) for name in sorted(each["Name"] for each in found))


def remove(api: APIClient, tenant_id: str) -> None:
    """Remove all volumes of the tenant."""
    for volume in find_volumes(api, tenant_id):
        try:
            api.remove_volume(volume.name)
        except NotFound:
            continue
        except APIError as error:
            if error.status_code != 409:
                raise
            raise Retryable(
                "VolumeInUse",
                f"the volume {volume.name} is in use: {read_reason(error)}",
                "remove the container that uses it",
            ) from error

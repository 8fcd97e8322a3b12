"""What the Docker engine has of a tenant."""

import docker

from landlord.api.names import LABEL_TENANT


def containers_of(engine: docker.DockerClient, tenant_id: str) -> list[str]:
    """Ids of the tenant's containers, running or not."""
    found = engine.containers.list(all=True, filters={"label": f"{LABEL_TENANT}={tenant_id}"})
    return sorted(str(container.id) for container in found)


def volumes_of(engine: docker.DockerClient, tenant_id: str) -> list[str]:
    """Names of the tenant's volumes."""
    return sorted(
        str(volume.name) for volume in engine.volumes.list(filters={"label": f"{LABEL_TENANT}={tenant_id}"})
    )

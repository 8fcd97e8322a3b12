"""This machine's Docker engine, and the image that the demo and the tests run on it."""

import io
import tarfile
from collections.abc import Iterable

import docker
from docker.errors import DockerException, ImageNotFound, NotFound

from dev.failure import LocalFailure
from dev.paths import short_hash
from dev.tools import program
from landlord.api.names import LABEL_MANAGED_BY, LABEL_TENANT, MANAGED_BY
from landlord.backends.docker.endpoint import (
    connect,
    explain_unavailable,
    find_endpoint,
    find_innermost_reason,
)
from landlord.errors import StepError

WEB_IMAGE = "landlord/web:local"
_SECONDS = 60
_KEY_LABEL = "landlord.dev/content-key"
_DOCKERFILE = b"""FROM scratch
COPY web /web
COPY --chown=65532 data /data
USER 65532
ENTRYPOINT ["/web"]
"""
"""A user that is not root, which a restricted namespace on Kubernetes requires. It owns /data."""


def find_engine() -> docker.DockerClient | None:
    """A client of the engine that the docker command would use; None if the engine does not answer."""
    try:
        return connect_engine()
    except LocalFailure:
        return None


def connect_engine() -> docker.DockerClient:
    """A client of the engine that the docker command would use. Raises LocalFailure if it does not answer."""
    try:
        client = connect(_SECONDS, connections=10)
        try:
            client.ping()
        except BaseException:
            client.close()
            raise
        return client
    except StepError as error:
        raise LocalFailure(error.message, fix=error.fix) from error
    except (DockerException, OSError) as error:
        away = explain_unavailable(find_innermost_reason(error))
        raise LocalFailure(away.message, fix=away.fix) from error


def is_engine_chosen() -> bool:
    """Whether the user chose an engine, by DOCKER_HOST or a context, rather than none at all."""
    try:
        return bool(find_endpoint().chosen_by)
    except StepError:
        return True


def ensure_web_image(client: docker.DockerClient) -> str:
    """Build the image of the small web server if it is missing or outdated. Returns its name."""
    binary = program("web")
    key = short_hash(binary.parent.name, _DOCKERFILE)
    if not _is_current(client, key):
        context = _context({"Dockerfile": _DOCKERFILE, "web": binary.read_bytes(), "data/.keep": b""})
        client.images.build(
            fileobj=context,
            custom_context=True,
            tag=WEB_IMAGE,
            labels={_KEY_LABEL: key},
            rm=True,
            forcerm=True,
        )
    return WEB_IMAGE


def remove_tenants(client: docker.DockerClient, tenant_ids: Iterable[str]) -> list[str]:
    """Remove the containers and volumes of these tenants. Returns the names of the containers."""
    removed: list[str] = []
    ours = f"{LABEL_MANAGED_BY}={MANAGED_BY}"
    for tenant_id in tenant_ids:
        labels: dict[str, str | list[str] | bool] = {"label": [ours, f"{LABEL_TENANT}={tenant_id}"]}
        for container in client.containers.list(all=True, filters=labels):
            removed.append(str(container.name))
            try:
                container.remove(force=True)
            except NotFound:
                continue  # another process removed it
        for volume in client.volumes.list(filters=labels):
            volume.remove(force=True)
    return removed


def remove_unused_networks(client: docker.DockerClient) -> None:
    """Remove landlord's networks that have no container."""
    client.networks.prune(filters={"label": f"{LABEL_MANAGED_BY}={MANAGED_BY}"})


def _is_current(client: docker.DockerClient, key: str) -> bool:
    try:
        return client.images.get(WEB_IMAGE).labels.get(_KEY_LABEL) == key
    except ImageNotFound:
        return False


def _context(files: dict[str, bytes]) -> io.BytesIO:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            entry.mode = 0o755
            archive.addfile(entry, io.BytesIO(content))
    buffer.seek(0)
    return buffer

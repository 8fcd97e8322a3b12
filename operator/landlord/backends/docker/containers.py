"""The tenant's one container: made, replaced when its spec changed, started, suspended, removed.

Each run looks first and does what is missing, so that it may be killed between any two calls.
"""

import logging
from collections.abc import Iterable
from contextlib import suppress

from docker import APIClient
from docker.errors import APIError, ImageNotFound, NotFound

from landlord.api import names
from landlord.api.compute import DockerCompute
from landlord.api.outcome import ResourceRef
from landlord.api.request import Desired
from landlord.backends.docker import amend, networks, ownership
from landlord.backends.docker.desired import ports
from landlord.backends.docker.desired.container import NO_SECRETS, build_container_config
from landlord.backends.docker.engine import read_reason
from landlord.backends.docker.images import find_image_id
from landlord.backends.docker.observed import drift
from landlord.backends.docker.observed.container import Inspected, read_given_secrets
from landlord.backends.docker.observed.engine_errors import NETWORK_GONE, PORT_IN_USE, explain_start_failure
from landlord.backends.redaction import redact
from landlord.backends.secrets import SecretValues
from landlord.errors import Retryable, Terminal

log = logging.getLogger(__name__)

STOP_GRACE = 5
"""Seconds between SIGTERM and SIGKILL."""
START_TRIES = 8
ALIVE = ("running", "restarting")
NEVER = "0001-01-01T00:00:00Z"
"""How the engine writes that something has not happened yet."""


class ImageGone(Exception):
    """The image was removed after its step: it has to be had again."""


def find(api: APIClient, tenant_id: str) -> Inspected | None:
    """The tenant's container as the engine describes it, be it suspended or not.

    Raises Terminal if the name is somebody else's.
    """
    for name in (ownership.name_container(tenant_id), ownership.name_suspended_container(tenant_id)):
        try:
            found: Inspected = api.inspect_container(name)
        except NotFound:
            continue
        if not ownership.is_owned(found["Config"]["Labels"], tenant_id):
            raise ownership.explain_conflict("container", name)
        return found
    return None


def ensure(api: APIClient, desired: Desired, secrets: SecretValues = NO_SECRETS) -> None:
    """Have the container as desired and started. Raises ImageGone if there is no image to make it from."""
    taken: set[int] = set()
    for _ in range(START_TRIES):
        found = find(api, desired.tenant_id)
        earlier: dict[str, int] = {}
        if found and (
            taken or find_reasons_to_replace(api, found, desired) or has_other_secrets(found, secrets)
        ):
            earlier = ports.read_host_ports(found["HostConfig"]["PortBindings"])
            _remove(api, found["Id"])
            found = None
        if found is None:
            reserved = _find_reserved_ports(api, desired.tenant_id)
            _create(api, desired, ports.allot(desired, earlier, taken | reserved), secrets)
        else:
            amend.correct(api, found, desired)
            if found["State"]["Paused"]:
                api.unpause(found["Id"])
                return
            if found["State"]["Status"] in ALIVE:
                return
        in_use = _start(api, desired)
        if in_use is None:
            return
        if found and found["State"]["StartedAt"] != NEVER:
            raise _explain_taken_port(found, in_use)
        taken.add(in_use)
    raise Retryable(
        "PortInUse", f"no free host port was found in {START_TRIES} tries: {sorted(taken)} are in use"
    )


def inspect_all(api: APIClient, container_ids: Iterable[str]) -> dict[str, Inspected]:
    """What the engine says of each container that is there."""
    found: dict[str, Inspected] = {}
    for container_id in container_ids:
        with suppress(NotFound):
            found[container_id] = api.inspect_container(container_id)
    return found


def find_reasons_to_replace(api: APIClient, found: Inspected, desired: Desired) -> list[str]:
    """Why the container has to be replaced by another one, if it has to."""
    container = desired.workload.containers[0]
    reasons = drift.compare_fixed(found, desired)
    if found["Config"]["Labels"].get(names.LABEL_SPEC_HASH) != desired.hash():
        reasons.append("it was made for another spec")
    if found["State"]["Status"] == "dead":
        reasons.append("it is dead")
    if container.image_pull_policy == "Always" and find_image_id(api, container.image) != found["Image"]:
        reasons.append("its image has changed since")
    return reasons


def suspend(api: APIClient, tenant_id: str) -> tuple[ResourceRef, ...]:
    """Stop the container and keep it. Its name tells from then on that it is meant to stand still.

    It is called so last: until then nobody takes the tenant for suspended.
    """
    found = find(api, tenant_id)
    if found is None:
        return ()
    # One that is always restarted would be so with the engine, too.
    amend.update(api, found["Id"], {"RestartPolicy": {"Name": "no"}})
    api.stop(found["Id"], timeout=STOP_GRACE)
    name = ownership.name_suspended_container(tenant_id)
    if found["Name"] != f"/{name}":
        api.rename(found["Id"], name)
    return (
        ResourceRef(kind="network", name=found["HostConfig"]["NetworkMode"]),
        ResourceRef(kind="container", name=name),
    )


def remove_all(api: APIClient, tenant_id: str) -> None:
    """Stop and remove what carries the tenant's labels, with volumes that have no name."""
    labels = [f"{key}={value}" for key, value in names.labels(tenant_id).items()]
    for container in api.containers(all=True, filters={"label": labels}):
        _remove(api, container["Id"])


def read_last_words(api: APIClient, found: Inspected, desired: Desired) -> str:
    """The last line of the container's log that says something, without what it was given in secret."""
    logged = api.logs(found["Id"], tail=20).decode(errors="replace")
    lines = redact(logged, read_given_secrets(found, desired)).splitlines()
    return next((line.strip()[:300] for line in reversed(lines) if line.strip()), "")


def _find_reserved_ports(api: APIClient, tenant_id: str) -> set[int]:
    """Host ports of other tenants' containers: those of a suspended one would seem to be free."""
    others = (
        labels
        for container in api.containers(all=True, filters=networks.LABEL_FILTER)
        if (labels := container["Labels"]).get(names.LABEL_TENANT) != tenant_id
    )
    return {
        int(port) for labels in others for port in labels.get(names.LABEL_HOST_PORTS, "").split(",") if port
    }


def has_other_secrets(found: Inspected, secrets: SecretValues) -> bool:
    """Whether it was made from other versions, be it of the same values: its label can't be changed."""
    recorded: str | None = found["Config"]["Labels"].get(names.ANNOTATION_SECRETS)
    return recorded != secrets.recorded


def _create(api: APIClient, desired: Desired, host_ports: ports.HostPorts, secrets: SecretValues) -> None:
    name = ownership.name_container(desired.tenant_id)
    try:
        config = build_container_config(desired, host_ports, secrets)
        made = api.create_container_from_config(config, name)  # type: ignore[no-untyped-call]
    except ImageNotFound:
        raise ImageGone from None
    except APIError as error:
        if error.status_code == 400:
            raise Terminal(
                "InvalidSpec", f"the engine refuses the container: {read_reason(error)}"
            ) from error
        raise
    for warning in made["Warnings"] or ():
        log.warning("the engine says of the container %s: %s", name, redact(warning, secrets))


def _start(api: APIClient, desired: Desired) -> int | None:
    """Start the container. Returns a host port of our choice that turned out to be in use."""
    name = ownership.name_container(desired.tenant_id)
    for is_last in (False, True):
        try:
            api.start(name)
        except APIError as error:
            said = read_reason(error)
            if NETWORK_GONE.search(said) and not is_last:
                # Removed with the last other tenant on it, or made twice, after this tenant's network step,
                # or pruned while the container stood still.
                networks.join(api, desired, name)
                continue
            if in_use := PORT_IN_USE.search(said):
                return _check_not_requested(desired, int(in_use["port"]))
            raise explain_start_failure(said, refused=error.status_code == 400) from error
        break
    return None


def _check_not_requested(desired: Desired, port: int) -> int:
    """The port, if it was not the manifest that asked for it."""
    compute = desired.docker or DockerCompute()
    if port in (item.host_port for item in compute.publish):
        raise Retryable(
            "PortInUse",
            f"the host port {port} of {compute.bind_address} is in use\n"
            "To do: free it or set another compute.docker.publish[].hostPort (0 takes a free one); "
            "it is tried again.",
        )
    return port


def _explain_taken_port(found: Inspected, port: int) -> Retryable:
    """The failure of a container that has run: another in its place would lose what it has written."""
    name = found["Name"].removeprefix("/").removesuffix(ownership.SUSPENDED)
    return Retryable(
        "PortInUse",
        f"the host port {port} of the container {name} was taken while it stood still\n"
        f"To do: free the port; or have another container made on another one (`docker rm -v {name}`), which "
        "loses what this one has written outside of the tenant's volumes; it is tried again.",
    )


def _remove(api: APIClient, container_id: str) -> None:
    try:
        api.stop(container_id, timeout=STOP_GRACE)
        api.remove_container(container_id, v=True, force=True)
    except NotFound:
        return

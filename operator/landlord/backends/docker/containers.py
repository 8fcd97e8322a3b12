"""Creates, replaces, starts, suspends and removes the tenant's only container.

Each function first finds out what exists and then does what is missing, so it may be killed between any two
calls.
"""

import logging
from collections.abc import Iterable

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
from landlord.backends.docker.observed.container import (
    InspectedContainer,
    read_given_secrets,
    read_labels,
    read_secret_record,
)
from landlord.backends.docker.observed.engine_errors import NETWORK_GONE, PORT_IN_USE, explain_start_failure
from landlord.backends.failures import find_last_line
from landlord.backends.redaction import redact
from landlord.backends.secrets import SecretValues
from landlord.errors import Retryable, Terminal

log = logging.getLogger(__name__)

STOP_GRACE = 5
"""Seconds between SIGTERM and SIGKILL."""
START_TRIES = 8
ALIVE = ("running", "restarting")
NEVER = "0001-01-01T00:00:00Z"
"""The engine's time for something that has not happened yet."""


class ImageGone(Exception):
    """The image was removed after its step, which must run again."""


def find(api: APIClient, tenant_id: str) -> InspectedContainer | None:
    """Find the tenant's container, suspended or not. Raises Terminal if somebody else uses its name."""
    for name in (ownership.name_container(tenant_id), ownership.name_suspended_container(tenant_id)):
        try:
            found: InspectedContainer = api.inspect_container(name)
        except NotFound:
            continue
        if not ownership.is_owned(found["Config"]["Labels"], tenant_id):
            raise ownership.explain_conflict("container", name)
        return found
    return None


def ensure(api: APIClient, desired: Desired, secrets: SecretValues = NO_SECRETS) -> None:
    """Create or correct the container, and start it. Raises ImageGone if its image no longer exists."""
    used: set[int] = set()
    for _ in range(START_TRIES):
        found = find(api, desired.tenant_id)
        earlier: dict[str, int] = {}
        if found and (
            used or find_reasons_to_replace(api, found, desired) or has_other_secrets(found, secrets)
        ):
            earlier = ports.read_host_ports(found["HostConfig"]["PortBindings"])
            _remove(api, found["Id"])
            found = None
        if found is None:
            reserved = _find_reserved_ports(api, desired.tenant_id)
            _create(api, desired, ports.allot(desired, earlier, used | reserved), secrets)
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
        used.add(in_use)
    raise Retryable(
        "PortInUse",
        f"landlord found no free host port in {START_TRIES} tries: {sorted(used)} are in use",
        "free one of these ports, or set compute.docker.publish[].hostPort",
    )


def inspect_all(
    api: APIClient, container_ids: Iterable[str]
) -> tuple[dict[str, InspectedContainer], dict[str, str]]:
    """Inspect each of these containers that still exists; also say what the engine can't describe.

    Raises APIError if it can describe none of them, which is no matter of one container.
    """
    found: dict[str, InspectedContainer] = {}
    failed: dict[str, str] = {}
    for container_id in container_ids:
        try:
            found[container_id] = api.inspect_container(container_id)
        except NotFound:
            continue
        except APIError as error:
            failed[container_id] = f"the engine can't describe the container: {read_reason(error)}"
            last = error
    if failed and not found:
        raise last
    return found, failed


def find_reasons_to_replace(api: APIClient, found: InspectedContainer, desired: Desired) -> list[str]:
    """Find the reasons to replace the container by another one, if there are any."""
    container = desired.workload.containers[0]
    reasons = drift.compare_fixed(found, desired)
    if found["Config"]["Labels"].get(names.LABEL_SPEC_HASH) != desired.hash():
        reasons.append("it was created for another spec")
    if found["State"]["Status"] == "dead":
        reasons.append("it is dead")
    if container.image_pull_policy == "Always" and find_image_id(api, container.image) != found["Image"]:
        reasons.append("its image has changed")
    return reasons


def suspend(api: APIClient, tenant_id: str) -> tuple[ResourceRef, ...]:
    """Stop the container and keep it under a name that marks it as suspended.

    The rename comes last, so a survey does not take the tenant for suspended before it is.
    """
    found = find(api, tenant_id)
    if found is None:
        return ()
    # Otherwise a container with the policy `always` would start again together with the engine.
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
    """Stop and remove all containers with the tenant's labels, and their anonymous volumes."""
    labels = [f"{key}={value}" for key, value in names.labels(tenant_id).items()]
    for container in api.containers(all=True, filters={"label": labels}):
        _remove(api, container["Id"])


def read_last_words(api: APIClient, found: InspectedContainer, desired: Desired) -> str:
    """Read the last line of the container's log that is not blank, without the values of Secrets."""
    try:
        logged = api.logs(found["Id"], tail=20).decode(errors="replace")
    except APIError as error:  # the log driver `none`, for example, keeps nothing
        return f"(its log can't be read: {read_reason(error)})"
    return find_last_line(redact(logged, read_given_secrets(found, desired)))


def _find_reserved_ports(api: APIClient, tenant_id: str) -> set[int]:
    """Find the host ports of other tenants' containers: those of a suspended one look free."""
    others = map(read_labels, api.containers(all=True, filters=networks.LABEL_FILTER))
    return {
        int(port)
        for labels in others
        if labels.get(names.LABEL_TENANT) != tenant_id
        for port in labels.get(names.LABEL_HOST_PORTS, "").split(",")
        if port.isdecimal()
    }


def has_other_secrets(found: InspectedContainer, secrets: SecretValues) -> bool:
    """Whether it was made from other versions of Secrets, even with the same values: a label can't change."""
    return read_secret_record(found) != secrets.recorded


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
                "InvalidSpec",
                f"the engine rejects the container: {read_reason(error)}",
                "correct spec.workload",
            ) from error
        raise
    for warning in made["Warnings"] or ():
        log.warning("the engine warns about the container %s: %s", name, redact(warning, secrets))


def _start(api: APIClient, desired: Desired) -> int | None:
    """Start the container. Returns the host port if one that landlord chose is already in use."""
    name = ownership.name_container(desired.tenant_id)
    for is_last in (False, True):
        try:
            api.start(name)
        except APIError as error:
            answer = read_reason(error)
            if NETWORK_GONE.search(answer) and not is_last:
                # After this tenant's network step, the network was removed with the last other tenant on it,
                # or created twice; or it was pruned while the container was stopped.
                networks.join(api, desired, name)
                continue
            if in_use := PORT_IN_USE.search(answer):
                return _check_not_requested(desired, int(in_use["port"]))
            raise explain_start_failure(answer) from error
        break
    return None


def _check_not_requested(desired: Desired, port: int) -> int:
    """Return the port. Raises Retryable if the manifest asks for this very port."""
    compute = desired.docker or DockerCompute()
    if port in (item.host_port for item in compute.publish):
        raise Retryable(
            "PortInUse",
            f"the host port {port} of {compute.bind_address} is in use",
            "free the port, or set another compute.docker.publish[].hostPort (0 takes a free one)",
        )
    return port


def _explain_taken_port(found: InspectedContainer, port: int) -> Retryable:
    """Explain why landlord does not replace a container that has run: what it has written would be lost."""
    name = found["Name"].removeprefix("/").removesuffix(ownership.SUSPENDED)
    return Retryable(
        "PortInUse",
        f"another program took the host port {port} of the container {name} while the container was stopped",
        f"free the port; or let landlord create another container on another port (`docker rm -v {name}`), "
        "which loses what this one has written outside the tenant's volumes",
    )


def _remove(api: APIClient, container_id: str) -> None:
    try:
        api.stop(container_id, timeout=STOP_GRACE)
        api.remove_container(container_id, v=True, force=True)
    except NotFound:
        return

"""Observes all tenants in the engine's lists of volumes and containers. No I/O.

The texts do not change as long as nothing happens, because the operator compares them between surveys.
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from landlord.api import names
from landlord.api.workload import Probe
from landlord.backends.contract import Observation
from landlord.backends.docker import ownership
from landlord.backends.docker.observed import drift
from landlord.backends.docker.observed.container import (
    UNREADABLE,
    InspectedContainer,
    explain_unreadable,
    read_labels,
    read_probe,
)

ListedObject = Mapping[str, Any]

_EXIT_CODE = re.compile(r"\((\d+)\)")


def build_observations(
    volumes: Iterable[ListedObject],
    containers: Iterable[ListedObject],
    inspected: Mapping[str, InspectedContainer],
    problems: Mapping[str, str],
    unreadable: Mapping[str, str],
) -> dict[str, Observation]:
    """Build the observation of each tenant that has a container or volumes, by tenantID.

    `inspected`, `problems`, why a probe failed, and `unreadable`, why the engine did not describe it, are by
    the container's ID. What can't be read of one container concerns only its own tenant.
    """
    archived = Observation(True, None, "no container exists, and the volumes are kept", "Archived")
    observations = dict.fromkeys(filter(None, map(_read_tenant, volumes)), archived)
    suspended: dict[str, Observation] = {}
    active: dict[str, Observation] = {}
    for container in containers:
        tenant_id = _read_tenant(container)
        if not tenant_id:
            continue
        try:
            if f"/{ownership.name_suspended_container(tenant_id)}" in container["Names"]:
                suspended[tenant_id] = _observe_suspended(container)
            elif f"/{ownership.name_container(tenant_id)}" in container["Names"]:
                if failed := unreadable.get(container["Id"]):
                    active[tenant_id] = Observation(False, _read_hash(container), failed)
                else:
                    active[tenant_id] = _observe_active(inspected, problems, container)
        except UNREADABLE as error:
            active[tenant_id] = Observation(False, _read_hash(container), explain_unreadable(error))
    return observations | suspended | active


def select_for_inspection(containers: Iterable[ListedObject]) -> list[str]:
    """Select the containers to inspect one by one, because the list does not show their limits."""
    return [
        container["Id"]
        for container in containers
        if container.get("Id")
        and names.LABEL_HOST_CONFIG in read_labels(container)
        and not any(name.endswith(ownership.SUSPENDED) for name in container.get("Names") or ())
    ]


def select_probed(
    inspected: Mapping[str, InspectedContainer],
) -> tuple[dict[str, tuple[Probe, InspectedContainer]], dict[str, str]]:
    """Select the running containers that have a probe, each with its probe; also say what is unreadable."""
    selected: dict[str, tuple[Probe, InspectedContainer]] = {}
    unreadable: dict[str, str] = {}
    for container_id, found in inspected.items():
        try:
            probe = read_probe(found)
            if probe and found["State"]["Status"] == "running":
                selected[container_id] = (probe, found)
        except UNREADABLE as error:
            unreadable[container_id] = explain_unreadable(error)
    return selected, unreadable


def read_secret_records(containers: Iterable[ListedObject]) -> dict[str, str]:
    """Read from which versions of which Secrets containers were made, by tenantID."""
    return {
        labels[names.LABEL_TENANT]: labels[names.ANNOTATION_SECRETS]
        for labels in map(read_labels, containers)
        if labels.keys() >= {names.LABEL_TENANT, names.ANNOTATION_SECRETS}
    }


def _read_tenant(listed: ListedObject) -> str | None:
    return read_labels(listed).get(names.LABEL_TENANT)


def _read_hash(listed: ListedObject) -> str | None:
    return read_labels(listed).get(names.LABEL_SPEC_HASH)


def _observe_active(
    inspected: Mapping[str, InspectedContainer], problems: Mapping[str, str], container: ListedObject
) -> Observation:
    state, labels = container["State"], container["Labels"]
    if not state:
        raise KeyError("State")
    code = _EXIT_CODE.search(container.get("Status") or "")
    wanted, found = _read_created(container), inspected.get(container["Id"])
    policy = wanted["RestartPolicy"]["Name"] if wanted else "no"
    network = (container.get("HostConfig") or {}).get("NetworkMode")  # podman's list does not show it
    stopped = drift.compare_state(state, policy, succeeded=bool(code and code[1] == "0")) or (
        drift.compare_network(container, network) if network else ""
    )
    changed = drift.compare_changeable(found["HostConfig"], wanted) if found and wanted else []
    done = "; ".join(filter(None, (stopped, *changed)))
    drifted = done and f"container {ownership.name_container(labels[names.LABEL_TENANT])}: {done}"
    how = f"the container is {state}" + (f" (exit code {code[1]})" if code else "")
    problem = problems.get(container["Id"])
    if problem:
        how = f"{how}, and its probe fails: {problem}"
    return Observation(
        healthy=state == "running" and not stopped and not problem,
        spec_hash=labels.get(names.LABEL_SPEC_HASH),
        reason=drifted or how,
        drift=drifted,
    )


def _read_created(container: ListedObject) -> ListedObject | None:
    """Read the result of `build_changeable` at the time when landlord created the container."""
    recorded = container["Labels"].get(names.LABEL_HOST_CONFIG)
    return json.loads(recorded) if recorded else None


def _observe_suspended(container: ListedObject) -> Observation:
    state, labels = container["State"], container["Labels"]
    at_rest = state not in ("running", "restarting", "paused")
    name = ownership.name_suspended_container(labels[names.LABEL_TENANT])
    return Observation(
        healthy=at_rest,
        spec_hash=labels.get(names.LABEL_SPEC_HASH),
        reason=f"the container is suspended and {state}",
        state="Suspended",
        drift="" if at_rest else f"container {name}: it was started",
    )

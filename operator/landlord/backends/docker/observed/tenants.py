"""Observes all tenants in the engine's lists of volumes and containers. No I/O.

The texts do not change as long as nothing happens, because the operator compares them between surveys.
"""

import json
import re
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from landlord.api import names
from landlord.api.workload import Probe
from landlord.backends.contract import Observation
from landlord.backends.docker import ownership
from landlord.backends.docker.observed import drift
from landlord.backends.docker.observed.container import InspectedContainer

ListedObject = Mapping[str, Any]

_EXIT_CODE = re.compile(r"\((\d+)\)")


def build_observations(
    volumes: Iterable[ListedObject],
    containers: Iterable[ListedObject],
    inspected: Mapping[str, InspectedContainer],
    problems: Mapping[str, str],
) -> dict[str, Observation]:
    """Build the observation of each tenant that has a container or volumes, by tenantID.

    `inspected` and `problems`, why a probe failed, are by the container's ID.
    """
    archived = Observation(True, None, "no container exists, and the volumes are kept", "Archived")
    observations = {
        volume["Labels"][names.LABEL_TENANT]: archived
        for volume in volumes
        if names.LABEL_TENANT in volume["Labels"]
    }
    tenants = [
        (tenant_id, container)
        for container in containers
        if (tenant_id := container["Labels"].get(names.LABEL_TENANT))
    ]
    active = partial(_observe_active, inspected, problems)
    for name_of, observe in (
        (ownership.name_suspended_container, _observe_suspended),
        (ownership.name_container, active),
    ):
        observations |= {
            tenant_id: observe(container)
            for tenant_id, container in tenants
            if f"/{name_of(tenant_id)}" in container["Names"]
        }
    return observations


def select_for_inspection(containers: Iterable[ListedObject]) -> list[str]:
    """Select the containers to inspect one by one, because the list does not show their limits."""
    return [
        container["Id"]
        for container in containers
        if _read_created(container)
        and not any(name.endswith(ownership.SUSPENDED) for name in container["Names"])
    ]


def select_probed(inspected: Mapping[str, InspectedContainer]) -> dict[str, tuple[Probe, InspectedContainer]]:
    """Select the running containers that have a probe, each with its probe."""
    return {
        container_id: (Probe.model_validate_json(found["Config"]["Labels"][names.LABEL_PROBE]), found)
        for container_id, found in inspected.items()
        if found["State"]["Status"] == "running" and names.LABEL_PROBE in found["Config"]["Labels"]
    }


def read_secret_records(containers: Iterable[ListedObject]) -> dict[str, str]:
    """Read from which versions of which Secrets containers were made, by tenantID."""
    return {
        labels[names.LABEL_TENANT]: labels[names.ANNOTATION_SECRETS]
        for labels in (container["Labels"] for container in containers)
        if labels.keys() >= {names.LABEL_TENANT, names.ANNOTATION_SECRETS}
    }


def _observe_active(
    inspected: Mapping[str, InspectedContainer], problems: Mapping[str, str], container: ListedObject
) -> Observation:
    state, labels = container["State"], container["Labels"]
    code = _EXIT_CODE.search(container["Status"])
    wanted, found = _read_created(container), inspected.get(container["Id"])
    policy = wanted["RestartPolicy"]["Name"] if wanted else "no"
    stopped = drift.compare_state(
        state, policy, succeeded=bool(code and code[1] == "0")
    ) or drift.compare_network(container, container["HostConfig"]["NetworkMode"])
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

"""What the engine's lists of volumes and containers say about all tenants. No I/O.

The texts stay the same as long as nothing happens: they are compared from survey to survey.
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
from landlord.backends.docker.observed.container import Inspected

ListedObject = Mapping[str, Any]

_EXIT_CODE = re.compile(r"\((\d+)\)")


def build_observations(
    volumes: Iterable[ListedObject],
    containers: Iterable[ListedObject],
    inspected: Mapping[str, Inspected],
    problems: Mapping[str, str],
) -> dict[str, Observation]:
    """Each tenant that has a container or volumes, by its tenantID.

    By container there is what was seen of it alone, and why its probe fails if it does.
    """
    archived = Observation(True, None, "there is no container, its volumes are kept", "Archived")
    seen = {
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
        seen |= {
            tenant_id: observe(container)
            for tenant_id, container in tenants
            if f"/{name_of(tenant_id)}" in container["Names"]
        }
    return seen


def select_for_inspection(containers: Iterable[ListedObject]) -> list[str]:
    """The containers that have to be looked at one by one: the list does not show their limits."""
    return [
        container["Id"]
        for container in containers
        if _read_created(container)
        and not any(name.endswith(ownership.SUSPENDED) for name in container["Names"])
    ]


def select_probed(inspected: Mapping[str, Inspected]) -> dict[str, tuple[Probe, Inspected]]:
    """The containers that have a probe to answer now, with it."""
    return {
        container_id: (Probe.model_validate_json(found["Config"]["Labels"][names.LABEL_PROBE]), found)
        for container_id, found in inspected.items()
        if found["State"]["Status"] == "running" and names.LABEL_PROBE in found["Config"]["Labels"]
    }


def read_secret_records(containers: Iterable[ListedObject]) -> dict[str, str]:
    """Of which versions of which Secrets the containers were made that refer to any, by tenantID."""
    return {
        labels[names.LABEL_TENANT]: labels[names.ANNOTATION_SECRETS]
        for labels in (container["Labels"] for container in containers)
        if labels.keys() >= {names.LABEL_TENANT, names.ANNOTATION_SECRETS}
    }


def _observe_active(
    inspected: Mapping[str, Inspected], problems: Mapping[str, str], container: ListedObject
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
        how = f"{how} and does not serve: {problem}"
    return Observation(
        healthy=state == "running" and not stopped and not problem,
        spec_hash=labels.get(names.LABEL_SPEC_HASH),
        reason=drifted or how,
        drift=drifted,
    )


def _read_created(container: ListedObject) -> ListedObject | None:
    """What `spec.changeable` was when it was made."""
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

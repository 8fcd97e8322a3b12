"""What the engine's lists of volumes and containers say about all tenants. No I/O.

The texts stay the same as long as nothing happens: they are compared from survey to survey.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from landlord.api import names
from landlord.backends import Observation
from landlord.backends.docker import drift, spec

Listed = Mapping[str, Any]

_EXIT_CODE = re.compile(r"\((\d+)\)")


def observations(volumes: Iterable[Listed], containers: Iterable[Listed]) -> dict[str, Observation]:
    """Each tenant that has a container or volumes, by its tenantID."""
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
    for name_of, observe in ((spec.suspended_name, _suspended), (spec.container_name, _active)):
        seen |= {
            tenant_id: observe(container)
            for tenant_id, container in tenants
            if f"/{name_of(tenant_id)}" in container["Names"]
        }
    return seen


def secrets(containers: Iterable[Listed]) -> dict[str, str]:
    """Of which versions of which Secrets the containers were made that refer to any, by tenantID."""
    return {
        labels[names.LABEL_TENANT]: labels[names.ANNOTATION_SECRETS]
        for labels in (container["Labels"] for container in containers)
        if labels.keys() >= {names.LABEL_TENANT, names.ANNOTATION_SECRETS}
    }


def _active(container: Listed) -> Observation:
    state, labels = container["State"], container["Labels"]
    code = _EXIT_CODE.search(container["Status"])
    policy = labels.get(names.LABEL_RESTART_POLICY, "no")
    done = drift.of_state(state, policy, succeeded=bool(code and code[1] == "0")) or drift.of_network(
        container, container["HostConfig"]["NetworkMode"]
    )
    drifted = done and f"container {spec.container_name(labels[names.LABEL_TENANT])}: {done}"
    how = f"the container is {state}" + (f" (exit code {code[1]})" if code else "")
    return Observation(
        healthy=state == "running" and not drifted,
        spec_hash=labels.get(names.LABEL_SPEC_HASH),
        reason=drifted or how,
        drift=drifted,
    )


def _suspended(container: Listed) -> Observation:
    state, labels = container["State"], container["Labels"]
    at_rest = state not in ("running", "restarting", "paused")
    name = spec.suspended_name(labels[names.LABEL_TENANT])
    return Observation(
        healthy=at_rest,
        spec_hash=labels.get(names.LABEL_SPEC_HASH),
        reason=f"the container is suspended and {state}",
        state="Suspended",
        drift="" if at_rest else f"container {name}: it was started",
    )

"""What the cluster's lists say about all tenants. No I/O.

Of each object only what counts is kept: those of 10,000 tenants would take hundreds of megabytes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from landlord.api import names
from landlord.api.lifecycle import State
from landlord.api.schema import JsonObject
from landlord.backends.cluster import kinds
from landlord.backends.cluster.kinds import ObjectKind
from landlord.backends.contract import Observation
from landlord.backends.kubernetes import ownership
from landlord.backends.kubernetes.observed import generation_label, record, rollout


@dataclass(frozen=True, slots=True)
class ObservedDeployment:
    """A tenant's Deployment."""

    spec_hash: str | None
    state: State
    replicas: int
    stopped: bool
    waiting: str | None
    secrets: str | None


@dataclass(slots=True)
class ObservedNamespace:
    """A tenant's namespace."""

    tenant_id: str
    spec_hash: str | None
    state: State
    going: bool
    missing: set[str]
    """Kinds of what was made in it, and was in no list."""
    changed: list[str] = field(default_factory=list)
    """What somebody has changed in it."""
    workload: ObservedDeployment | None = None


class TenantCollector:
    """Takes the namespaces first, then the Deployments and then all else.

    So a tenant that is made meanwhile lacks nothing: what its Deployment needs is made before it.
    """

    def __init__(self) -> None:
        self._places: dict[str, ObservedNamespace] = {}

    def add_namespace(self, found: JsonObject) -> None:
        """A namespace of some tenant; its metadata will do."""
        metadata, labels = found["metadata"], ownership.read_labels(found)
        if (tenant_id := labels.get(names.LABEL_TENANT)) and ownership.is_tenant_namespace(found):
            self._places[metadata["name"]] = ObservedNamespace(
                tenant_id,
                labels.get(names.LABEL_SPEC_HASH),
                ownership.read_state(found),
                going="deletionTimestamp" in metadata,
                missing=set(ownership.read_created_kinds(found)),
                changed=_find_changes(kinds.NAMESPACE, found),
            )

    def add_deployment(self, found: JsonObject) -> None:
        """A Deployment of landlord's."""
        if place := self._seen(kinds.DEPLOYMENT, found):
            place.workload = ObservedDeployment(
                ownership.read_labels(found).get(names.LABEL_SPEC_HASH),
                ownership.read_state(found),
                found["spec"]["replicas"],
                rollout.is_stopped(found),
                rollout.describe_progress(found),
                (found["metadata"].get("annotations") or {}).get(names.ANNOTATION_SECRETS),
            )

    def add(self, kind: ObjectKind, found: JsonObject) -> None:
        """Any other object of landlord's; its metadata will do, but for what `record` wants in full."""
        self._seen(kind, found)

    def observations(self) -> Mapping[str, Observation]:
        """Each tenant that has a namespace, by its tenantID."""
        seen: dict[str, Observation] = {}
        for name, place in self._places.items():
            if place.tenant_id in seen:
                why = f"it has more than one namespace; {name} is one of them"
                seen[place.tenant_id] = Observation(False, None, why, seen[place.tenant_id].state)
            else:
                seen[place.tenant_id] = _observe(place)
        return seen

    def secrets(self) -> Mapping[str, str]:
        """Of which versions of which Secrets the Deployments were made that refer to any, by tenantID."""
        return {
            place.tenant_id: place.workload.secrets
            for place in self._places.values()
            if place.workload and place.workload.secrets
        }

    def _seen(self, kind: ObjectKind, found: JsonObject) -> ObservedNamespace | None:
        """The place of a tenant's object; None if it is of no tenant."""
        place = self._places.get(found["metadata"]["namespace"])
        if (
            place is None
            or found["metadata"]["name"] != names.OBJECT_NAME
            or not ownership.is_owned(found, place.tenant_id)
        ):
            return None
        place.missing.discard(kind.name)
        place.changed += _find_changes(kind, found)
        return place


def _find_changes(kind: ObjectKind, found: JsonObject) -> list[str]:
    """What somebody has changed. A further change makes it another text, so it is inspected again."""
    what = f"the {kind.name} was changed by somebody"
    if kind in generation_label.KINDS_WITH_GENERATION:
        return (
            [f"{what} (generation {found['metadata']['generation']})"]
            if generation_label.is_changed(found)
            else []
        )
    return (
        [f"{what}: {each}" for each in record.find_changes(found)] if kind in record.KINDS_WITH_RECORD else []
    )


def _observe(place: ObservedNamespace) -> Observation:
    workload = place.workload
    if place.going:
        going = "the namespace is being deleted"
        applied = workload.spec_hash if workload else None
        return Observation(False, applied, going, _read_state(place), drift=going)
    if _read_state(place) != "Active":
        return _observe_at_rest(place)
    drift = "; ".join([f"the {kind} is missing" for kind in sorted(place.missing)] + place.changed)
    if workload is None:
        return Observation(False, None, "there is no Deployment", drift=drift)
    waiting = workload.waiting if workload.replicas else "the Deployment is scaled to zero"
    return Observation(
        waiting is None, workload.spec_hash, waiting or "all replicas are available", drift=drift
    )


def _observe_at_rest(place: ObservedNamespace) -> Observation:
    """One that was suspended or archived: all that counts is that nothing of it runs."""
    state, workload = _read_state(place), place.workload
    if workload is None:
        return Observation(True, place.spec_hash, "nothing runs", state)
    at_rest = state == "Suspended" and not workload.replicas
    drift = "" if at_rest else f"it is {state.lower()}, but has a Deployment of {workload.replicas} replicas"
    stopped = at_rest and workload.stopped
    reason = drift or ("nothing runs" if stopped else "its pods are ending")
    return Observation(stopped, workload.spec_hash, reason, state, drift=drift)


def _read_state(place: ObservedNamespace) -> State:
    """An apply of the namespace makes it Active, but the tenant is so only with the Deployment."""
    return place.workload.state if place.state == "Active" and place.workload else place.state

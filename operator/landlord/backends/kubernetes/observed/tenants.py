"""Observes all tenants in the cluster's lists. No I/O.

It keeps only what counts of each object: those of 10,000 tenants would take hundreds of megabytes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from landlord.api import names
from landlord.api.lifecycle import State
from landlord.api.schema import JsonObject
from landlord.backends.cluster import kinds
from landlord.backends.cluster.kinds import ObjectKind
from landlord.backends.contract import Observation
from landlord.backends.drift import describe_missing
from landlord.backends.kubernetes import ownership
from landlord.backends.kubernetes.observed import generation_label, managed_fields, record, rollout
from landlord.backends.kubernetes.observed.field_tree import list_paths


@dataclass(frozen=True, slots=True)
class ObservedDeployment:
    """A tenant's Deployment."""

    spec_hash: str | None
    state: State
    replicas: int
    stopped: bool
    waiting: str | None
    autoscaler: str | None
    """Who sets the number of replicas instead of landlord."""
    secrets: str | None


@dataclass(slots=True)
class ObservedNamespace:
    """A tenant's namespace."""

    tenant_id: str
    spec_hash: str | None
    state: State
    deleted: bool
    missing: set[str]
    """The kinds of objects that landlord created in it, and that no list contained."""
    changed: list[str] = field(default_factory=list)
    """What somebody changed in it."""
    workload: ObservedDeployment | None = None


class TenantCollector:
    """Collects the namespaces first, then the Deployments, and then all other objects.

    So a tenant that is created meanwhile lacks nothing: its Deployment is created last.
    """

    def __init__(self) -> None:
        self._namespaces: dict[str, ObservedNamespace] = {}

    def add_namespace(self, found: JsonObject) -> None:
        """Add a namespace; its metadata is enough."""
        metadata, labels = found["metadata"], ownership.read_labels(found)
        if (tenant_id := labels.get(names.LABEL_TENANT)) and ownership.is_tenant_namespace(found):
            self._namespaces[metadata["name"]] = ObservedNamespace(
                tenant_id=tenant_id,
                spec_hash=labels.get(names.LABEL_SPEC_HASH),
                state=ownership.read_state(found),
                deleted="deletionTimestamp" in metadata,
                missing=set(ownership.read_created_kinds(found)),
                changed=_find_changes(kinds.NAMESPACE, found),
            )

    def add_deployment(self, found: JsonObject) -> None:
        """Add a Deployment that landlord created."""
        if namespace := self._find_namespace(kinds.DEPLOYMENT, found):
            namespace.workload = ObservedDeployment(
                spec_hash=ownership.read_labels(found).get(names.LABEL_SPEC_HASH),
                state=ownership.read_state(found),
                replicas=found["spec"]["replicas"],
                stopped=rollout.is_stopped(found),
                waiting=rollout.describe_progress(found),
                autoscaler=managed_fields.find_autoscaler(found),
                secrets=(found["metadata"].get("annotations") or {}).get(names.ANNOTATION_SECRETS),
            )

    def add(self, kind: ObjectKind, found: JsonObject) -> None:
        """Add any other object that landlord created; its metadata is enough, except for `LISTED_IN_FULL`."""
        self._find_namespace(kind, found)

    def build_observations(self) -> Mapping[str, Observation]:
        """Build the observation of each tenant that has a namespace, by tenantID."""
        observations: dict[str, Observation] = {}
        for name, namespace in self._namespaces.items():
            if namespace.tenant_id in observations:
                why = f"the tenant has more than one namespace; {name} is one of them"
                observations[namespace.tenant_id] = Observation(
                    False, None, why, observations[namespace.tenant_id].state
                )
            else:
                observations[namespace.tenant_id] = _observe(namespace)
        return observations

    def find_unavailable(self) -> Mapping[str, str]:
        """Find the tenants whose pods must run and are not available: their namespaces, by tenantID."""
        return {
            namespace.tenant_id: name
            for name, namespace in self._namespaces.items()
            if namespace.workload
            and namespace.workload.waiting
            and not namespace.deleted
            and _read_state(namespace) == "Active"
        }

    def read_secret_records(self) -> Mapping[str, str]:
        """Read from which versions of which Secrets Deployments were made, by tenantID."""
        return {
            namespace.tenant_id: namespace.workload.secrets
            for namespace in self._namespaces.values()
            if namespace.workload and namespace.workload.secrets
        }

    def _find_namespace(self, kind: ObjectKind, found: JsonObject) -> ObservedNamespace | None:
        """Find the namespace of a tenant's object; None if it belongs to no tenant."""
        namespace = self._namespaces.get(found["metadata"]["namespace"])
        if (
            namespace is None
            or found["metadata"]["name"] != names.OBJECT_NAME
            or not ownership.is_owned(found, namespace.tenant_id)
        ):
            return None
        namespace.missing.discard(kind.name)
        namespace.changed += _find_changes(kind, found)
        return namespace


def _find_changes(kind: ObjectKind, found: JsonObject) -> list[str]:
    """Find what somebody changed. Another change yields another text, and so another inspection."""
    what = f"somebody changed the {kind.name}"
    if kind in generation_label.KINDS_WITH_GENERATION and generation_label.is_changed(found):
        return [f"{what} (generation {found['metadata']['generation']})"]
    if kind in record.KINDS_WITH_RECORD and (changes := record.find_changes(found)):
        return [f"{what}: {each}" for each in changes]
    foreign = managed_fields.find_foreign(kind, found, managed_fields.find_owned(found))
    return (
        [f"somebody else set fields of the {kind.name}: {', '.join(list_paths(foreign))}"] if foreign else []
    )


def _observe(namespace: ObservedNamespace) -> Observation:
    workload = namespace.workload
    if namespace.deleted:
        deleted = "the namespace is being deleted"
        return Observation(
            healthy=False,
            spec_hash=workload.spec_hash if workload else None,
            reason=deleted,
            state=_read_state(namespace),
            drift=deleted,
        )
    if _read_state(namespace) != "Active":
        return _observe_at_rest(namespace)
    drift = "; ".join(
        [describe_missing(f"the {kind}") for kind in sorted(namespace.missing)] + namespace.changed
    )
    if workload is None:
        return Observation(False, None, "the Deployment does not exist", drift=drift)
    waiting = workload.waiting if workload.replicas else "the Deployment is scaled to zero"
    return Observation(
        waiting is None,
        workload.spec_hash,
        waiting or "all replicas are available",
        drift=drift,
        left=_describe_left(workload),
    )


def _describe_left(workload: ObservedDeployment) -> str:
    if workload.autoscaler is None:
        return ""
    return f"{workload.autoscaler} sets spec.replicas of the Deployment"


def _observe_at_rest(namespace: ObservedNamespace) -> Observation:
    """Observe a suspended or archived tenant, of which nothing must run."""
    state, workload = _read_state(namespace), namespace.workload
    if workload is None:
        return Observation(True, namespace.spec_hash, "nothing runs", state)
    at_rest = state == "Suspended" and not workload.replicas
    drift = "" if at_rest else f"it is {state.lower()}, but its Deployment has {workload.replicas} replicas"
    stopped = at_rest and workload.stopped
    reason = drift or ("nothing runs" if stopped else "its pods are terminating")
    return Observation(healthy=stopped, spec_hash=workload.spec_hash, reason=reason, state=state, drift=drift)


def _read_state(namespace: ObservedNamespace) -> State:
    """Read the state: after an apply, the tenant is Active only once its Deployment is too."""
    return namespace.workload.state if namespace.state == "Active" and namespace.workload else namespace.state

"""Names and recognizes what belongs to a tenant in a cluster. No I/O."""

import hashlib
import json
from collections.abc import Mapping

from landlord.api import names
from landlord.api.compute import KubernetesCompute
from landlord.api.lifecycle import State
from landlord.api.request import Desired
from landlord.api.schema import JsonObject
from landlord.backends.cluster.kinds import ObjectKind
from landlord.errors import Retryable, StepError, Terminal

ACTIVE = {names.LABEL_STATE: "Active"}
"""Label of the namespace and the Deployment of an active tenant."""
RESTING: tuple[State, ...] = ("Suspended", "Archived")
POD_SECURITY = tuple(f"pod-security.kubernetes.io/{mode}" for mode in ("enforce", "audit", "warn"))
"""Labels of a namespace with which the API server enforces a level for its pods."""


def read_settings(desired: Desired) -> KubernetesCompute:
    """Read `compute.kubernetes`, or its defaults."""
    return desired.kubernetes or KubernetesCompute()


def name_namespace(desired: Desired) -> str:
    """Name the tenant's own namespace."""
    return read_settings(desired).namespace.name or name_default_namespace(desired.tenant_id)


def name_default_namespace(tenant_id: str) -> str:
    """Name the namespace of a tenant whose manifest does not name one."""
    return f"tenant-{tenant_id}"


def build_selector(labels: Mapping[str, str]) -> str:
    """Build the API server's label selector."""
    return ",".join(f"{key}={value}" for key, value in labels.items())


def is_owned(found: JsonObject, tenant_id: str) -> bool:
    """Whether an object is landlord's and belongs to this tenant."""
    return names.labels(tenant_id).items() <= read_labels(found).items()


def is_unowned(found: JsonObject) -> bool:
    """Whether an object belongs to no tenant, has no owner, and is not part of landlord itself."""
    labels = read_labels(found)
    of_landlord = labels.get("app.kubernetes.io/part-of") == "landlord"  # as manifests/base has it
    return not (names.LABEL_TENANT in labels or of_landlord or found["metadata"].get("ownerReferences"))


def build_origin(namespace: str, *, made: bool) -> dict[str, str]:
    """Build the annotation of a tenant's namespace that says whether landlord created or adopted it."""
    digest = hashlib.sha256(namespace.encode()).hexdigest()[:16]
    return {names.ANNOTATION_ORIGIN: f"{'made' if made else 'adopted'}-{digest}"}


def is_created(namespace: JsonObject) -> bool:
    """Whether landlord created the namespace, without which it must not delete it."""
    return _has_origin(namespace, made=True)


def is_tenant_namespace(namespace: JsonObject) -> bool:
    """Whether a namespace with a tenant's labels is the tenant's, and not a copy of its namespace.

    With the default name it is, even if it lost its annotation, which the next apply restores.
    """
    default = name_default_namespace(read_labels(namespace).get(names.LABEL_TENANT, ""))
    by_default = namespace["metadata"]["name"] == default
    return by_default or _has_origin(namespace, made=False) or _has_origin(namespace, made=True)


def _has_origin(namespace: JsonObject, *, made: bool) -> bool:
    metadata = namespace["metadata"]
    return build_origin(metadata["name"], made=made).items() <= (metadata.get("annotations") or {}).items()


def read_previous_pod_security(namespace: JsonObject) -> dict[str, str]:
    """Read the Pod Security labels that a namespace had, or has, before landlord adopts it."""
    annotations = namespace["metadata"].get("annotations") or {}
    try:
        before = dict(json.loads(annotations[names.ANNOTATION_POD_SECURITY]))
    except (KeyError, TypeError, ValueError):
        before = {} if names.LABEL_TENANT in read_labels(namespace) else read_labels(namespace)
    return {label: before[label] for label in POD_SECURITY if label in before}


def read_labels(found: JsonObject) -> dict[str, str]:
    """Read the object's labels."""
    return found["metadata"].get("labels") or {}


def read_state(found: JsonObject) -> State:
    """Read the state that a namespace or a Deployment reached last."""
    label = read_labels(found).get(names.LABEL_STATE)
    return next((state for state in RESTING if state == label), "Active")


def read_created_kinds(namespace: JsonObject) -> list[str]:
    """Read which kinds of objects landlord created in a namespace, as far as it recorded them."""
    recorded: str = (namespace["metadata"].get("annotations") or {}).get(names.ANNOTATION_MADE, "")
    return recorded.split(",") if recorded else []


def explain_conflict(kind: ObjectKind, found: JsonObject) -> Terminal:
    """Explain that somebody else's object has the name that landlord needs."""
    metadata = found["metadata"]
    name, namespace = metadata["name"], metadata.get("namespace")
    tenant = read_labels(found).get(names.LABEL_TENANT)
    whose = f"belongs to the tenant {tenant}" if tenant else "does not belong to this tenant"
    adopt = "" if tenant else ", or set spec.management.adoption to IfUnowned if nobody needs it"
    within = f" -n {namespace}" if namespace else ""
    other = "choose another compute.kubernetes.namespace.name" if namespace is None else "rename it"
    return Terminal(
        "Conflict",
        f"a {kind.name} named {name} exists and {whose}; landlord leaves it unchanged",
        f"delete it (`kubectl get {kind.plural} {name}{within}`), {other}{adopt}",
    )


def explain_other_namespace(tenant_id: str, wanted: str, other: JsonObject) -> StepError:
    """Explain that a tenant can't get a namespace, because it still has another one."""
    name = other["metadata"]["name"]
    if "deletionTimestamp" in other["metadata"]:
        return Retryable(
            "StillTerminating",
            f"the tenant's namespace {name} is being deleted; landlord then creates {wanted}",
        )
    return Terminal(
        "Conflict",
        f"the tenant {tenant_id} already has the namespace {name}, so landlord leaves {wanted} alone",
        f"delete {name} if nobody needs its content (`kubectl get all -n {name}`), or create this Tenant "
        f"again with compute.kubernetes.namespace.name {name}; with deletion.policy Retain, {name} survives "
        "the deletion of this Tenant",
    )


def explain_failed_adoption(kind: ObjectKind, found: JsonObject, reason: str) -> Terminal:
    """Explain that landlord can't adopt an object, because it can't change it into what the tenant needs."""
    metadata = found["metadata"]
    return Terminal(
        "Conflict",
        f"a {kind.name} named {metadata['name']} exists, and landlord can't adopt it: {reason}",
        "delete it if nobody needs it; landlord then creates it again",
    )

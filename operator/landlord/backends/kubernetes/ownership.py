"""What a tenant is called in the cluster, and what is its. No I/O."""

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
"""Label of the namespace and the Deployment of a tenant that was not brought to rest."""
RESTING: tuple[State, ...] = ("Suspended", "Archived")
POD_SECURITY = tuple(f"pod-security.kubernetes.io/{mode}" for mode in ("enforce", "audit", "warn"))
"""Labels of a namespace by which the API server enforces a level for its pods."""


def read_settings(desired: Desired) -> KubernetesCompute:
    """The kubernetes settings, defaults where there are none."""
    return desired.kubernetes or KubernetesCompute()


def name_namespace(desired: Desired) -> str:
    """The namespace that the tenant has to itself."""
    return read_settings(desired).namespace.name or name_default_namespace(desired.tenant_id)


def name_default_namespace(tenant_id: str) -> str:
    """What the namespace of a tenant is called whose manifest does not name it."""
    return f"tenant-{tenant_id}"


def build_selector(labels: Mapping[str, str]) -> str:
    """Labels as the API server takes them to select by."""
    return ",".join(f"{key}={value}" for key, value in labels.items())


def is_owned(found: JsonObject, tenant_id: str) -> bool:
    """Whether an object is landlord's and of this tenant."""
    return names.labels(tenant_id).items() <= read_labels(found).items()


def is_unowned(found: JsonObject) -> bool:
    """Whether an object is nobody's: of no tenant, without an owner, and no part of landlord itself."""
    labels = read_labels(found)
    of_landlord = labels.get("app.kubernetes.io/part-of") == "landlord"  # as manifests/base has it
    return not (names.LABEL_TENANT in labels or of_landlord or found["metadata"].get("ownerReferences"))


def build_origin(namespace: str, *, made: bool) -> dict[str, str]:
    """The annotation of a tenant's namespace, which landlord made or took over."""
    digest = hashlib.sha256(namespace.encode()).hexdigest()[:16]
    return {names.ANNOTATION_ORIGIN: f"{'made' if made else 'adopted'}-{digest}"}


def is_created(namespace: JsonObject) -> bool:
    """Whether landlord has made the namespace: only then it may be deleted."""
    return _has_origin(namespace, made=True)


def is_tenant_namespace(namespace: JsonObject) -> bool:
    """Whether a namespace with a tenant's labels is the tenant's, and not a copy of its namespace.

    One of the default name is, also if it has lost its annotation: it is put back by the next apply.
    """
    default = name_default_namespace(read_labels(namespace).get(names.LABEL_TENANT, ""))
    by_default = namespace["metadata"]["name"] == default
    return by_default or _has_origin(namespace, made=False) or _has_origin(namespace, made=True)


def _has_origin(namespace: JsonObject, *, made: bool) -> bool:
    metadata = namespace["metadata"]
    return build_origin(metadata["name"], made=made).items() <= (metadata.get("annotations") or {}).items()


def read_previous_pod_security(namespace: JsonObject) -> dict[str, str]:
    """The Pod Security labels of a namespace before it was taken over, be that now."""
    annotations = namespace["metadata"].get("annotations") or {}
    try:
        before = dict(json.loads(annotations[names.ANNOTATION_POD_SECURITY]))
    except (KeyError, TypeError, ValueError):
        before = {} if names.LABEL_TENANT in read_labels(namespace) else read_labels(namespace)
    return {label: before[label] for label in POD_SECURITY if label in before}


def read_labels(found: JsonObject) -> dict[str, str]:
    """The object's labels."""
    return found["metadata"].get("labels") or {}


def read_state(found: JsonObject) -> State:
    """The state that a namespace or a Deployment was brought into last."""
    label = read_labels(found).get(names.LABEL_STATE)
    return next((state for state in RESTING if state == label), "Active")


def read_created_kinds(namespace: JsonObject) -> list[str]:
    """The kinds of which something was made in a namespace, as far as that is known."""
    said: str = (namespace["metadata"].get("annotations") or {}).get(names.ANNOTATION_MADE, "")
    return said.split(",") if said else []


def explain_conflict(kind: ObjectKind, found: JsonObject) -> Terminal:
    """The failure of finding somebody else's object under our name."""
    metadata = found["metadata"]
    name, namespace = metadata["name"], metadata.get("namespace")
    tenant = read_labels(found).get(names.LABEL_TENANT)
    whose = f"belongs to the tenant {tenant}" if tenant else "is not this tenant's"
    adopt = "" if tenant else ", or set spec.management.adoption to IfUnowned if nobody needs it"
    within = f" -n {namespace}" if namespace else ""
    other = "choose another compute.kubernetes.namespace.name" if namespace is None else "rename it"
    return Terminal(
        "Conflict",
        f"a {kind.name} named {name} exists and {whose}; it is left as it is\n"
        f"To do: remove it (`kubectl get {kind.plural} {name}{within}`), {other}{adopt}.",
    )


def explain_other_namespace(tenant_id: str, wanted: str, other: JsonObject) -> StepError:
    """The failure of a tenant that is to have another namespace than it has."""
    name = other["metadata"]["name"]
    if "deletionTimestamp" in other["metadata"]:
        going = f"the tenant's namespace {name} is being deleted; {wanted} is made when that has ended"
        return Retryable("StillTerminating", going)
    return Terminal(
        "Conflict",
        f"the tenant {tenant_id} has the namespace {name} already; {wanted} is not made or changed\n"
        f"To do: remove {name} if nobody needs what is in it (`kubectl get all -n {name}`), or make this "
        f"Tenant anew with compute.kubernetes.namespace.name {name}. With deletion.policy Retain it is kept "
        "when this Tenant is deleted.",
    )


def explain_failed_adoption(kind: ObjectKind, found: JsonObject, said: str) -> Terminal:
    """The failure of taking over an object that can't be changed into what the tenant needs."""
    metadata = found["metadata"]
    return Terminal(
        "Conflict",
        f"a {kind.name} named {metadata['name']} exists and can't be made the tenant's: {said}\n"
        "To do: remove it if nobody needs it; it is made anew then.",
    )

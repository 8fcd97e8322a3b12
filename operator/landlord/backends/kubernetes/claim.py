"""Whether an object that is there may be made the tenant's. No I/O."""

import json

from landlord.api import names
from landlord.api.request import Desired
from landlord.api.schema import JsonObject
from landlord.backends.cluster import kinds
from landlord.backends.cluster.kinds import ObjectKind
from landlord.backends.kubernetes import ownership
from landlord.errors import Retryable


def build_claim(kind: ObjectKind, found: JsonObject, desired: Desired) -> JsonObject:
    """The metadata that a change of this very object must carry.

    Raises Terminal if it is somebody else's, Retryable if it is about to go.
    """
    metadata = found["metadata"]
    if "deletionTimestamp" in metadata:
        raise Retryable(
            "StillTerminating",
            f"the {kind.name} {metadata['name']} is being deleted; it is made again when that has ended",
        )
    mine = ownership.is_owned(found, desired.tenant_id)
    takes_over = not mine and desired.adoption == "IfUnowned" and ownership.is_unowned(found)
    if not mine and not takes_over:
        raise ownership.explain_conflict(kind, found)
    claimed: JsonObject = {"uid": metadata["uid"]}
    if takes_over:  # unless another tenant has been quicker
        claimed["resourceVersion"] = metadata["resourceVersion"]
    if kind is kinds.NAMESPACE:
        claimed["annotations"] = ownership.build_origin(
            metadata["name"], made=mine and ownership.is_created(found)
        )
        if takes_over or names.ANNOTATION_POD_SECURITY in (metadata.get("annotations") or {}):
            before = json.dumps(ownership.read_previous_pod_security(found), sort_keys=True)
            claimed["annotations"] |= {names.ANNOTATION_POD_SECURITY: before}
    return claimed


def with_claim(manifest: JsonObject, claim: JsonObject) -> JsonObject:
    """The manifest with the claim's metadata."""
    metadata = manifest["metadata"]
    annotations = metadata.get("annotations", {}) | claim.get("annotations", {})
    return manifest | {
        "metadata": metadata | claim | ({"annotations": annotations} if annotations else {}),
    }

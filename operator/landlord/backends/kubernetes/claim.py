"""Decides whether landlord may create or change an object. No I/O."""

import json

from landlord.api import names
from landlord.api.request import Desired
from landlord.api.schema import JsonObject
from landlord.backends.cluster import kinds
from landlord.backends.cluster.kinds import ObjectKind
from landlord.backends.kubernetes import ownership
from landlord.errors import Retryable

BEFORE_ALL = "1"
"""A resourceVersion that no object has, because etcd gives this one to the empty store."""


def build_creation(kind: ObjectKind, name: str) -> JsonObject:
    """Build the metadata with which an apply creates an object, and changes none that exists.

    Without a resourceVersion, the apply would adopt an object that somebody else created at the same moment.
    A create and then an apply would be two requests: an admission policy that requires a label would deny the
    first, and the fields of the first would stay when the apply no longer has them.
    """
    created: JsonObject = {"resourceVersion": BEFORE_ALL}
    if kind is kinds.NAMESPACE:
        created["annotations"] = ownership.build_origin(name, made=True)
    return created


def build_claim(kind: ObjectKind, found: JsonObject, desired: Desired) -> JsonObject:
    """Build the metadata that a change of this very object must carry.

    Raises Terminal if somebody else owns the object, and Retryable if it is being deleted.
    """
    metadata = found["metadata"]
    if "deletionTimestamp" in metadata:
        raise Retryable(
            "StillTerminating",
            f"the {kind.name} {metadata['name']} is being deleted; landlord then creates it again",
        )
    mine = ownership.is_owned(found, desired.tenant_id)
    adopts = not mine and desired.adoption == "IfUnowned" and ownership.is_unowned(found)
    if not mine and not adopts:
        raise ownership.explain_conflict(kind, found)
    claimed: JsonObject = {"uid": metadata["uid"]}
    if adopts:  # fails if another tenant adopted it first
        claimed["resourceVersion"] = metadata["resourceVersion"]
    if kind is kinds.NAMESPACE:
        claimed["annotations"] = ownership.build_origin(
            metadata["name"], made=mine and ownership.is_created(found)
        )
        if adopts or names.ANNOTATION_POD_SECURITY in (metadata.get("annotations") or {}):
            before = json.dumps(ownership.read_previous_pod_security(found), sort_keys=True)
            claimed["annotations"] |= {names.ANNOTATION_POD_SECURITY: before}
    return claimed


def with_claim(manifest: JsonObject, claim: JsonObject) -> JsonObject:
    """Copy the manifest with the metadata of the claim."""
    metadata = manifest["metadata"]
    annotations = metadata.get("annotations", {}) | claim.get("annotations", {})
    return manifest | {
        "metadata": metadata | claim | ({"annotations": annotations} if annotations else {}),
    }

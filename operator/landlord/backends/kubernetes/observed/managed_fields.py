"""Reads from an object's managedFields whose each field is. No I/O.

The spec of an object that landlord creates is landlord's as a whole, and so is a Secret's data. An apply does
not remove a field from it that somebody else owns too, such as whoever restored the object from a backup. So
landlord takes these fields over before it applies the object. Others keep what they own through a
subresource, such as the status, and all metadata but landlord's own.
"""

from landlord.api import names
from landlord.api.schema import JsonObject
from landlord.backends.cluster import kinds
from landlord.backends.cluster.kinds import ObjectKind
from landlord.backends.kubernetes.observed.field_tree import Fields, merge, subtract

CONTENT = ("f:spec", "f:data")
OF_THE_CONTROL_PLANE = ("kube-controller-manager", "cloud-controller-manager")
PERSONAL = ("kubectl", "oc", "k9s")
"""Tools with which people scale; whatever else uses the scale subresource is an autoscaler."""


def find_owned(found: JsonObject) -> Fields:
    """Find the fields that landlord's last apply owns."""
    return next((each["fieldsV1"] for each in _list_entries(found) if _is_own(each)), {})


def find_foreign(kind: ObjectKind, found: JsonObject, owned: Fields) -> Fields:
    """Find the fields of landlord's part that somebody else owns, and that are not in `owned`."""
    taken: Fields = {}
    for each in _list_entries(found):
        if _is_others(kind, each):
            taken = merge(taken, _divide(each["fieldsV1"])[0])
    return {key: fields for key, fields in subtract(taken, owned).items() if key in CONTENT}


def with_everything_taken_over(kind: ObjectKind, found: JsonObject) -> list[JsonObject] | None:
    """Build managedFields in which landlord owns its part of the object alone; None if it does already."""
    taken: Fields = {}
    left: list[JsonObject] = []
    for each in _list_entries(found):
        ours, theirs = _divide(each["fieldsV1"]) if _is_others(kind, each) else ({}, each["fieldsV1"])
        taken = merge(taken, ours)
        if theirs and not _is_own(each):
            left.append(each | {"fieldsV1": theirs})
    if not taken:
        return None
    own = {
        "manager": names.FIELD_MANAGER_OF_TENANTS,
        "operation": "Apply",
        "apiVersion": kind.api_version,
        "fieldsType": "FieldsV1",
        "fieldsV1": merge(find_owned(found), taken),
    }
    return [*left, own]


def find_autoscaler(found: JsonObject) -> str | None:
    """Find the manager that sets the number of replicas by right, through the scale subresource."""
    return next(
        (
            each["manager"]
            for each in _list_entries(found)
            if each.get("subresource") == "scale"
            and "f:replicas" in each["fieldsV1"].get("f:spec", {})
            and each["manager"].partition("-")[0] not in PERSONAL
        ),
        None,
    )


def without_left_fields(manifest: JsonObject, found: JsonObject | None) -> JsonObject:
    """Copy the manifest without the number of replicas if an autoscaler sets that."""
    if found is None or find_autoscaler(found) is None:
        return manifest
    return manifest | {"spec": {key: of for key, of in manifest["spec"].items() if key != "replicas"}}


def _list_entries(found: JsonObject) -> list[JsonObject]:
    entries: list[JsonObject] = found["metadata"].get("managedFields") or []
    return entries


def _is_own(entry: JsonObject) -> bool:
    return (entry["manager"], entry["operation"]) == (names.FIELD_MANAGER_OF_TENANTS, "Apply")


def _is_others(kind: ObjectKind, entry: JsonObject) -> bool:
    return (
        kind is not kinds.NAMESPACE
        and not entry.get("subresource")
        and entry["manager"] not in (names.FIELD_MANAGER_OF_TENANTS, *OF_THE_CONTROL_PLANE)
    )


def _divide(fields: Fields) -> tuple[Fields, Fields]:
    """Divide the fields of a whole object into landlord's part and the rest."""
    ours: Fields = {}
    theirs: Fields = {}
    for key, inner in fields.items():
        if key in CONTENT:
            part = _divide_content(inner)
        elif key == "f:metadata":
            part = _divide_metadata(inner)
        else:
            part = None, inner
        for side, of in zip((ours, theirs), part, strict=True):
            if of is not None:
                side[key] = of
    return ours, theirs


def _divide_content(fields: Fields) -> tuple[Fields | None, Fields | None]:
    """Divide a spec or data; None for a side that gets nothing."""
    metadata = fields.get("f:template", {}).get("f:metadata")
    if metadata is None:
        return fields, None
    mine, rest = _divide_metadata(metadata)
    template = {key: inner for key, inner in fields["f:template"].items() if key != "f:metadata"}
    ours = fields | {"f:template": template | ({"f:metadata": mine} if mine else {})}
    if not ours["f:template"]:
        del ours["f:template"]
    theirs = {"f:template": {"f:metadata": rest}} if rest else None
    return ours or None, theirs


def _divide_metadata(fields: Fields) -> tuple[Fields | None, Fields | None]:
    """Divide labels and annotations: only those of landlord's group are landlord's."""
    ours: Fields = {
        key: {name: {} for name in inner if name.startswith(f"f:{names.GROUP}/")}
        for key, inner in fields.items()
    }
    ours = {key: inner for key, inner in ours.items() if inner}
    theirs = {
        key: {name: of for name, of in inner.items() if name not in ours.get(key, {})}
        for key, inner in fields.items()
    }
    theirs = {key: inner for key, inner in theirs.items() if inner.keys() - {"."} or key not in ours}
    return ours or None, theirs or None

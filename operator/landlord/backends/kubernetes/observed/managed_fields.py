"""Reads from an object's managedFields whose each field is. No I/O.

The spec of an object that landlord creates is landlord's as a whole, and so is a Secret's data. An apply does
not remove a field from it that somebody else owns too, such as whoever restored the object from a backup. So
landlord takes these fields over before it applies the object. Others keep what they own through a
subresource, such as the status, and all metadata but landlord's own. Of a namespace, only metadata is
landlord's, and only if landlord created it.
"""

from landlord.api import names
from landlord.api.schema import JsonObject
from landlord.backends.cluster import kinds
from landlord.backends.cluster.kinds import ObjectKind
from landlord.backends.kubernetes import ownership
from landlord.backends.kubernetes.observed import record
from landlord.backends.kubernetes.observed.field_tree import Fields, has_fields, merge, subtract

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
        taken = merge(taken, _divide(kind, found, each)[0])
    return {key: fields for key, fields in subtract(taken, owned).items() if key in CONTENT}


def with_everything_taken_over(
    kind: ObjectKind, found: JsonObject, manifest: JsonObject
) -> list[JsonObject] | None:
    """Build managedFields in which landlord owns its part of the object alone.

    None if an apply of the manifest has nothing to remove from that part.
    """
    taken: Fields = {}
    left: list[JsonObject] = []
    for each in _list_entries(found):
        ours, theirs = _divide(kind, found, each)
        taken = merge(taken, ours)
        if theirs and not _is_own(each):
            left.append(each | {"fieldsV1": theirs})
    if has_fields(manifest, taken):
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


def _divide(kind: ObjectKind, found: JsonObject, entry: JsonObject) -> tuple[Fields, Fields]:
    """Divide the fields of an entry into those that landlord may take over and the rest."""
    fields: Fields = entry["fieldsV1"]
    by_right = entry["manager"] in OF_THE_CONTROL_PLANE or entry.get("subresource") or _is_own(entry)
    if by_right or (kind is kinds.NAMESPACE and not ownership.is_created(found)):
        return {}, fields
    recorded = record.read_metadata(found)
    parts: dict[str, tuple[Fields, Fields]] = {}
    for key, inner in fields.items():
        if key == "f:metadata":
            parts[key] = _divide_metadata(inner, recorded)
        elif key in CONTENT and kind is not kinds.NAMESPACE:
            parts[key] = _divide_content(inner)
        else:
            parts[key] = {}, inner
    ours = {key: part[0] for key, part in parts.items() if part[0]}
    return ours, {key: part[1] for key, part in parts.items() if part[1]}


def _divide_content(fields: Fields) -> tuple[Fields, Fields]:
    template: Fields = fields.get("f:template", {})
    if "f:metadata" not in template:
        return fields, {}
    ours, theirs = _divide_metadata(template["f:metadata"], {})
    rest = {key: inner for key, inner in template.items() if key != "f:metadata"}
    of_template = rest | ({"f:metadata": ours} if ours else {})
    others = {key: inner for key, inner in fields.items() if key != "f:template"}
    return (
        others | ({"f:template": of_template} if of_template else {}),
        {"f:template": {"f:metadata": theirs}} if theirs else {},
    )


def _divide_metadata(fields: Fields, recorded: JsonObject) -> tuple[Fields, Fields]:
    """Divide labels and annotations: landlord's are those of its group, and those that the Tenant sets."""
    ours: Fields = {
        key: {
            name: {}
            for name in inner
            if name.startswith(f"f:{names.GROUP}/")
            or name.removeprefix("f:") in recorded.get(key.removeprefix("f:"), {})
        }
        for key, inner in fields.items()
        if key in ("f:labels", "f:annotations")
    }
    ours = {key: inner for key, inner in ours.items() if inner}
    theirs = {
        key: {name: of for name, of in inner.items() if name not in ours.get(key, {})}
        for key, inner in fields.items()
    }
    return ours, {key: inner for key, inner in theirs.items() if inner.keys() - {"."} or key not in ours}

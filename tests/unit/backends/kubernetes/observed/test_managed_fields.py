from typing import Any

import pytest

from landlord.backends.cluster import kinds
from landlord.backends.kubernetes.observed.field_tree import list_paths, without_fields
from landlord.backends.kubernetes.observed.managed_fields import (
    find_autoscaler,
    find_foreign,
    find_owned,
    with_everything_taken_over,
    without_left_fields,
)

Fields = dict[str, Any]
WEB = 'k:{"name":"web"}'
DEBUG = 'k:{"name":"debug"}'
OURS: Fields = {
    "f:metadata": {"f:labels": {"f:landlord.dev/tenant-id": {}}},
    "f:spec": {
        "f:replicas": {},
        "f:template": {"f:spec": {"f:containers": {WEB: {".": {}, "f:name": {}, "f:image": {}}}}},
    },
}
RESTORED: Fields = {
    "f:metadata": {
        "f:annotations": {".": {}, "f:theirs": {}, "f:landlord.dev/secrets": {}},
        "f:labels": {".": {}, "f:landlord.dev/tenant-id": {}},
    },
    "f:spec": {
        "f:replicas": {},
        "f:template": {
            "f:metadata": {
                "f:annotations": {
                    "f:kubectl.kubernetes.io/restartedAt": {},
                    "f:landlord.dev/secrets-version": {},
                }
            },
            "f:spec": {
                "f:containers": {
                    DEBUG: {".": {}, "f:name": {}, "f:env": {'k:{"name":"OLD"}': {}}},
                    WEB: {".": {}, "f:name": {}, "f:image": {}, "f:stdin": {}},
                },
                "f:hostNetwork": {},
            },
        },
    },
}
LANDLORD = ("landlord-backend", "Apply", "")
KUBECTL = ("kubectl-replace", "Update", "")


def entry(manager: tuple[str, str, str], fields: Fields) -> Fields:
    name, operation, subresource = manager
    found = {"manager": name, "operation": operation, "apiVersion": "apps/v1", "fieldsType": "FieldsV1"}
    return found | ({"subresource": subresource} if subresource else {}) | {"fieldsV1": fields}


def deployment(*entries: Fields) -> Fields:
    return {"metadata": {"name": "tenant", "managedFields": [*entries]}, "spec": {"replicas": 1}}


def test_what_somebody_else_restored_is_foreign_as_far_as_landlord_did_not_apply_it() -> None:
    found = deployment(entry(LANDLORD, OURS), entry(KUBECTL, RESTORED))
    foreign = find_foreign(kinds.DEPLOYMENT, found, find_owned(found))
    assert sorted(list_paths(foreign)) == [
        "spec.template.metadata.annotations[landlord.dev/secrets-version]",
        "spec.template.spec.containers[debug]",
        "spec.template.spec.containers[web].stdin",
        "spec.template.spec.hostNetwork",
    ]


def test_a_takeover_leaves_others_their_metadata_and_what_they_own_through_a_subresource() -> None:
    status = entry(("kube-controller-manager", "Update", "status"), {"f:status": {"f:replicas": {}}})
    scale = entry(("keda", "Update", "scale"), {"f:spec": {"f:replicas": {}}})
    found = deployment(entry(LANDLORD, OURS), entry(KUBECTL, RESTORED), status, scale)
    taken = with_everything_taken_over(kinds.DEPLOYMENT, found, {})
    assert taken is not None
    theirs = {
        "f:metadata": {"f:annotations": {".": {}, "f:theirs": {}}},
        "f:spec": {
            "f:template": {"f:metadata": {"f:annotations": {"f:kubectl.kubernetes.io/restartedAt": {}}}}
        },
    }
    assert taken[:3] == [entry(KUBECTL, theirs), status, scale]
    own = taken[3]["fieldsV1"]
    assert taken[3] == entry(LANDLORD, own)
    assert "f:landlord.dev/secrets" in own["f:metadata"]["f:annotations"]
    assert DEBUG in own["f:spec"]["f:template"]["f:spec"]["f:containers"]
    assert with_everything_taken_over(kinds.DEPLOYMENT, deployment(*taken), {}) is None


@pytest.mark.parametrize(
    ("kind", "manager", "fields"),
    [
        (kinds.NAMESPACE, KUBECTL, {"f:spec": {"f:finalizers": {}}}),
        (kinds.SERVICE_ACCOUNT, KUBECTL, {"f:imagePullSecrets": {}}),
        (kinds.DEPLOYMENT, ("kube-controller-manager", "Update", ""), {"f:spec": {"f:replicas": {}}}),
        (kinds.DEPLOYMENT, KUBECTL, {"f:metadata": {"f:labels": {"f:theirs": {}}}}),
    ],
)
def test_what_is_others_by_right_is_neither_foreign_nor_taken_over(
    kind: kinds.ObjectKind, manager: tuple[str, str, str], fields: Fields
) -> None:
    found = deployment(entry(manager, fields))
    assert find_foreign(kind, found, {}) == {}
    assert with_everything_taken_over(kind, found, {}) is None


def test_objects_without_the_foreign_fields() -> None:
    found = deployment(entry(LANDLORD, OURS), entry(KUBECTL, RESTORED))
    containers = [{"name": "web", "image": "web:1", "stdin": True}, {"name": "debug"}, {"name": "injected"}]
    content = {
        "spec": {"replicas": 1, "template": {"spec": {"containers": containers, "hostNetwork": True}}},
        "status": {},
    }
    assert without_fields(content, find_foreign(kinds.DEPLOYMENT, found, find_owned(found))) == {
        "spec": {
            "replicas": 1,
            "template": {"spec": {"containers": [{"name": "web", "image": "web:1"}, {"name": "injected"}]}},
        },
        "status": {},
    }


@pytest.mark.parametrize(
    ("manager", "autoscaler"),
    [
        (("kube-controller-manager", "Update", "scale"), "kube-controller-manager"),
        (("keda-operator", "Update", "scale"), "keda-operator"),
        (("kubectl", "Update", "scale"), None),
        (("kubectl-scale", "Update", "scale"), None),
        (("keda-operator", "Update", ""), None),
    ],
)
def test_replicas_are_left_to_whoever_scales_by_right(
    manager: tuple[str, str, str], autoscaler: str | None
) -> None:
    found = deployment(entry(LANDLORD, OURS), entry(manager, {"f:spec": {"f:replicas": {}}}))
    assert find_autoscaler(found) == autoscaler
    manifest = {"kind": "Deployment", "spec": {"replicas": 1, "paused": False}}
    assert ("replicas" in without_left_fields(manifest, found)["spec"]) == (autoscaler is None)
    assert without_left_fields(manifest, None) == manifest


@pytest.mark.parametrize(
    ("manifest", "is_taken"),
    [({"spec": {"replicas": 2}}, False), ({"spec": {"replicas": 2, "paused": True}}, False), ({}, True)],
)
def test_nothing_is_taken_over_as_long_as_the_manifest_has_it_all(manifest: Fields, is_taken: bool) -> None:
    found = deployment(entry(LANDLORD, OURS), entry(KUBECTL, {"f:spec": {"f:replicas": {}}}))
    taken = with_everything_taken_over(kinds.DEPLOYMENT, found, manifest)
    assert (taken is not None) == is_taken

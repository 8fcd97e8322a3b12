import json
from collections.abc import Iterator
from typing import Any

import pytest

from landlord.backends.kubernetes.observed.fields import find_differences
from landlord.backends.kubernetes.observed.managed_fields import find_owned

Object = dict[str, Any]
OURS = {"manager": "landlord-backend", "operation": "Apply"}
CONTAINERS: Object = {
    "f:spec": {
        "f:replicas": {},
        "f:containers": {
            'k:{"name":"web"}': {
                ".": {},
                "f:name": {},
                "f:image": {},
                "f:command": {},
                "f:env": {'k:{"name":"PASSWORD"}': {".": {}, "f:name": {}, "f:value": {}}},
                "f:ports": {'k:{"containerPort":80,"protocol":"TCP"}': {".": {}, "f:containerPort": {}}},
            }
        },
    }
}  # fmt: skip


def pod(fields: Object = CONTAINERS, **changes: Any) -> Object:
    container = {
        "name": "web",
        "image": "web:1",
        "command": ["run"],
        "env": [{"name": "PASSWORD", "value": "meant"}],
        "ports": [{"containerPort": 80, "protocol": "TCP"}],
    }
    theirs = {"manager": "somebody", "operation": "Update", "fieldsV1": {"f:spec": {"f:theirs": {}}}}
    managed = [theirs, OURS | {"operation": "Update", "fieldsV1": {}}, OURS | {"fieldsV1": fields}]
    spec = {"replicas": 1, "containers": [container | changes], "theirs": changes}
    return {"kind": "Deployment", "metadata": {"managedFields": managed}, "spec": spec}


def differences(live: Object, applied: Object) -> Iterator[str]:
    return find_differences(live, applied, find_owned(applied))


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"image": "web:2"}, "image is web:2, should be web:1"),
        ({"command": ["walk"]}, 'command is ["walk"], should be ["run"]'),
        ({"image": None}, "image is missing"),
        ({"env": [{"name": "PASSWORD", "value": "theirs"}]}, "env[PASSWORD].value differs"),
        ({"env": [{"name": "PASSWORD", "value": ""}]}, "env[PASSWORD].value differs"),
        ({"env": [{"name": "PASSWORD"}]}, "env[PASSWORD].value is missing"),
        ({"env": []}, "env[PASSWORD] is missing"),
        ({"ports": [{"containerPort": 80, "protocol": "UDP"}]}, "ports[80,TCP] is missing"),
        ({"image": ""}, 'image is "", should be web:1'),
        ({"image": "x" * 1000}, f"image is {'x' * 200}..., should be web:1"),
    ],
)
def test_a_field_that_differs_is_named_with_both_values_unless_they_may_be_secret(
    changes: Object, line: str
) -> None:
    (said,) = differences(pod(**changes), pod())
    assert said == f"spec.containers[web].{line}"


def test_what_is_empty_and_therefore_dropped_by_the_api_server_is_not_missing() -> None:
    fields: Object = {"f:spec": {"f:minReadySeconds": {}, "f:affinity": {"f:podAffinity": {}}}}
    assert list(differences(pod(fields), pod(fields))) == []
    empty = pod(env=[{"name": "PASSWORD"}])
    assert list(differences(empty, empty)) == []
    changed = pod(fields)
    changed["spec"] |= {"minReadySeconds": 5, "affinity": {"podAffinity": {}}}
    assert list(differences(changed, pod(fields))) == [
        "spec.minReadySeconds is 5, should not be set",
        "spec.affinity is set, should not be",
    ]
    (said,) = differences(pod(), empty)
    assert said == "spec.containers[web].env[PASSWORD].value is set, should not be"


def test_what_others_add_is_no_difference() -> None:
    theirs = pod(env=[{"name": "THEIRS", "value": "x"}, {"name": "PASSWORD", "value": "meant"}], stdin=True)
    theirs["spec"]["containers"].append({"name": "sidecar"})
    assert list(differences(theirs, pod())) == []


def test_keys_that_are_no_names_stand_in_brackets() -> None:
    fields: Object = {"f:metadata": {"f:labels": {"f:landlord.dev/state": {}, "f:plain_name": {}}}}
    meant, found = pod(fields), pod(fields)
    meant["metadata"]["labels"] = {"landlord.dev/state": "Active", "plain_name": "a"}
    found["metadata"]["labels"] = {"landlord.dev/state": "Suspended"}
    assert list(differences(found, meant)) == [
        "metadata.labels[landlord.dev/state] is Suspended, should be Active",
        "metadata.labels.plain_name is missing",
    ]


def test_nothing_of_a_secret_is_shown() -> None:
    fields: Object = {"f:type": {}, "f:data": {"f:password": {}, "f:user": {}}}

    def secret(**data: str) -> Object:
        managed = [OURS | {"fieldsV1": fields}]
        return {"kind": "Secret", "type": "Opaque", "metadata": {"managedFields": managed}, "data": data}

    said = list(differences(secret(password="theirs"), secret(password="meant", user="me")))
    assert said == ["data.password differs", "data.user is missing"]
    assert "theirs" not in json.dumps(said)

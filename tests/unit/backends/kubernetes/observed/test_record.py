import json
from typing import Any

import pytest

from landlord.api import names
from landlord.api.schema import JsonObject
from landlord.backends.kubernetes.observed import record

PORT = {"name": "http", "port": 80, "protocol": "TCP"}
MANIFEST: JsonObject = {
    "apiVersion": "v1",
    "kind": "Any",
    "metadata": {
        "name": "tenant",
        "labels": names.labels("acme") | {"level": "restricted"},
        "annotations": {"note": "x"},
    },
    "spec": {"type": "ClusterIP", "ports": [PORT], "hard": {"cpu": "1500m"}},
}


def live(*, spec: Any = None, labels: dict[str, str] | None = None) -> JsonObject:
    """The object after an apply, and after what somebody has made of it."""
    applied = record.with_record(MANIFEST)
    metadata = applied["metadata"] | ({} if labels is None else {"labels": labels})
    return applied | {"metadata": metadata, "spec": applied["spec"] | (spec or {})}


def test_the_record_is_what_was_applied_without_landlord_s_own_marks() -> None:
    annotations = record.with_record(MANIFEST)["metadata"]["annotations"]
    assert annotations["note"] == "x"
    applied = json.loads(annotations[names.ANNOTATION_APPLIED])
    metadata = {"labels": {"level": "restricted"}, "annotations": {"note": "x"}}
    assert applied == {"metadata": metadata, "spec": MANIFEST["spec"]}
    assert record.read_metadata(record.with_record(MANIFEST)) == metadata


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(live(), id="as it was applied"),
        pytest.param(live(spec={"clusterIP": "10.0.0.1"}), id="another field"),
        pytest.param(live(spec={"ports": [{**PORT, "nodePort": 30000}]}), id="a default in an item"),
        pytest.param(live(spec={"ports": [{"name": "theirs"}, PORT]}), id="another item"),
        pytest.param(live(spec={"hard": {"cpu": "1.5", "pods": "3"}}), id="the same amount, and another"),
        pytest.param(live(labels={"level": "restricted", "theirs": "1"}), id="another label"),
        pytest.param(MANIFEST | {"spec": {}}, id="made by an earlier version"),
    ],
)
def test_what_others_add_is_no_change(found: JsonObject) -> None:
    assert record.find_changes(found) == []


@pytest.mark.parametrize(
    ("found", "changes"),
    [
        (live(spec={"type": "NodePort"}), ["spec.type is NodePort, should be ClusterIP"]),
        (live(spec={"type": None}), ["spec.type is missing"]),
        (live(spec={"hard": {"cpu": "1"}}), ["spec.hard.cpu is 1, should be 1500m"]),
        (live(spec={"ports": [PORT | {"port": 81}]}), ["spec.ports[0].port is 81, should be 80"]),
        (live(spec={"ports": []}), ["spec.ports[0] is missing"]),
        (live(spec={"ports": "none"}), ['spec.ports is none, should be [{"name": "http", "port": 80, '
                                        '"protocol": "TCP"}]']),
        (live(labels={"level": "open"}), ["metadata.labels.level is open, should be restricted"]),
        (live(labels={}, spec={"type": "x"}), ["metadata.labels.level is missing",
                                               "spec.type is x, should be ClusterIP"]),
    ],
)  # fmt: skip
def test_each_field_that_was_changed_is_named(found: JsonObject, changes: list[str]) -> None:
    assert record.find_changes(found) == changes


def test_a_record_that_somebody_has_broken_is_a_change() -> None:
    found = live()
    found["metadata"]["annotations"][names.ANNOTATION_APPLIED] = "{"
    assert record.find_changes(found) == [f"metadata.annotations[{names.ANNOTATION_APPLIED}] can't be read"]

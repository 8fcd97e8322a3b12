"""What the backend refuses before anything is made, and whose an object is."""

import json
from typing import Any

import pytest
from tests.unit.backends.kubernetes.desires import desired

from landlord.api import names
from landlord.api.request import Desired
from landlord.backends.cluster import kinds
from landlord.backends.kubernetes import ownership
from landlord.backends.kubernetes.claim import build_claim
from landlord.errors import Retryable, Terminal

MINE = names.labels("acme")
MADE = ownership.build_origin("tenant-acme", made=True)
ADOPTED = ownership.build_origin("tenant-acme", made=False)


ENFORCE = "pod-security.kubernetes.io/enforce"


def before(**labels: str) -> dict[str, str]:
    return {names.ANNOTATION_POD_SECURITY: json.dumps(labels)}


def namespace(labels: dict[str, str], **metadata: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "tenant-acme", "uid": "u", "resourceVersion": "7", "labels": labels, **metadata}
    }


@pytest.mark.parametrize(
    ("found", "wanted", "answer"),
    [
        pytest.param(
            namespace(MINE, annotations=MADE), desired(), {"uid": "u", "annotations": MADE}, id="mine"
        ),
        pytest.param(
            namespace(MINE),
            desired(),
            {"uid": "u", "annotations": ADOPTED},
            id="mine, and nobody knows who made it",
        ),
        pytest.param(
            namespace(MINE, annotations=ownership.build_origin("another", made=True)),
            desired(),
            {"uid": "u", "annotations": ADOPTED},
            id="mine, and a copy of another",
        ),
        pytest.param(namespace({}), desired(), Terminal, id="nobody's"),
        pytest.param(
            namespace({}),
            desired(adoption="IfUnowned"),
            {"uid": "u", "resourceVersion": "7", "annotations": ADOPTED | before()},
            id="nobody's, and may be taken over",
        ),
        pytest.param(
            namespace({ENFORCE: "baseline", f"{ENFORCE}-version": "v1.30"}),
            desired(adoption="IfUnowned"),
            {"uid": "u", "resourceVersion": "7", "annotations": ADOPTED | before(**{ENFORCE: "baseline"})},
            id="nobody's, with a Pod Security level",
        ),
        pytest.param(
            namespace(MINE | {ENFORCE: "restricted"}, annotations=ADOPTED | before(**{ENFORCE: "baseline"})),
            desired(),
            {"uid": "u", "annotations": ADOPTED | before(**{ENFORCE: "baseline"})},
            id="taken over before, with a Pod Security level",
        ),
        pytest.param(
            namespace(MINE, annotations=ADOPTED),
            desired(),
            {"uid": "u", "annotations": ADOPTED},
            id="taken over before",
        ),
        pytest.param(
            namespace(names.labels("other")), desired(adoption="IfUnowned"), Terminal, id="another tenant's"
        ),
        pytest.param(
            namespace({}, ownerReferences=[{"kind": "Other"}]),
            desired(adoption="IfUnowned"),
            Terminal,
            id="something else's",
        ),
        pytest.param(
            namespace(MINE, deletionTimestamp="2026-01-01T00:00:00Z"), desired(), Retryable, id="going"
        ),
    ],
)
def test_an_object_is_changed_only_if_it_is_the_tenants_or_may_become_so(
    found: dict[str, Any], wanted: Desired, answer: dict[str, Any] | type[Exception]
) -> None:
    if isinstance(answer, dict):
        assert build_claim(kinds.NAMESPACE, found, wanted) == answer
    else:
        with pytest.raises(answer):
            build_claim(kinds.NAMESPACE, found, wanted)


def in_namespace(name: str, annotations: dict[str, str]) -> dict[str, Any]:
    return {"metadata": {"name": name, "labels": MINE, "annotations": annotations}}


@pytest.mark.parametrize(
    ("found", "place", "made"),
    [
        (in_namespace("tenant-acme", MADE), True, True),
        (in_namespace("tenant-acme", ADOPTED), True, False),
        (in_namespace("tenant-acme", {}), True, False),
        (in_namespace("named", ownership.build_origin("named", made=True)), True, True),
        (in_namespace("named", ownership.build_origin("named", made=False)), True, False),
        (in_namespace("named", {}), False, False),
        (in_namespace("a-copy", MADE), False, False),
        (in_namespace("a-copy", ADOPTED), False, False),
    ],
)
def test_a_namespace_is_the_tenant_s_by_more_than_labels_and_deleted_only_if_landlord_made_it(
    found: dict[str, Any], place: bool, made: bool
) -> None:
    assert (ownership.is_tenant_namespace(found), ownership.is_created(found)) == (place, made)


def test_a_conflict_says_what_can_be_done() -> None:
    found = {"metadata": {"name": "tenant", "namespace": "tenant-acme"}}
    message = str(ownership.explain_conflict(kinds.SERVICE, found))
    assert "`kubectl get services tenant -n tenant-acme`" in message
    assert "spec.management.adoption to IfUnowned" in message

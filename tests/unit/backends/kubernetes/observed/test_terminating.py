"""What a namespace that does not go says, in the words of its controller."""

from typing import Any

import pytest

from landlord.backends.kubernetes.observed import terminating

REMAINING = (
    "Some resources are remaining: configmaps. has 1 resource instances, "
    "certificates.cert-manager.io has 2 resource instances"
)

FINALIZERS = "Some content in the namespace has finalizers remaining: a/b in 3 resource instances"
CONDITIONS = {REMAINING: "NamespaceContentRemaining", FINALIZERS: "NamespaceFinalizersRemaining"}


def namespace(*said: str, finalizers: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        "metadata": {"name": "tenant-acme", "finalizers": list(finalizers)},
        "spec": {"finalizers": ["kubernetes"]},
        "status": {
            "conditions": [
                {"type": "NamespaceDeletionDiscoveryFailure", "status": "False", "message": "all is well"},
                *({"type": CONDITIONS[each], "status": "True", "message": each} for each in said),
            ]
        },
    }


def test_the_resources_that_remain_are_read_from_the_controllers_words() -> None:
    assert terminating.find_remaining(namespace(REMAINING)) == [
        ("configmaps", ""),
        ("certificates", "cert-manager.io"),
    ]
    assert terminating.find_remaining(namespace()) == []


def test_only_what_finalizers_hold_is_named_and_not_without_end() -> None:
    objects = [{"metadata": {"name": f"c{number}", "finalizers": ["a/b", "c/d"]}} for number in range(5)]
    free = {"metadata": {"name": "free"}}
    assert terminating.find_blocked("configmaps", [free, *objects[:1]]) == ["configmaps/c0 (a/b, c/d)"]
    assert terminating.find_blocked("configmaps", objects)[-1] == "2 more configmaps"


@pytest.mark.parametrize(
    ("found", "held", "code", "said"),
    [
        (namespace(), (), "StillTerminating", "still exists: its content is being deleted"),
        (namespace(REMAINING), (), "StillTerminating", "configmaps. has 1 resource instances"),
        (
            namespace(REMAINING),
            ("configmaps/x (a/b)",),
            "HeldByFinalizers",
            "tenant-acme: configmaps/x (a/b)",
        ),
        (namespace(REMAINING, FINALIZERS), (), "HeldByFinalizers", "remaining: a/b in 3 resource instances"),
        (
            namespace(REMAINING, FINALIZERS),
            (),
            "HeldByFinalizers",
            "`kubectl get configmaps,certificates.cert-manager.io -n tenant-acme -o yaml`",
        ),
        (namespace(finalizers=("a/b",)), (), "HeldByFinalizers", "the namespace itself (a/b)"),
    ],
)
def test_what_holds_a_namespace_is_named(
    found: dict[str, Any], held: tuple[str, ...], code: str, said: str
) -> None:
    failure = terminating.explain_delay(found, held)
    assert failure.code == code
    assert said in str(failure)

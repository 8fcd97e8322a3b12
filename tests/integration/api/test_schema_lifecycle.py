"""What the API server refuses of states and lifetimes, and which changes of state."""

import json
from typing import Any

import pytest
from tests.integration.api.test_schema import a_tenant

from dev.kubectl import Kubectl

BAD: dict[str, tuple[dict[str, Any], str]] = {
    "a state that there is not": ({"desiredState": "Stopped"}, '"Active", "Suspended", "Archived"'),
    "a lifetime in days": (
        {"lifetime": {"expireAfter": "30d"}},
        "expireAfter must be a duration from 1s to ten years (87600h), such as 12h or 720h",
    ),
    "a lifetime of nothing": ({"lifetime": {"expireAfter": "0s"}}, "expireAfter must be a duration from 1s"),
    "an end without a time": ({"lifetime": {"onExpiry": "Delete"}}, "expireAfter: Required value"),
    "an end that there is not": (
        {"lifetime": {"expireAfter": "1h", "onExpiry": "Explode"}},
        '"Suspend", "Archive", "Delete"',
    ),
    "a protected Tenant that is deleted at its expiry": (
        {"lifetime": {"expireAfter": "1h", "onExpiry": "Delete"}, "deletion": {"protected": True}},
        "a protected Tenant can't be deleted when it expires: set lifetime.onExpiry to Suspend or Archive",
    ),
}


@pytest.mark.parametrize("case", BAD, ids=str)
def test_refuses(case: str, kubectl: Kubectl) -> None:
    spec, words = BAD[case]
    tenant = a_tenant("default")
    tenant["spec"] |= spec
    refused = kubectl.run("apply", "--dry-run=server", "-f", "-", stdin=json.dumps(tenant))
    assert refused.returncode != 0
    assert words in refused.stderr


@pytest.mark.parametrize(
    ("before", "after", "refused"),
    [
        ("Active", "Suspended", False),
        ("Active", "Archived", False),
        ("Suspended", "Active", False),
        ("Suspended", "Archived", False),
        ("Archived", "Active", False),
        ("Archived", "Suspended", True),
    ],
)
def test_an_archived_tenant_has_nothing_left_to_suspend(
    before: str, after: str, refused: bool, kubectl: Kubectl, namespace: str
) -> None:
    tenant = a_tenant(namespace)
    tenant["spec"]["desiredState"] = before
    kubectl.api.apply(json.dumps(tenant))
    tenant["spec"]["desiredState"] = after
    answer = kubectl.run("apply", "--server-side", "--dry-run=server", "-f", "-", stdin=json.dumps(tenant))
    assert (answer.returncode != 0) == refused
    assert ("an archived tenant can't be suspended" in answer.stderr) == refused

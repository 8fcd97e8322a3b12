"""Service accounts with exactly the rights that a test gives them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from landlord.dev.cluster import ControlPlane

Rule = dict[str, Any]

RBAC = "rbac.authorization.k8s.io"

OPERATOR_RULES: Sequence[Rule] = (
    {"apiGroups": ["landlord.dev"], "resources": ["tenants"], "verbs": ["list", "watch", "patch"]},
    {"apiGroups": ["landlord.dev"], "resources": ["tenants/status"], "verbs": ["patch"]},
    {"apiGroups": ["events.k8s.io"], "resources": ["events"], "verbs": ["create"]},
)
"""All that an operator needs in the namespaces that it watches."""

LEASE_RULES: Sequence[Rule] = (
    {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["get", "create", "update"]},
    {"apiGroups": ["events.k8s.io"], "resources": ["events"], "verbs": ["create"]},
)
"""All that it needs besides in its own namespace for leader election."""


RESTATE_RULES: Sequence[Rule] = (
    {"apiGroups": [""], "resources": ["pods"], "verbs": ["watch"]},
    {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["watch"]},
)
"""All that it needs besides in Restate's namespace to see its pods change."""


def account(control_plane: ControlPlane, namespace: str, name: str, rules: Sequence[Rule]) -> Path:
    """A kubeconfig of a new service account with these rights in its namespace."""
    metadata = {"name": name, "namespace": namespace}
    control_plane.kubectl.apply(
        yaml.safe_dump({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata})
    )
    grant(control_plane, namespace, f"{namespace}/{name}", rules)
    return control_plane.kubeconfig_of(namespace, name)


def grant(control_plane: ControlPlane, namespace: str, account: str, rules: Sequence[Rule]) -> None:
    """Give a service account, "namespace/name", these rights in a namespace, and no others there."""
    owner, _, name = account.partition("/")
    metadata = {"name": name, "namespace": namespace}
    role = {"apiVersion": f"{RBAC}/v1", "kind": "Role", "metadata": metadata, "rules": list(rules)}
    binding = {
        "apiVersion": f"{RBAC}/v1",
        "kind": "RoleBinding",
        "metadata": metadata,
        "roleRef": {"apiGroup": RBAC, "kind": "Role", "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": owner}],
    }
    control_plane.kubectl.apply(yaml.safe_dump_all([role, binding]))

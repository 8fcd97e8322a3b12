"""Service accounts with exactly the rights that a test gives them, such as those of the manifests."""

from collections.abc import Sequence
from pathlib import Path

from tests.support.manifests import RESTATE_PODS, Rule, rules

from dev.cluster import ControlPlane
from landlord.controller.decide.rights import Right

RBAC = "rbac.authorization.k8s.io"

OPERATOR_RULES = rules("ClusterRole", "landlord-operator")
"""All that an operator needs in the namespaces that it watches."""

LEASE_RULES = rules("Role", "landlord-operator")
"""All that it needs besides in its own namespace for leader election."""

RESTATE_RULES = rules("Role", "landlord-operator", RESTATE_PODS)
"""All that it needs besides in Restate's namespace to see its pods change."""


def account(control_plane: ControlPlane, namespace: str, name: str, rules: Sequence[Rule]) -> Path:
    """A kubeconfig of a new service account with these rights in its namespace."""
    metadata = {"name": name, "namespace": namespace}
    control_plane.kubectl.api.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata})
    grant(control_plane, namespace, f"{namespace}/{name}", rules)
    return control_plane.kubeconfig_of(namespace, name)


def administrator(control_plane: ControlPlane, namespace: str, name: str) -> Path:
    """A kubeconfig of a new service account that may do everything."""
    subject = {"kind": "ServiceAccount", "name": name, "namespace": namespace}
    control_plane.kubectl.api.apply(
        {
            "apiVersion": f"{RBAC}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": f"{namespace}-{name}"},
            "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": "cluster-admin"},
            "subjects": [subject],
        }
    )
    return account(control_plane, namespace, name, ())


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
    control_plane.kubectl.api.apply(role, binding)


def used(control_plane: ControlPlane, namespace: str, name: str) -> set[str]:
    """The rights by which the API server has let a service account do what it did, wherever that was.

    An apply that makes an object takes the right to create it, too. What everybody may do is left out: to ask
    what kinds there are, and for one's own rights.
    """
    found: set[str] = set()
    user = f"system:serviceaccount:{namespace}:{name}"
    for event in control_plane.audited(user):
        target, status = event.get("objectRef", {}), event["responseStatus"]["code"]
        if event["user"].get("username") != user or status == 403:
            continue
        if "resource" not in target or target.get("apiGroup") == "authorization.k8s.io":
            continue
        resource = "/".join(filter(None, (target["resource"], target.get("subresource"))))
        verbs = {event["verb"], "create"} if status == 201 else {event["verb"]}
        found |= {in_short(Right(verb, resource, None, target.get("apiGroup", ""))) for verb in verbs}
    return found


def in_short(right: Right) -> str:
    """What may be done with which kind, whatever its namespace and name."""
    return f"{right.verb} {right.resource}.{right.group}"

"""What a user wrote to the API server, by the API server's own account."""

from collections.abc import Iterator
from dataclasses import dataclass

from landlord.dev.cluster import ControlPlane

VERBS = ("create", "update", "patch", "delete", "deletecollection")


@dataclass(frozen=True)
class Write:
    """One write, whatever came of it."""

    verb: str
    resource: str
    """With its subresource, such as tenants/status."""
    name: str
    status: int


def writes_of(control_plane: ControlPlane, namespace: str, service_account: str) -> Iterator[Write]:
    """All writes so far of a service account, in their order. A question about its rights is none."""
    user = f"system:serviceaccount:{namespace}:{service_account}"
    for event in control_plane.audited():
        if event["user"].get("username") != user or event["verb"] not in VERBS:
            continue
        target = event["objectRef"]
        if target["resource"] == "selfsubjectaccessreviews":
            continue
        resource = "/".join(filter(None, (target["resource"], target.get("subresource"))))
        yield Write(event["verb"], resource, target.get("name", ""), event["responseStatus"]["code"])

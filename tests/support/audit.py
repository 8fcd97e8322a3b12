"""What a user wrote to the API server, by the API server's own account."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from dev.cluster import ControlPlane

VERBS = ("create", "update", "patch", "delete", "deletecollection")


@dataclass(frozen=True)
class Write:
    """One write, whatever came of it."""

    verb: str
    resource: str
    """With its subresource, such as tenants/status."""
    name: str
    status: int
    at: datetime
    """When the API server was asked."""

    @property
    def about(self) -> str:
        """The name of the object that it is about; an Event is named after that."""
        return self.name.rpartition(".")[0] if self.resource == "events" else self.name


def writes_of(control_plane: ControlPlane, namespace: str, service_account: str) -> Iterator[Write]:
    """All writes so far of a service account, in their order. A question about its rights is none."""
    user = f"system:serviceaccount:{namespace}:{service_account}"
    for event in control_plane.audited(user):
        if event["user"].get("username") != user or event["verb"] not in VERBS:
            continue
        target = event["objectRef"]
        if target["resource"] == "selfsubjectaccessreviews":
            continue
        resource = "/".join(filter(None, (target["resource"], target.get("subresource"))))
        yield Write(
            verb=event["verb"],
            resource=resource,
            name=target.get("name", ""),
            status=event["responseStatus"]["code"],
            at=datetime.fromisoformat(event["requestReceivedTimestamp"]),
        )

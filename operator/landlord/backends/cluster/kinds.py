"""The kinds of objects that landlord works with, and their paths on the API server. No I/O."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ObjectKind:
    """One kind of object."""

    api_version: str
    name: str
    plural: str

    def path(self, namespace: str | None, name: str = "") -> str:
        """Build the path of an object, or of all objects in a namespace or the cluster."""
        root = "/apis/" if "/" in self.api_version else "/api/"
        scope = f"/namespaces/{namespace}" if namespace else ""
        return f"{root}{self.api_version}{scope}/{self.plural}{f'/{name}' if name else ''}"


NAMESPACE = ObjectKind("v1", "Namespace", "namespaces")
RESOURCE_QUOTA = ObjectKind("v1", "ResourceQuota", "resourcequotas")
LIMIT_RANGE = ObjectKind("v1", "LimitRange", "limitranges")
NETWORK_POLICY = ObjectKind("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies")
SERVICE_ACCOUNT = ObjectKind("v1", "ServiceAccount", "serviceaccounts")
SECRET = ObjectKind("v1", "Secret", "secrets")
SERVICE = ObjectKind("v1", "Service", "services")
DEPLOYMENT = ObjectKind("apps/v1", "Deployment", "deployments")
REPLICA_SET = ObjectKind("apps/v1", "ReplicaSet", "replicasets")
POD = ObjectKind("v1", "Pod", "pods")
EVENT = ObjectKind("v1", "Event", "events")

CREATED = (DEPLOYMENT, SERVICE, SERVICE_ACCOUNT, NETWORK_POLICY, LIMIT_RANGE, RESOURCE_QUOTA, SECRET)
"""The kinds that landlord creates in a tenant's namespace, in the order in which it deletes them."""

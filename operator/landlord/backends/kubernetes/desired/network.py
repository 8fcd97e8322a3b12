"""Builds the rules for who can reach a tenant, and whom it can reach. No I/O."""

from landlord.api.request import Desired
from landlord.api.schema import JsonObject
from landlord.backends.kubernetes import ownership

OWN_PODS: JsonObject = {"podSelector": {}}
DNS: JsonObject = {
    "to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}],
    "ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}],
}


def build_policy(desired: Desired) -> JsonObject | None:
    """Build the policy of all pods in the namespace, which denies all that it does not name; None if open.

    NetworkPolicies add up, so others can open more with policies of their own.
    """
    isolation = ownership.read_settings(desired).network_isolation
    if isolation == "Open":
        return None
    ingress: list[JsonObject] = [{"from": [OWN_PODS]}]
    ports = [port for container in desired.workload.containers for port in container.ports]
    if isolation == "IngressOnly" and ports:
        ingress.append(
            {"ports": [{"port": port.container_port, "protocol": port.protocol} for port in ports]}
        )
    return {
        "spec": {
            "podSelector": {},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": ingress,
            "egress": [{"to": [OWN_PODS]}, DNS],
        }
    }

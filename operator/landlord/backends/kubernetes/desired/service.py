"""Builds a tenant's Service and its endpoints. No I/O."""

from landlord.api import names
from landlord.api.outcome import Endpoint
from landlord.api.request import Desired
from landlord.api.schema import JsonObject
from landlord.api.workload import Port
from landlord.backends.kubernetes import ownership
from landlord.backends.urls import build_url

APP_PROTOCOLS = {"http": "http", "https": "https", "grpc": "kubernetes.io/h2c"}


def build_service(desired: Desired) -> JsonObject | None:
    """Build the Service of all declared ports; None without ports, or if they are not exposed."""
    ports = find_offered_ports(desired)
    if not ports:
        return None
    return {
        "spec": {
            "type": ownership.read_settings(desired).exposure,
            "selector": names.labels(desired.tenant_id),
            "ports": [_build_port(port) for port in ports],
        }
    }


def find_offered_ports(desired: Desired) -> list[Port]:
    """Find the ports that others can reach."""
    if ownership.read_settings(desired).exposure == "None":
        return []
    return [port for container in desired.workload.containers for port in container.ports]


def build_endpoints(desired: Desired, host: str) -> tuple[Endpoint, ...]:
    """Build the endpoint of each port that others can reach."""
    return tuple(
        Endpoint(name=port.name, url=build_url(port, host, port.container_port))
        for port in find_offered_ports(desired)
    )


def build_internal_host(desired: Desired) -> str:
    """Build the Service's name, which resolves anywhere in the cluster, whatever the cluster's domain is."""
    return f"{names.OBJECT_NAME}.{ownership.name_namespace(desired)}.svc"


def read_external_host(found: JsonObject) -> str | None:
    """Read the load balancer's address; None as long as it has none."""
    given: list[dict[str, str]] = found.get("status", {}).get("loadBalancer", {}).get("ingress") or [{}]
    return given[0].get("hostname") or given[0].get("ip")


def _build_port(port: Port) -> JsonObject:
    entry: JsonObject = {
        "name": port.name,
        "port": port.container_port,
        "targetPort": port.container_port,
        "protocol": port.protocol,
    }
    if protocol := APP_PROTOCOLS.get(port.app_protocol):
        entry["appProtocol"] = protocol
    return entry

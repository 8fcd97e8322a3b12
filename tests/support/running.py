"""What runs of a tenant, told in the terms of its manifest, so that backends can be compared with it."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import docker

from dev.kubectl import Kubectl
from landlord.api.names import LABEL_TENANT
from landlord.backends.quantity import parse_quantity

Object = dict[str, Any]
Secrets = Mapping[str, Mapping[str, str]]
"""What is in each Secret, by its name."""


@dataclass(frozen=True)
class Running:
    """One container that runs."""

    image: str
    env: Mapping[str, str]
    ports: frozenset[str]
    """Number and protocol, such as 8080/TCP."""
    resources: Mapping[str, Decimal]
    """Such as limits.cpu."""


def asked_for(spec: Object, secrets: Secrets) -> list[Running]:
    """What the spec of a Tenant asks for."""
    workload = spec["workload"]
    return [_of(each, secrets) for each in workload["containers"]] * int(workload.get("replicas", 1))


def on_docker(engine: docker.DockerClient, tenant_id: str) -> list[Running]:
    """What runs on the Docker engine."""
    containers = engine.containers.list(filters={"label": f"{LABEL_TENANT}={tenant_id}"})
    return [_inspected(engine, container.attrs) for container in containers]


def on_kubernetes(kubectl: Kubectl, tenant_id: str) -> list[Running]:
    """What runs in the tenant's namespace.

    The pods say how many run; what a container is, is read from the Deployment, for the API server adds
    defaults to a pod.
    """
    namespace = f"tenant-{tenant_id}"
    secrets = secrets_of(kubectl.api.get("secrets", namespace=namespace)["items"])
    running = [
        pod
        for pod in kubectl.api.get("pods", namespace=namespace)["items"]
        if pod["status"].get("phase") == "Running" and "deletionTimestamp" not in pod["metadata"]
    ]
    return [
        _of(container, secrets)
        for deployment in kubectl.api.get("deployments", namespace=namespace)["items"]
        for container in deployment["spec"]["template"]["spec"]["containers"] * len(running)
    ]


def secrets_of(objects: list[Object]) -> Secrets:
    """What is in the Secrets among these objects."""
    return {
        each["metadata"]["name"]: {
            key: base64.b64decode(value).decode() for key, value in each.get("data", {}).items()
        }
        | each.get("stringData", {})
        for each in objects
        if each["kind"] == "Secret"
    }


def _of(container: Object, secrets: Secrets) -> Running:
    return Running(
        image=container["image"],
        env={variable["name"]: _value(variable, secrets) for variable in container.get("env", ())},
        ports=frozenset(
            f"{port['containerPort']}/{port.get('protocol', 'TCP')}" for port in container.get("ports", ())
        ),
        resources={
            f"{kind}.{name}": parse_quantity(amount)
            for kind, amounts in container.get("resources", {}).items()
            for name, amount in amounts.items()
        },
    )


def _value(variable: Object, secrets: Secrets) -> str:
    if "valueFrom" in variable:
        reference = variable["valueFrom"]["secretKeyRef"]
        return secrets[reference["name"]][reference["key"]]
    return str(variable.get("value", "")).replace("$$", "$")


def _inspected(engine: docker.DockerClient, inspected: Object) -> Running:
    config, host = inspected["Config"], inspected["HostConfig"]
    own = engine.images.get(inspected["Image"]).attrs["Config"]["Env"] or ()
    amounts = {
        "limits.cpu": Decimal(host["NanoCpus"]) / 10**9,
        "limits.memory": Decimal(host["Memory"]),
        "requests.cpu": Decimal(round(Decimal(host["CpuShares"]) / 1024, 2)),
        "requests.memory": Decimal(host["MemoryReservation"]),
    }
    return Running(
        image=config["Image"],
        env=dict(variable.split("=", 1) for variable in config["Env"] if variable not in own),
        ports=frozenset(port.upper() for port in config.get("ExposedPorts") or ()),
        resources={name: amount for name, amount in amounts.items() if amount},
    )

"""Builds a tenant's Deployment and its pods. No I/O."""

import hashlib
import json
from dataclasses import dataclass

from landlord.api import names
from landlord.api.compute import KubernetesCompute
from landlord.api.request import Desired
from landlord.api.schema import JsonObject
from landlord.api.workload import Container, EnvVar, Probe
from landlord.backends.kubernetes import ownership
from landlord.backends.kubernetes.desired import limits

PROBE_SECONDS = 5
LONGEST_KEY = 253
"""Characters of a key in a Secret."""
IN_PLACE: JsonObject = {"strategy": {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}}
"""For a quota without room for one more pod: a pod of the previous version ends first. Otherwise, an update
would wait forever for resources that the tenant itself uses."""


@dataclass(frozen=True)
class SecretCopy:
    """What pods must know of the Secret in their namespace, from which containers take their values."""

    version: str
    """Changes whenever a value in the Secret changes, so that the pods are replaced."""
    recorded: str
    """The versions of the Secrets that it was copied from, which a survey compares."""


def build_deployment(desired: Desired, copied: SecretCopy | None = None) -> JsonObject:
    """Build the Deployment, which replaces its pods exactly when what they run changes."""
    return {
        # The ReplicaSet gets the Deployment's annotations. A new one makes it retry at once to create pods
        # that a quota rejected.
        "metadata": {
            "annotations": {names.LABEL_SPEC_HASH: desired.hash()}
            | ({names.ANNOTATION_SECRETS: copied.recorded} if copied else {}),
            "labels": ownership.ACTIVE,
        },
        "spec": {
            "replicas": desired.workload.replicas,
            "selector": {"matchLabels": names.labels(desired.tenant_id)},
            # A container without a probe counts as ready when it starts, even if it ends at once.
            "minReadySeconds": 1 if any(each.probe is None for each in desired.workload.containers) else 0,
            "template": _build_template(desired, copied),
        }
        | ({} if limits.has_room(desired, desired.workload.replicas + 1) else IN_PLACE),
    }


def build_key(container: str, variable: str) -> str:
    """Build the key of a variable's value in the Secret. No container's name contains a dot.

    The end of a name that is too long for a key gives way to a digest of the whole.
    """
    key = f"{container}.{variable}"
    if len(key) <= LONGEST_KEY:
        return key
    digest = hashlib.sha256(key.encode()).hexdigest()[:16]
    return f"{key[: LONGEST_KEY - len(digest) - 1]}.{digest}"


def _build_template(desired: Desired, copied: SecretCopy | None) -> JsonObject:
    annotations = {"annotations": {names.ANNOTATION_SECRETS_VERSION: copied.version}} if copied else {}
    content = _build_pod(desired)
    canonical = json.dumps(content | annotations, sort_keys=True, separators=(",", ":"))
    version = {names.LABEL_POD_HASH: hashlib.sha256(canonical.encode()).hexdigest()[:16]}
    labels = {"labels": names.labels(desired.tenant_id) | version}
    return {"metadata": labels | annotations, "spec": content}


def _build_pod(desired: Desired) -> JsonObject:
    compute = ownership.read_settings(desired)
    restricted = compute.pod_security == "restricted"
    return _without_empty(
        {
            "serviceAccountName": names.OBJECT_NAME,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "nodeSelector": compute.node_selector,
            "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}}
            | ({"runAsNonRoot": True} if restricted else {}),
            "containers": [_build_container(container, compute) for container in desired.workload.containers],
        }
    )


def _build_container(container: Container, compute: KubernetesCompute) -> JsonObject:
    requests, limited = limits.find_amounts(container, compute.quota)
    return _without_empty(
        {
            "name": container.name,
            "image": container.image,
            "imagePullPolicy": container.image_pull_policy,
            "command": [escape(word) for word in container.command or ()],
            "args": [escape(word) for word in container.args or ()],
            "env": [_build_variable(container, each) for each in container.env],
            # Without names, because the rules for a container's port names are stricter than a Tenant's.
            "ports": [
                {"containerPort": each.container_port, "protocol": each.protocol} for each in container.ports
            ],
            "resources": _without_empty({"requests": requests, "limits": limited}),
            "readinessProbe": _build_probe(container.probe) if container.probe else {},
            "securityContext": {"allowPrivilegeEscalation": False}
            | ({"capabilities": {"drop": ["ALL"]}} if compute.pod_security == "restricted" else {}),
            # It puts the last lines of a crashed container's log into the pod's status.
            "terminationMessagePolicy": "FallbackToLogsOnError",
        }
    )


def _build_variable(container: Container, variable: EnvVar) -> JsonObject:
    if variable.secret is None:
        return {"name": variable.name, "value": escape(variable.value)}
    reference = {"name": names.OBJECT_NAME, "key": build_key(container.name, variable.name)}
    optional = {"optional": True} if variable.secret.optional else {}
    return {"name": variable.name, "valueFrom": {"secretKeyRef": reference | optional}}


def escape(text: str) -> str:
    """Escape a text so that Kubernetes leaves it unchanged, because it expands $(NAME)."""
    return text.replace("$", "$$")


def _without_empty(content: JsonObject) -> JsonObject:
    """Copy the content without empty fields, which landlord would own otherwise."""
    return {key: value for key, value in content.items() if value not in ({}, [])}


def _build_probe(probe: Probe) -> JsonObject:
    content: JsonObject = {"periodSeconds": PROBE_SECONDS, "timeoutSeconds": probe.timeout_seconds}
    if probe.http_get:
        content["httpGet"] = {"path": probe.http_get.path, "port": probe.http_get.port}
    elif probe.tcp_socket:
        content["tcpSocket"] = {"port": probe.tcp_socket.port}
    elif probe.exec:
        content["exec"] = {"command": [escape(word) for word in probe.exec.command]}
    return content

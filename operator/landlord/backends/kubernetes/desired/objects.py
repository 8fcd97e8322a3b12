"""Builds all objects of a tenant. No I/O."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from landlord.api import names
from landlord.api.request import Desired
from landlord.api.schema import JsonObject
from landlord.backends.cluster import kinds
from landlord.backends.cluster.kinds import ObjectKind
from landlord.backends.kubernetes import ownership
from landlord.backends.kubernetes.desired import limits, network, pods, service
from landlord.backends.kubernetes.desired.pods import SecretCopy


@dataclass(frozen=True)
class DesiredObject:
    """The tenant's object of one kind."""

    kind: ObjectKind
    content: JsonObject | None
    """Labels, spec and so on, without its identity. None: the object must not exist."""


def build_objects(
    desired: Desired, copied: SecretCopy | None = None
) -> Mapping[str, Sequence[DesiredObject]]:
    """Build the objects of each step, in order: no pod runs before its limits and its network policy exist.

    They do not include the copy of Secrets, although the Deployment is incomplete without it.
    """
    content: dict[str, Sequence[DesiredObject]] = {
        "limits": (
            DesiredObject(kinds.RESOURCE_QUOTA, limits.build_resource_quota(desired)),
            DesiredObject(kinds.LIMIT_RANGE, limits.build_limit_range(desired)),
        ),
        "network": (DesiredObject(kinds.NETWORK_POLICY, network.build_policy(desired)),),
        "workload": (
            DesiredObject(kinds.SERVICE_ACCOUNT, {"automountServiceAccountToken": False}),
            DesiredObject(kinds.SERVICE, service.build_service(desired)),
            DesiredObject(kinds.DEPLOYMENT, pods.build_deployment(desired, copied)),
        ),
        # As long as a pod of the previous version exists, it may restart a container, which needs the Secret.
        "ready": () if desired.workload.refers_to_secrets else (DesiredObject(kinds.SECRET, None),),
    }
    made = [each.kind.name for wanted in content.values() for each in wanted if each.content is not None]
    if desired.workload.refers_to_secrets:
        made.append(kinds.SECRET.name)
    return {"namespace": (DesiredObject(kinds.NAMESPACE, build_namespace(desired, made)),), **content}


def locate(kind: ObjectKind, desired: Desired) -> tuple[str | None, str]:
    """Return namespace and name of the tenant's object of a kind."""
    namespace = ownership.name_namespace(desired)
    return (None, namespace) if kind is kinds.NAMESPACE else (namespace, names.OBJECT_NAME)


def build_manifest(kind: ObjectKind, content: JsonObject, desired: Desired) -> JsonObject:
    """Build the whole object, with landlord's labels, for server-side apply."""
    namespace, name = locate(kind, desired)
    metadata = content.get("metadata", {})
    labels = names.labels(desired.tenant_id) | {names.LABEL_SPEC_HASH: desired.hash()}
    return content | {
        "apiVersion": kind.api_version,
        "kind": kind.name,
        "metadata": metadata
        | {"name": name, "labels": metadata.get("labels", {}) | labels}
        | ({"namespace": namespace} if namespace else {}),
    }


def build_namespace(desired: Desired, made: Iterable[str]) -> JsonObject:
    """Build the namespace, with its Pod Security level and the kinds that landlord creates in it."""
    compute = ownership.read_settings(desired)
    level = dict.fromkeys(ownership.POD_SECURITY, compute.pod_security)
    settings = compute.namespace
    annotations = settings.annotations | {names.ANNOTATION_MADE: ",".join(made)}
    return {"metadata": {"labels": settings.labels | level | ownership.ACTIVE, "annotations": annotations}}

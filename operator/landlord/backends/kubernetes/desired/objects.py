"""All objects of a tenant, as they are to be. No I/O."""

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
    """What shall be at the place that landlord has for a kind."""

    kind: ObjectKind
    content: JsonObject | None
    """Labels, spec and so on, without what identifies it. None: nothing shall be there."""


def build_objects(
    desired: Desired, copied: SecretCopy | None = None
) -> Mapping[str, Sequence[DesiredObject]]:
    """What each step makes true, in this order: no pod runs before its limits and its network are there.

    The copy of the Secrets that a workload refers to is no part of it, but the workload is not whole without.
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
        # Until all pods of the version before are gone, one of them may start a container anew and need it.
        "ready": () if desired.workload.refers_to_secrets else (DesiredObject(kinds.SECRET, None),),
    }
    made = [each.kind.name for wanted in content.values() for each in wanted if each.content is not None]
    if desired.workload.refers_to_secrets:
        made.append(kinds.SECRET.name)
    return {"namespace": (DesiredObject(kinds.NAMESPACE, build_namespace(desired, made)),), **content}


def locate(kind: ObjectKind, desired: Desired) -> tuple[str | None, str]:
    """Namespace and name of the tenant's object of a kind."""
    namespace = ownership.name_namespace(desired)
    return (None, namespace) if kind is kinds.NAMESPACE else (namespace, names.OBJECT_NAME)


def build_manifest(kind: ObjectKind, content: JsonObject, desired: Desired) -> JsonObject:
    """The whole object, with landlord's labels, as server-side apply takes it."""
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
    """The namespace, in which the API server enforces the Pod Security level, with the kinds made in it."""
    compute = ownership.read_settings(desired)
    level = dict.fromkeys(ownership.POD_SECURITY, compute.pod_security)
    settings = compute.namespace
    annotations = settings.annotations | {names.ANNOTATION_MADE: ",".join(made)}
    return {"metadata": {"labels": settings.labels | level | ownership.ACTIVE, "annotations": annotations}}

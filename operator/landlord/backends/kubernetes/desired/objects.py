"""All objects of a tenant, as they are to be. No I/O."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from landlord.api import names
from landlord.api.request import Desired
from landlord.api.schema import JsonObject
from landlord.backends.cluster import kinds
from landlord.backends.cluster.kinds import Kind
from landlord.backends.kubernetes import ownership
from landlord.backends.kubernetes.desired import limits, network, pods, service
from landlord.backends.kubernetes.desired.pods import Copied


@dataclass(frozen=True)
class Wanted:
    """What shall be at the place that landlord has for a kind."""

    kind: Kind
    content: JsonObject | None
    """Labels, spec and so on, without what identifies it. None: nothing shall be there."""


def objects(desired: Desired, copied: Copied | None = None) -> Mapping[str, Sequence[Wanted]]:
    """What each step makes true, in this order: no pod runs before its limits and its network are there.

    The copy of the Secrets that a workload refers to is no part of it, but the workload is not whole without.
    """
    content: dict[str, Sequence[Wanted]] = {
        "limits": (
            Wanted(kinds.RESOURCE_QUOTA, limits.resource_quota(desired)),
            Wanted(kinds.LIMIT_RANGE, limits.limit_range(desired)),
        ),
        "network": (Wanted(kinds.NETWORK_POLICY, network.policy(desired)),),
        "workload": (
            Wanted(kinds.SERVICE_ACCOUNT, {"automountServiceAccountToken": False}),
            Wanted(kinds.SERVICE, service.service(desired)),
            Wanted(kinds.DEPLOYMENT, pods.deployment(desired, copied)),
        ),
        # Until all pods of the version before are gone, one of them may start a container anew and need it.
        "ready": () if desired.workload.refers_to_secrets else (Wanted(kinds.SECRET, None),),
    }
    made = [each.kind.name for wanted in content.values() for each in wanted if each.content is not None]
    if desired.workload.refers_to_secrets:
        made.append(kinds.SECRET.name)
    return {"namespace": (Wanted(kinds.NAMESPACE, namespace(desired, made)),), **content}


def place(kind: Kind, desired: Desired) -> tuple[str | None, str]:
    """Namespace and name of the tenant's object of a kind."""
    namespace = ownership.namespace_name(desired)
    return (None, namespace) if kind is kinds.NAMESPACE else (namespace, names.OBJECT_NAME)


def manifest(kind: Kind, content: JsonObject, desired: Desired) -> JsonObject:
    """The whole object, with landlord's labels, as server-side apply takes it."""
    namespace, name = place(kind, desired)
    metadata = content.get("metadata", {})
    labels = names.labels(desired.tenant_id) | {names.LABEL_SPEC_HASH: desired.hash()}
    return content | {
        "apiVersion": kind.api_version,
        "kind": kind.name,
        "metadata": metadata
        | {"name": name, "labels": metadata.get("labels", {}) | labels}
        | ({"namespace": namespace} if namespace else {}),
    }


def namespace(desired: Desired, made: Iterable[str]) -> JsonObject:
    """The namespace, in which the API server enforces the Pod Security level, with the kinds made in it."""
    compute = ownership.kubernetes(desired)
    level = dict.fromkeys(ownership.POD_SECURITY, compute.pod_security)
    settings = compute.namespace
    annotations = settings.annotations | {names.ANNOTATION_MADE: ",".join(made)}
    return {"metadata": {"labels": settings.labels | level | ownership.ACTIVE, "annotations": annotations}}

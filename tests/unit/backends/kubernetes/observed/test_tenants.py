from typing import Any

import pytest

from landlord.api import names
from landlord.backends.cluster import kinds
from landlord.backends.contract import Observation
from landlord.backends.kubernetes import ownership
from landlord.backends.kubernetes.observed.tenants import TenantCollector

Object = dict[str, Any]
AVAILABLE = {"replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}


def namespace(tenant_id: str = "acme", state: str = "Active", made: str = "", **metadata: Any) -> Object:
    labels = {names.LABEL_SPEC_HASH: "of-namespace", names.LABEL_STATE: state}
    annotations = {names.ANNOTATION_MADE: made}
    owned = {"labels": names.labels(tenant_id) | labels, "annotations": annotations}
    return {"metadata": {"name": f"tenant-{tenant_id}", **owned, **metadata}}


def metadata(tenant_id: str = "acme", generation: int = 3, **labels: str) -> Object:
    owned = names.labels(tenant_id) | {names.LABEL_GENERATION: "3"} | labels
    where = {"name": "tenant", "namespace": f"tenant-{tenant_id}"}
    return {"metadata": where | {"generation": generation, "labels": owned}}


def deployment(
    tenant_id: str = "acme", state: str = "Active", replicas: int = 2, generation: int = 3, **status: int
) -> Object:
    labels = {names.LABEL_SPEC_HASH: "h", names.LABEL_STATE: state}
    found = metadata(tenant_id, generation, **labels)
    seen = {"observedGeneration": generation} | (AVAILABLE if replicas else {})
    return found | {"spec": {"replicas": replicas}, "status": seen | status}


def observed(
    place: Object, workload: Object | None = None, *others: tuple[kinds.ObjectKind, Object]
) -> Observation:
    survey = TenantCollector()
    survey.add_namespace(place)
    if workload:
        survey.add_deployment(workload)
    for kind, found in others:
        survey.add(kind, found)
    return survey.build_observations()["acme"]


def test_a_survey_tells_of_every_tenant_with_a_namespace() -> None:
    survey = TenantCollector()
    theirs = deployment("other")
    theirs["metadata"]["namespace"] = "tenant-foreign"
    for found in (namespace("acme"), namespace("empty"), namespace("late"), namespace("foreign")):
        survey.add_namespace(found)
    late = deployment("late", availableReplicas=0)
    for found in (deployment(), late, theirs, deployment("made-meanwhile")):
        survey.add_deployment(found)
    seen = survey.build_observations().items()
    assert {tenant_id: (each.healthy, each.spec_hash, each.reason) for tenant_id, each in seen} == {
        "acme": (True, "h", "all replicas are available"),
        "empty": (False, None, "the Deployment does not exist"),
        "late": (False, "h", "0 of 2 pods are available"),
        "foreign": (False, None, "the Deployment does not exist"),
    }


@pytest.mark.parametrize(
    ("of_namespace", "of_deployment", "state"),
    [
        ("Active", "Active", "Active"),
        ("Active", None, "Active"),
        ("Active", "Suspended", "Suspended"),  # on its way back
        ("Suspended", "Active", "Suspended"),  # on its way to rest
        ("Suspended", "Suspended", "Suspended"),
        ("Suspended", None, "Suspended"),
        ("Archived", "Active", "Archived"),
        ("Archived", "Suspended", "Archived"),
        ("Archived", None, "Archived"),
        ("of a later version", None, "Active"),
    ],
)
def test_a_tenant_is_active_when_neither_its_namespace_nor_its_deployment_says_otherwise(
    of_namespace: str, of_deployment: str | None, state: str
) -> None:
    workload = deployment(state=of_deployment) if of_deployment else None
    assert observed(namespace(state=of_namespace), workload).state == state


ENDING = deployment(state="Suspended", replicas=0)
ENDING["status"]["replicas"] = 1


@pytest.mark.parametrize(
    ("state", "workload", "healthy", "drift", "reason"),
    [
        ("Suspended", deployment(state="Suspended", replicas=0), True, "", "nothing runs"),
        ("Suspended", None, True, "", "nothing runs"),
        ("Archived", None, True, "", "nothing runs"),
        ("Suspended", ENDING, False, "", "its pods are terminating"),
        (
            "Suspended",
            deployment(state="Suspended", replicas=0, observedGeneration=2),
            False,
            "",
            "its pods are terminating",
        ),
        (
            "Suspended",
            deployment(state="Suspended"),
            False,
            "it is suspended, but its Deployment has 2 replicas",
            "it is suspended, but its Deployment has 2 replicas",
        ),
        (
            "Archived",
            deployment(replicas=0),
            False,
            "it is archived, but its Deployment has 0 replicas",
            "it is archived, but its Deployment has 0 replicas",
        ),
    ],
)
def test_a_tenant_at_rest_is_as_it_should_be_when_nothing_of_it_runs(
    state: str, workload: Object | None, healthy: bool, drift: str, reason: str
) -> None:
    place = namespace(state=state, made="Deployment,Service")
    seen = observed(place, workload)
    assert (seen.healthy, seen.drift, seen.reason) == (healthy, drift, reason)
    assert seen.spec_hash == ("h" if workload else "of-namespace")


def test_what_was_made_and_is_in_no_list_is_missing() -> None:
    place = namespace(made="Deployment,LimitRange,NetworkPolicy,Service")
    policy, service = (kinds.NETWORK_POLICY, metadata()), (kinds.SERVICE, metadata("another"))
    assert observed(place, deployment(), policy, service).drift == (
        "the LimitRange is missing; the Service is missing"
    )
    assert observed(place, None, policy).drift.startswith("the Deployment is missing; ")


def test_what_was_changed_is_named() -> None:
    policy = (kinds.NETWORK_POLICY, metadata(generation=4))
    seen = observed(namespace(), deployment(generation=5), policy)
    assert seen.healthy
    assert seen.drift == (
        "somebody changed the Deployment (generation 5); somebody changed the NetworkPolicy (generation 4)"
    )


def test_what_was_changed_of_an_object_without_a_generation_is_named_by_field() -> None:
    service = metadata()
    service["metadata"]["annotations"] = {names.ANNOTATION_APPLIED: '{"spec":{"type":"ClusterIP"}}'}
    changed = (kinds.SERVICE, service | {"spec": {"type": "NodePort"}})
    seen = observed(namespace(), deployment(), changed)
    assert seen.drift == "somebody changed the Service: spec.type is NodePort, should be ClusterIP"


def test_a_tenant_of_an_earlier_version_has_no_drift() -> None:
    place, workload = namespace(), deployment(generation=9)
    del place["metadata"]["annotations"]
    for found in (place, workload):
        labels = found["metadata"]["labels"]
        found["metadata"]["labels"] = {
            key: value
            for key, value in labels.items()
            if key not in (names.LABEL_STATE, names.LABEL_GENERATION)
        }
    seen = observed(place, workload)
    assert (seen.state, seen.healthy, seen.drift) == ("Active", True, "")


def test_an_active_tenant_without_replicas_is_not_healthy() -> None:
    seen = observed(namespace(), deployment(replicas=0))
    assert (seen.healthy, seen.reason) == (False, "the Deployment is scaled to zero")


def test_a_namespace_that_is_being_deleted_is_drift_whatever_is_left_in_it() -> None:
    for workload in (deployment(), None):
        seen = observed(namespace(deletionTimestamp="now"), workload)
        assert (seen.healthy, seen.drift) == (False, "the namespace is being deleted")


def test_a_copy_of_a_tenant_s_namespace_is_none_of_its() -> None:
    survey = TenantCollector()
    survey.add_namespace(namespace())
    survey.add_namespace(namespace(name="a-copy", state="Archived"))
    survey.add_deployment(deployment())
    assert survey.build_observations()["acme"].healthy


def test_of_a_tenant_with_two_namespaces_neither_hides_the_other() -> None:
    survey = TenantCollector()
    survey.add_namespace(namespace())
    survey.add_namespace(namespace(name="other", annotations=ownership.build_origin("other", made=True)))
    survey.add_deployment(deployment())
    seen = survey.build_observations()["acme"]
    assert (seen.healthy, seen.drift) == (False, "")
    assert seen.reason == "the tenant has more than one namespace; other is one of them"

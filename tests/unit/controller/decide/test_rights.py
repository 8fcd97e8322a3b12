"""The least rights: cluster-wide only the CRD, and Tenants if all namespaces are watched."""

import pytest

from landlord.controller.decide.rights import list_rights
from landlord.settings import OperatorSettings

CRD = "get customresourcedefinitions.apiextensions.k8s.io named tenants.landlord.dev"
RESTATE = OperatorSettings(
    leader_election=False,
    watch_namespaces=("acme",),
    restate_namespace="restate",
    restate_pod_selector="app=restate",
)


@pytest.mark.parametrize(
    ("settings", "needed"),
    [
        (
            OperatorSettings(leader_election=False),
            [
                "list tenants in all namespaces",
                "watch tenants in all namespaces",
                "patch tenants in all namespaces",
                "delete tenants in all namespaces",
                "patch tenants/status in all namespaces",
                "create events.events.k8s.io in all namespaces",
                CRD,
            ],
        ),
        (
            OperatorSettings(leader_election=True, namespace="landlord", watch_namespaces=("acme", "blue")),
            [
                *(
                    f"{what} in namespace {namespace}"
                    for namespace in ("acme", "blue")
                    for what in (
                        "list tenants",
                        "watch tenants",
                        "patch tenants",
                        "delete tenants",
                        "patch tenants/status",
                        "create events.events.k8s.io",
                    )
                ),
                CRD,
                "get leases.coordination.k8s.io in namespace landlord",
                "create leases.coordination.k8s.io in namespace landlord",
                "update leases.coordination.k8s.io in namespace landlord",
                "create events.events.k8s.io in namespace landlord",
            ],
        ),
    ],
    ids=["all namespaces", "some namespaces and a lease"],
)
def test_rights_follow_from_the_settings(settings: OperatorSettings, needed: list[str]) -> None:
    assert [str(right) for right in list_rights(settings)] == needed


def test_restate_s_pods_are_read_in_their_namespace_only() -> None:
    without = list_rights(RESTATE.model_copy(update={"restate_namespace": "", "restate_pod_selector": ""}))
    assert [str(right) for right in list_rights(RESTATE) if right not in without] == [
        "watch pods in namespace restate",
        "watch endpointslices.discovery.k8s.io in namespace restate",
    ]


def test_without_restate_its_pods_are_not_read() -> None:
    local = RESTATE.model_copy(update={"engine": "local"})
    assert "restate" not in {right.namespace for right in list_rights(local)}


def test_without_the_breaker_nothing_cluster_wide_is_read() -> None:
    off = OperatorSettings(leader_election=False, watch_namespaces=("acme",), mass_deletion_count=0)
    assert {right.namespace for right in list_rights(off)} == {"acme"}

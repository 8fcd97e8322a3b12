"""What of a Tenant reaches the workflow."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from landlord.api.request import Desired
from landlord.api.tenant import Tenant
from landlord.controller.decide.facts import Case, Facts
from landlord.controller.decide.request import build_request
from landlord.engines.contract import Registration

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
FACTS = Facts(
    registration=Registration("True", "Registered", "registered"), steady=None, default_provider="memory"
)
EVERYWHERE = {"docker": {"network": "blue"}, "kubernetes": {"podSecurity": "baseline"}}


def desired(spec: dict[str, object], provider: str = "memory") -> Desired:
    metadata = {
        "name": "acme",
        "namespace": "tenants",
        "uid": "u1",
        "resourceVersion": "7",
        "generation": 1,
        "creationTimestamp": NOW.isoformat(),
    }
    workload = {"containers": [{"name": "app", "image": "app:1"}]}
    tenant = Tenant.model_validate({"metadata": metadata, "spec": {"workload": workload} | spec})
    request = build_request(Case(tenant, replace(FACTS, default_provider=provider), NOW), "apply")
    assert request.desired is not None
    return request.desired


@pytest.mark.parametrize(
    ("provider", "network", "level"),
    [("docker", "blue", None), ("kubernetes", None, "baseline"), ("memory", None, None)],
)
def test_settings_of_other_backends_are_no_part_of_what_is_desired(
    provider: str, network: str | None, level: str | None
) -> None:
    asked = desired({"compute": EVERYWHERE}, provider)
    assert (asked.docker and asked.docker.network) == network
    assert (asked.kubernetes and asked.kubernetes.pod_security) == level


@pytest.mark.parametrize("provider", ["static-sites", "docker"])
def test_config_for_plug_ins_reaches_every_backend_so_that_it_can_be_refused(provider: str) -> None:
    asked = desired({"compute": {"config": {"pages": {"index.html": "hello"}}}}, provider)
    assert asked.config == {"pages": {"index.html": "hello"}}


def test_empty_config_is_none() -> None:
    assert desired({"compute": {"config": {}}}).hash() == desired({}).hash()


def test_leave_to_adopt_reaches_the_backend_and_changes_nothing_that_runs() -> None:
    strict, lenient = desired({}), desired({"management": {"adoption": "IfUnowned"}})
    assert (strict.adoption, lenient.adoption) == ("Never", "IfUnowned")
    assert strict.hash() == lenient.hash()


def test_a_single_replica_is_what_was_desired_before_there_was_a_choice() -> None:
    app = {"name": "app", "image": "app:1"}
    assert desired({}).hash() == desired({"workload": {"replicas": 1, "containers": [app]}}).hash()
    assert desired({}).hash() != desired({"workload": {"replicas": 2, "containers": [app]}}).hash()


def test_secrets_are_read_in_the_namespace_of_the_tenant_and_only_if_it_refers_to_any() -> None:
    reference = {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "acme-api", "key": "token"}}}
    app = {"name": "app", "image": "app:1", "env": [reference]}
    assert desired({"workload": {"containers": [app]}}).secrets_namespace == "tenants"
    assert desired({}).secrets_namespace is None

"""Operator, Restate, worker and a namespace a tenant: from `kubectl apply` to `kubectl delete`."""

import json
from typing import Any

import pytest
from tests.support.polling import eventually
from tests.support.specs import Spec
from tests.support.status import conditions, workflow
from tests.support.system import Landlord, System

from landlord.api import names

KINDS = "namespaces,deployments,pods,services,serviceaccounts,networkpolicies,limitranges,resourcequotas"


@pytest.fixture(scope="module")
def system(new_landlord: Landlord) -> System:
    """A landlord that runs tenants on the cluster that it is itself in."""
    system = new_landlord(LANDLORD_DEFAULT_BACKEND="kubernetes", LANDLORD_BACKENDS="kubernetes")
    system.start()
    return system


def spec(image: str = "web:1", **kubernetes: Any) -> Spec:
    container = {
        "name": "web",
        "image": image,
        "ports": [{"name": "http", "containerPort": 8080, "appProtocol": "http"}],
        "probe": {"httpGet": {"path": "/", "port": 8080}},
    }
    return {"workload": {"containers": [container]}, "compute": {"kubernetes": kubernetes}}


def made_for(system: System, tenant_id: str) -> list[str]:
    selector = ",".join(f"{key}={value}" for key, value in names.labels(tenant_id).items())
    return system.kubectl("get", KINDS, "-A", "-l", selector, "-o", "name").split()


def test_a_tenant_becomes_ready_is_updated_and_leaves_nothing(system: System, name: str) -> None:
    system.apply(name, spec(quota={"pods": 3}))
    tenant = system.until(name, "Ready", "True")
    status = tenant["status"]
    assert conditions(tenant)["Provisioned"] == ("True", "Succeeded")
    assert status["provider"] == "kubernetes"
    assert status["endpoints"] == [{"name": "http", "url": f"http://tenant.tenant-{name}.svc:8080"}]
    assert {"kind": "Namespace", "name": f"tenant-{name}"} in status["resources"]

    system.apply(name, spec("web:2"))
    system.until(name, "Ready", "True")
    (pod,) = [
        pod
        for pod in system.kubectl.api.get("pods", namespace=f"tenant-{name}")["items"]
        if "deletionTimestamp" not in pod["metadata"]
    ]
    assert pod["spec"]["containers"][0]["image"] == "web:2"
    assert "resourcequota/tenant" not in made_for(system, name)

    system.delete(name)
    assert made_for(system, name) == []


def test_why_a_tenant_does_not_run_stands_on_the_object_and_a_corrected_spec_runs(
    system: System, name: str
) -> None:
    system.apply(name, spec(nodeSelector={"disk": "none-has-this"}))

    def told() -> dict[str, Any]:
        tenant = system.until(name, "Provisioned", "False", reason="BackingOff")
        assert workflow(tenant)["lastFailure"]["code"] == "Unschedulable", json.dumps(tenant["status"])
        return tenant

    tenant = eventually(told)
    assert (
        "didn't match Pod's node affinity/selector" in tenant["status"]["workflow"]["lastFailure"]["message"]
    )
    system.apply(name, spec())
    system.until(name, "Ready", "True")

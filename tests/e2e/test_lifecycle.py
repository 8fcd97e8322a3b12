"""A Tenant from `kubectl apply` to `kubectl delete`, with either engine."""

import urllib.request

import docker
from tests.support.containers import containers_of, volumes_of
from tests.support.history import Record
from tests.support.specs import memory, web
from tests.support.status import conditions, kstatus, workflow
from tests.support.system import System, Tenant

AT_ONCE = 20


def urls(tenant: Tenant) -> list[str]:
    return [endpoint["url"] for endpoint in tenant["status"]["endpoints"]]


def test_an_applied_tenant_becomes_ready_and_says_where_it_is(any_landlord: System, name: str) -> None:
    any_landlord.apply(name, memory(ports=2))
    tenant = any_landlord.until(name, "Ready", "True")
    status = tenant["status"]
    assert conditions(tenant) == {
        "Ready": ("True", "Provisioned"),
        "Accepted": ("True", "Accepted"),
        "WorkflowRegistered": ("True", "Registered"),
        "Provisioned": ("True", "Succeeded"),
        "ComputeHealthy": ("True", "Healthy"),
    }
    assert (status["phase"], status["tenantID"], status["provider"]) == ("Ready", name, "memory")
    assert urls(tenant) == [f"memory://{name}/p0", f"memory://{name}/p1"]
    assert status["resources"] == [{"kind": "memory", "name": name}]
    assert (workflow(tenant)["operation"], workflow(tenant)["subState"]) == ("Create", "Succeeded")


def test_an_update_is_ready_at_its_own_generation_and_keeps_the_endpoints_meanwhile(
    any_landlord: System, name: str, record: Record
) -> None:
    any_landlord.apply(name, memory(ports=1))
    any_landlord.until(name, "Ready", "True")
    history = record(any_landlord, name)
    any_landlord.apply(name, memory(ports=2, MEMORY_DELAY="2"))
    after = any_landlord.until(name, "Ready", "True")

    assert len(urls(after)) == 2
    assert workflow(after)["operation"] == "Update"
    meanwhile = [version for version in history.versions() if kstatus(version) == "InProgress"]
    assert {version["status"]["phase"] for version in meanwhile} == {"Ready", "Updating"}
    assert {tuple(urls(version)) for version in meanwhile} == {(f"memory://{name}/p0",)}


def test_a_changed_display_name_replaces_nothing(
    any_landlord: System, name: str, docker_engine: docker.DockerClient, web_image: str
) -> None:
    spec = web(web_image)
    any_landlord.apply(name, spec)
    any_landlord.until(name, "Ready", "True")
    before = containers_of(docker_engine, name)
    any_landlord.apply(name, spec | {"displayName": "Acme Corporation"})
    any_landlord.until(name, "Ready", "True")
    assert containers_of(docker_engine, name) == before
    any_landlord.delete(name)


def test_a_deleted_tenant_is_gone_and_nothing_is_left_of_it(
    any_landlord: System, name: str, docker_engine: docker.DockerClient, web_image: str
) -> None:
    settings = {"network": name, "volumes": [{"name": "data", "mountPath": "/data"}]}
    any_landlord.apply(name, web(web_image, docker=settings, GREETING="hello"))
    tenant = any_landlord.until(name, "Ready", "True")
    with urllib.request.urlopen(urls(tenant)[0], timeout=30) as answer:
        assert b"hello" in answer.read()
    assert len(containers_of(docker_engine, name)) == len(volumes_of(docker_engine, name)) == 1

    any_landlord.delete(name)
    assert name not in any_landlord.tenants()
    assert containers_of(docker_engine, name) == volumes_of(docker_engine, name) == []
    assert docker_engine.networks.list(names=[name]) == []


def test_a_deleted_tenant_s_name_can_be_taken_again(any_landlord: System, name: str) -> None:
    for ports in (1, 2):
        any_landlord.apply(name, memory(ports=ports))
        assert len(urls(any_landlord.until(name, "Ready", "True"))) == ports
        any_landlord.delete(name)


def test_many_tenants_at_once_all_become_ready_and_all_go(any_landlord: System, name: str) -> None:
    names = [f"{name}-{number}" for number in range(AT_ONCE)]
    any_landlord.apply_all({each: memory(ports=1, MEMORY_DELAY="0.5") for each in names})
    any_landlord.until_all(names, "Ready", "True")
    tenants = any_landlord.tenants()
    assert {each: urls(tenants[each]) for each in names} == {each: [f"memory://{each}/p0"] for each in names}
    any_landlord.delete(*names)
    assert any_landlord.tenants().keys() & set(names) == set()

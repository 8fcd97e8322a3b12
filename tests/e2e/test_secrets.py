"""Values of Secrets reach the containers that refer to them, and nothing else."""

import json
from collections.abc import Mapping
from typing import Any

import docker
import pytest
from tests.integration.backends.tenants import ask
from tests.support.containers import containers_of
from tests.support.metrics import scraped
from tests.support.needle import Needle, files_with
from tests.support.polling import eventually
from tests.support.secrets import Owner
from tests.support.specs import Spec, web
from tests.support.status import message, workflow
from tests.support.system import Landlord, System

from dev.kubectl import Kubectl
from dev.net import request

OFTEN = "0.5"
"""Seconds between two surveys: what has changed is noticed with one."""
TABLES = ("sys_invocation", "sys_journal", "sys_journal_events", "sys_inbox", "sys_promise", "state")
VERSION = "landlord.dev/secrets-version"
BACKENDS = ("docker", "kubernetes")
Object = dict[str, Any]


@pytest.fixture(scope="module")
def system(new_landlord: Landlord) -> System:
    """A landlord on both backends that logs all it can."""
    system = new_landlord(
        LANDLORD_BACKENDS="docker,kubernetes", LANDLORD_LOG_LEVEL="debug", LANDLORD_SURVEY_SECONDS=OFTEN
    )
    system.start()
    return system


@pytest.fixture
def owner(system: System) -> Owner:
    """Whoever has the Tenants and their Secrets."""
    return Owner(system.kubectl, system.namespace)


def spec_of(backend: str, image: str, secret: str, *env: Object) -> Spec:
    """The little web server, which greets with a secret."""
    spec = web(image)
    greeting = {"name": "GREETING", "valueFrom": {"secretKeyRef": {"name": secret, "key": "greeting"}}}
    spec["workload"]["containers"][0]["env"] = [greeting, *env]
    if backend == "kubernetes":
        spec["compute"] = {"provider": "kubernetes"}
    return spec


def greeting(system: System, backend: str, name: str) -> str:
    """What the tenant's container has got, or on fake nodes would get."""
    if backend == "docker":
        (endpoint,) = system.tenant(name).get("status", {}).get("endpoints") or ({"url": ""},)
        try:
            return ask(endpoint["url"]).get("greeting", "")
        except (OSError, ValueError):  # while it is replaced somebody else may have its port
            return ""
    template = "go-template={{range .data}}{{base64decode .}}{{end}}"
    copy = ("get", "secret", "tenant", "-n", f"tenant-{name}", "-o", template)
    return system.kubectl.run(*copy).stdout


def until_it_greets_with(system: System, backend: str, name: str, value: str) -> None:
    """Return when the value is rolled out."""
    eventually(lambda: greeting(system, backend, name) == value, what=f"{name} has got {value}")
    system.until(name, "Ready", "True")


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_tenant_waits_for_its_secret_goes_on_by_itself_and_follows_its_changes(
    system: System, owner: Owner, name: str, backend: str, web_image: str
) -> None:
    system.apply(name, spec_of(backend, web_image, name))
    tenant = system.until(name, "Provisioned", "False", reason="BackingOff")
    assert f"the Secret {system.namespace}/{name} does not exist" in message(tenant, "Provisioned")

    owner.put(name, greeting="first")
    system.until(name, "Ready", "True")
    assert greeting(system, backend, name) == "first"

    owner.put(name, greeting="second")
    until_it_greets_with(system, backend, name, "second")
    owner.remove(name)
    owner.put(name, greeting="third")
    until_it_greets_with(system, backend, name, "third")
    system.delete(name)


def test_a_change_of_a_secret_that_changes_no_value_ends_no_pod(
    system: System, owner: Owner, name: str, web_image: str
) -> None:
    owner.put(name, greeting="hello")
    system.apply(name, spec_of("kubernetes", web_image, name))
    system.until(name, "Ready", "True")
    before = system.api.get("deployment", "tenant", namespace=f"tenant-{name}")
    owner.touch(name)

    def noticed() -> Object | None:
        found = system.api.get("deployment", "tenant", namespace=f"tenant-{name}")
        same = found["metadata"]["annotations"] == before["metadata"]["annotations"]
        return None if same else found

    after = eventually(noticed, what="the new version is recorded")
    assert after["spec"]["template"] == before["spec"]["template"]
    system.delete(name)


def failing(backend: str, image: str, secret: str) -> Spec:
    """A tenant that fails: on Docker by a container whose last words are what it was told in secret."""
    port = {"name": "PORT", "valueFrom": {"secretKeyRef": {"name": secret, "key": "greeting"}}}
    spec = spec_of(backend, image, secret, *([port] if backend == "docker" else []))
    if backend == "kubernetes":
        spec["compute"]["kubernetes"] = {"nodeSelector": {"disk": "none-has-this"}}
    return spec


def told_by_restate(system: System) -> bytes:
    """All that it tells of what it keeps."""
    answers = []
    for table in TABLES:
        query = json.dumps({"query": f"SELECT * FROM {table}"})
        answer = request(f"{system.restate.admin_url}/query", json_body=query)
        assert answer is not None, table
        assert answer[0] == 200, answer
        answers.append(answer[1])
    return "".join(answers).encode()


def told_by_the_api_server(kubectl: Kubectl, namespace: str, secrets: set[str]) -> Object:
    """Every object in a namespace, and the namespace itself; of these Secrets all but their data."""
    kinds = kubectl("api-resources", "--verbs=list", "--namespaced", "-o", "name").split()
    kinds.remove("events")  # the same as those of events.k8s.io
    items: list[Object] = [
        each for kind in kinds for each in kubectl.api.get(kind, namespace=namespace)["items"]
    ]
    held = [each for each in items if each["kind"] == "Secret" and each["metadata"]["name"] in secrets]
    assert all(each.pop("data") for each in held)
    assert len(held) == len(secrets), "the Secrets themselves are there"
    return {"namespace": kubectl.api.get("namespace", namespace), "objects": items}


def told_by_the_engine(engine: docker.DockerClient, name: str) -> Object:
    """What it tells of a container, but for its environment, and what it tells of the rest in its lists."""
    (container,) = containers_of(engine, name)
    attributes = engine.containers.get(container).attrs
    environment = attributes["Config"].pop("Env")
    assert any(variable.startswith("GREETING=") for variable in environment)
    listed = {"containers": engine.api.containers(all=True), "networks": engine.api.networks()}
    return {"container": attributes, "listed": listed}


def told_while_it_is_there(
    system: System, engine: docker.DockerClient, tenants: Mapping[str, str]
) -> dict[str, bytes]:
    """Everything that somebody can read who may not read Secrets."""
    kubectl, namespace = system.kubectl, system.namespace
    return {
        "Restate": told_by_restate(system),
        "the operator's metrics": scraped(system.operator.url).encode(),
        "the worker's metrics": scraped(system.worker.url).encode(),
        "the Tenants and their Events": json.dumps(
            told_by_the_api_server(kubectl, namespace, set(tenants.values()))
        ).encode(),
        "the tenant's namespace": json.dumps(
            told_by_the_api_server(kubectl, f"tenant-{tenants['kubernetes']}", {"tenant"})
        ).encode(),
        "the container": json.dumps(told_by_the_engine(engine, tenants["docker"])).encode(),
    }


def test_no_value_is_anywhere_but_in_the_container_and_the_copy(
    system: System, owner: Owner, docker_engine: docker.DockerClient, name: str, web_image: str
) -> None:
    """Through creation, change, failure and deletion on both backends; a value that is no secret is found."""
    tenants = {backend: f"{name}-{backend[0]}" for backend in BACKENDS}
    needles = [Needle("the first"), Needle("the second")]
    no_secret = Needle("no secret")
    literal = {"name": "NO_SECRET", "value": no_secret.value}
    for needle in needles:
        for backend, tenant in tenants.items():
            owner.put(tenant, greeting=needle.value)
            if needle is needles[0]:
                system.apply(tenant, spec_of(backend, web_image, tenant, literal))
        for backend, tenant in tenants.items():
            until_it_greets_with(system, backend, tenant, needle.value)
    for backend, tenant in tenants.items():
        system.apply(tenant, failing(backend, web_image, tenant))
    for tenant in tenants.values():
        system.until(tenant, "Provisioned", "False", reason="BackingOff")

    def said_without_the_secret() -> bool:
        return "***" in workflow(system.tenant(tenants["docker"])).get("lastFailure", {}).get("message", "")

    eventually(said_without_the_secret, what="the container's last words, without the secret among them")

    told = told_while_it_is_there(system, docker_engine, tenants)
    system.delete(*tenants.values())
    told["Restate, after the end"] = told_by_restate(system)
    for part in (system.operator, system.worker, system.restate):
        part.stop()
    assert '"severity": "DEBUG"' in system.worker.log.read_text()
    for needle in needles:
        assert {place: seen for place, hay in told.items() if (seen := needle.seen_in(hay))} == {}
        assert files_with(needle, system.worker.log.parent, system.restate.log.parent) == {}
    # Restate compresses some of its files, but tells all that is in them.
    assert no_secret.is_in(told["Restate"]), "what is searched is what was stored"

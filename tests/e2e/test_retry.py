"""A person says "try again now": `landlord retry`, and the annotation for GitOps."""

import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import docker
import pytest
from docker.models.containers import Container
from tests.support.containers import containers_of
from tests.support.events import reasons
from tests.support.invocations import invocations, unfinished
from tests.support.ledger import STEPS, LedgerBackend
from tests.support.manifests import rules
from tests.support.polling import eventually, steadily
from tests.support.programs import Ended, run
from tests.support.rbac import account
from tests.support.session import Session
from tests.support.specs import Spec, memory, web
from tests.support.status import conditions, message, workflow
from tests.support.system import Landlord, System, Tenant

from dev.cluster import ControlPlane
from dev.plugin import write_plugin
from landlord.api.names import ANNOTATION_RETRY

OFTEN = "0.5"
"""Seconds between two surveys."""
A_WHILE = 2.0
"""Seconds in which nothing may happen."""
Retry = Callable[..., Ended]


@pytest.fixture(scope="module")
def system(session: Session, new_landlord: Landlord, ledger: LedgerBackend) -> System:
    plugin = write_plugin(session.folder("plugin"), LedgerBackend)
    system = new_landlord(
        LANDLORD_BACKENDS="memory,docker,ledger",
        LANDLORD_SURVEY_SECONDS=OFTEN,
        LEDGER=str(ledger.folder),
        **plugin,
    )
    system.start()
    return system


@pytest.fixture
def retry(tmp_path: Path, control_plane: ControlPlane) -> Retry:
    """Runs `landlord retry`."""

    def start(system: System, name: str, *args: str, kubeconfig: Path | None = None) -> Ended:
        settings = {"KUBECONFIG": str(kubeconfig or control_plane.kubeconfig)}
        return run(tmp_path, "retry", settings, name, "-n", system.namespace, *args)

    return start


def annotate(system: System, name: str, value: str | None) -> None:
    patch = {"metadata": {"annotations": {ANNOTATION_RETRY: value}}}
    system.api.patch("tenant", name, patch, namespace=system.namespace)


def handled(system: System, name: str) -> str:
    return str(system.tenant(name)["status"].get("lastHandledRetryAt", ""))


def failed(system: System, name: str, attempt: int) -> Tenant:
    """The Tenant once that attempt has failed."""

    def seen() -> Tenant:
        tenant = system.tenant(name)
        assert (workflow(tenant).get("attempt"), workflow(tenant).get("subState")) == (attempt, "Failed")
        return tenant

    return eventually(seen, what=f"attempt {attempt} of {name} failed")


def recorded(**env: str) -> Spec:
    """A Tenant of the ledger."""
    return memory(ports=0, **env) | {"compute": {"provider": "ledger"}}


@pytest.fixture
def bystander(docker_engine: docker.DockerClient, web_image: str, name: str) -> Iterator[Container]:
    """Somebody else's container that has the name of the tenant's."""
    container = docker_engine.containers.create(web_image, name=f"landlord-{name}")
    yield container
    if container in docker_engine.containers.list(all=True):
        container.remove(force=True)


def test_what_failed_for_good_is_done_once_its_cause_outside_the_spec_is_gone(
    system: System, name: str, web_image: str, bystander: Container, retry: Retry
) -> None:
    system.apply(name, web(web_image))
    tenant = system.until(name, "Stalled", "True")
    assert "nextRetryTime" not in workflow(tenant)
    assert f"To retry it now, run `landlord retry {name} -n {system.namespace}`" in message(tenant, "Ready")
    bystander.remove()
    steadily(lambda: workflow(system.tenant(name))["attempt"] == 1, seconds=A_WHILE)

    ended = retry(system, name, "--wait")
    assert (ended.code, ended.said) == (0, "")
    assert "landlord starts the workflow again now" in ended.printed
    assert ended.printed.endswith("Ready is True, Provisioned: The tenant is provisioned\n")
    tenant = system.tenant(name)
    assert (tenant["metadata"]["generation"], workflow(tenant)["attempt"]) == (1, 2)
    assert invocations(system.restate)[name, "apply"] == 2
    system.delete(name)


def test_what_is_tried_every_five_minutes_is_tried_now(
    any_landlord: System, name: str, docker_engine: docker.DockerClient, web_image: str
) -> None:
    spec = web(web_image)
    spec["workload"]["containers"][0] |= {"image": f"landlord/{name}:1", "imagePullPolicy": "Never"}
    any_landlord.apply(name, spec)
    tenant = failed(any_landlord, name, 1)
    assert "nextRetryTime" in workflow(tenant)
    docker_engine.images.get(web_image).tag(f"landlord/{name}", "1")
    annotate(any_landlord, name, "2026-01-01T12:00:00Z")
    tenant = any_landlord.until(name, "Ready", "True")
    assert workflow(tenant)["attempt"] == 2
    assert tenant["status"]["lastHandledRetryAt"] == "2026-01-01T12:00:00Z"
    any_landlord.delete(name)
    docker_engine.images.remove(f"landlord/{name}:1")


def test_each_value_counts_once_however_often_the_operator_dies(
    new_landlord: Landlord, name: str, retry: Retry
) -> None:
    system = new_landlord()
    system.start()
    system.apply(name, memory(MEMORY_TERMINAL="the licence has expired"))
    failed(system, name, 1)
    for attempt in (2, 3):
        system.operator.kill()
        value = f"2026-01-01T12:00:0{attempt}Z"
        annotate(system, name, value)
        system.operator.start()
        failed(system, name, attempt)
        assert handled(system, name) == value
        system.operator.kill()
        system.operator.start()
        annotate(system, name, value)
        steadily(lambda: workflow(system.tenant(name))["attempt"] == attempt, seconds=A_WHILE)  # noqa: B023
    assert invocations(system.restate)[name, "apply"] == 3

    ended = retry(system, name, "--wait")
    assert ended.code == 1
    assert "ProvisioningFailed: Rehearsed at step ready: the licence has expired" in ended.printed
    failed(system, name, 4)


def test_work_that_makes_progress_is_neither_interrupted_nor_doubled(
    system: System, name: str, ledger: LedgerBackend, retry: Retry
) -> None:
    system.apply(name, recorded(HOLD="two"))
    eventually(
        lambda: ledger.entries(name)[-1:] == ["two begins"] and "step" in workflow(system.tenant(name))
    )
    ended = retry(system, name)
    assert "The workflow is running. If it fails, landlord starts it again at once." in ended.printed
    steadily(lambda: unfinished(system.restate)[name, "apply"] == 1, seconds=A_WHILE)
    ledger.release(name)
    tenant = system.until(name, "Ready", "True")
    assert handled(system, name) == tenant["metadata"]["annotations"][ANNOTATION_RETRY]
    assert ledger.effects(name) == [*STEPS]
    assert invocations(system.restate)[name, "apply"] == 1
    system.delete(name)


def test_an_invocation_that_somebody_paused_is_superseded(system: System, name: str, retry: Retry) -> None:
    system.apply(name, memory(MEMORY_ERROR="the database is full"))
    tenant = system.until(name, "Provisioned", "False", reason="BackingOff")
    first = workflow(tenant)["invocationID"]
    pause = f"{system.restate.admin_url}/invocations/{first}/pause"
    urllib.request.urlopen(urllib.request.Request(pause, method="PATCH")).close()
    tenant = system.until(name, "Provisioned", "False", reason="Paused")
    assert "remove the cause, and run `landlord retry`" in message(tenant, "Provisioned")
    retry(system, name)

    def replaced() -> bool:
        now = workflow(system.tenant(name))
        return (now["attempt"], now["subState"]) == (2, "BackingOff") and bool(now["invocationID"] != first)

    eventually(replaced, what="the next attempt")
    assert unfinished(system.restate)[name, "apply"] == 1
    system.apply(name, memory())
    system.until(name, "Ready", "True")
    system.delete(name)


def test_a_repair_that_was_postponed_is_done_now(
    system: System, name: str, docker_engine: docker.DockerClient, web_image: str, retry: Retry
) -> None:
    system.apply(name, web(web_image))
    system.until(name, "Ready", "True")
    (container,) = containers_of(docker_engine, name)
    docker_engine.containers.get(container).stop(timeout=1)
    eventually(lambda: workflow(system.tenant(name))["attempt"] == 2)
    system.until(name, "Ready", "True")
    (container,) = containers_of(docker_engine, name)
    docker_engine.containers.get(container).stop(timeout=1)
    eventually(lambda: "does so again at" in message(system.tenant(name), "Ready"))
    assert workflow(system.tenant(name))["attempt"] == 2
    assert retry(system, name, "--wait").code == 0
    tenant = system.tenant(name)
    assert (workflow(tenant)["operation"], workflow(tenant)["attempt"]) == ("Repair", 3)
    assert conditions(tenant)["Ready"] == ("True", "Provisioned")
    system.delete(name)


def test_a_healthy_tenant_is_left_as_it_is(system: System, name: str, retry: Retry) -> None:
    system.apply(name, memory())
    system.until(name, "Ready", "True")
    ended = retry(system, name, "--wait")
    assert ended.code == 0
    assert "The tenant is Ready, so landlord does nothing" in ended.printed
    assert workflow(system.tenant(name))["attempt"] == 1
    system.delete(name)


def test_a_value_that_is_no_time_is_told_until_it_is_corrected(any_landlord: System, name: str) -> None:
    any_landlord.apply(name, memory())
    any_landlord.until(name, "Ready", "True")
    annotate(any_landlord, name, "now")
    tenant = any_landlord.until(name, "RetryRejected", "True", reason="InvalidTime")
    assert f"The annotation {ANNOTATION_RETRY} is 'now', which is not an RFC 3339 time" in message(
        tenant, "RetryRejected"
    )
    assert conditions(tenant)["Ready"] == ("True", "Provisioned")

    def told() -> list[str]:
        return reasons(any_landlord.kubectl, any_landlord.namespace, "Tenant", name)

    eventually(lambda: told() == ["Normal Provisioned", "Warning RetryRejected"], what="the Event")
    annotate(any_landlord, name, None)
    eventually(lambda: "RetryRejected" not in conditions(any_landlord.tenant(name)))
    any_landlord.delete(name)


def test_who_may_not_and_what_does_not_exist_is_told_with_a_fix(
    system: System, name: str, retry: Retry, control_plane: ControlPlane
) -> None:
    absent = retry(system, name)
    assert (absent.code, absent.printed) == (1, "")
    assert f"there is no Tenant {name} in the namespace {system.namespace}\nFix: find it with" in absent.said

    system.apply(name, memory())
    view, edit = (
        account(control_plane, system.namespace, f"{name}-{role}", rules("ClusterRole", role))
        for role in ("landlord-tenants-view", "landlord-tenants-edit")
    )
    refused = retry(system, name, kubeconfig=view)
    assert refused.code == 1
    assert f"you may not patch the Tenant {system.namespace}/{name}: " in refused.said
    assert "\nFix: have somebody bind the ClusterRole edit to you in the namespace" in refused.said
    assert retry(system, name, kubeconfig=edit).code == 0, "and needs no more than to edit Tenants"

    system.delete(name)

"""The parts that all other tests stand on."""

import http.client
import json
import re

import docker
from tests.support.polling import eventually
from tests.support.session import Session

from dev.cluster import ControlPlane
from dev.kubectl import Kubectl
from dev.net import request, status_of
from dev.process import Identity
from dev.restate import RestateServer

IDENTITY_KEY = re.compile(r"publickeyv1_\w+")
"""A line of Restate's log has it once or more for each start."""


def test_the_control_plane_runs_pods_on_a_fake_node(kubectl: Kubectl, namespace: str) -> None:
    kubectl("create", "deployment", "web", "--image=web", "-n", namespace)

    kubectl("wait", "--for=condition=Available", "deployment/web", "-n", namespace, "--timeout=30s")


def test_requests_are_audited(control_plane: ControlPlane, kubectl: Kubectl, namespace: str) -> None:
    kubectl("create", "configmap", "seen", "-n", namespace)

    def creations() -> list[str]:
        return [
            event["objectRef"]["name"]
            for event in control_plane.audited(namespace)
            if event["verb"] == "create"
            and event.get("objectRef", {}).get("namespace") == namespace
            and event["objectRef"]["resource"] == "configmaps"
        ]

    eventually(lambda: "seen" in creations())


def test_a_service_account_has_no_more_rights_than_it_was_given(
    control_plane: ControlPlane, kubectl: Kubectl, namespace: str
) -> None:
    kubectl("create", "serviceaccount", "powerless", "-n", namespace)

    limited = Kubectl(control_plane.kubeconfig_of(namespace, "powerless"))

    assert "Forbidden" in limited.run("get", "secrets", "-A").stderr


def test_restate_can_be_stopped_killed_and_restarted_on_its_ports(restate: RestateServer) -> None:
    first = restate.identity

    restate.restart()
    assert restate.healthy()
    restate.kill()
    assert not restate.running()
    assert status_of(f"{restate.admin_url}/health") is None
    restate.start()

    assert restate.healthy()
    assert restate.identity != first
    assert isinstance(restate.identity, Identity)


def test_restate_signs_with_a_key_that_it_keeps_when_it_loses_its_data(restate: RestateServer) -> None:
    first = restate.log.read_text()
    assert set(IDENTITY_KEY.findall(first)) == {restate.identity_key}

    restate.wipe()
    restate.start()

    second = restate.log.read_text().removeprefix(first)
    assert set(IDENTITY_KEY.findall(second)) == {restate.identity_key}


def test_two_restates_do_not_meet(session: Session, restate: RestateServer) -> None:
    other = session.restate()
    other.start()

    assert other.healthy()
    assert restate.healthy()
    other.wipe()
    assert not other.running()
    assert restate.healthy()


def test_the_web_server_says_who_answers(docker_engine: docker.DockerClient, web_image: str) -> None:
    container = docker_engine.containers.run(
        web_image,
        detach=True,
        environment={"GREETING": "hello", "TENANT": "acme"},
        ports={"8080/tcp": ("127.0.0.1", 0)},
    )
    try:
        container.reload()
        bindings = container.ports["8080/tcp"]
        assert bindings
        port = int(bindings[0]["HostPort"])

        def answer() -> dict[str, str] | None:
            seen = request(f"http://127.0.0.1:{port}/")
            container.reload()
            assert seen is not None, f"{container.status}: {container.logs().decode()}"
            return json.loads(seen[1]) if seen[0] == http.client.OK else None

        seen = eventually(answer)
        assert (seen["greeting"], seen["tenant"]) == ("hello", "acme")
    finally:
        container.stop(timeout=5)
        state = container.wait()["StatusCode"]
        container.remove(force=True)
    assert state == 0

"""`make up` and `down` as a person runs them, with a state folder of their own."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest
import yaml
from tests.support.containers import containers_of
from tests.support.polling import eventually

from dev.kubectl import Kubectl
from dev.paths import CHECKOUT
from dev.process import find_processes, mark_of, sweep
from dev.record import Record
from dev.stack import PARTS

COMMAND_SECONDS = 120


class CommandLine:
    """Runs `python -m dev …` on one state folder."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.mark = mark_of(state)

    def begin(self, *args: str) -> "subprocess.Popen[str]":
        environment = dict(os.environ) | {"LANDLORD_STATE_DIR": str(self.state)}
        argv = [sys.executable, "-m", "dev", *args]
        return subprocess.Popen(
            argv,
            cwd=CHECKOUT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # Tests that a shell runs in the background ignore Ctrl-C, and so would what they start.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    def run(self, *args: str) -> str:
        with self.begin(*args) as command:
            output, _ = command.communicate(timeout=COMMAND_SECONDS)
        assert command.returncode == 0, output
        return output

    def record(self) -> Record:
        record = Record.load(self.state / "environment.json")
        assert record is not None
        return record

    def pids(self) -> dict[str, int]:
        return {name: process.pid for name, process in self.record().processes.items()}

    def has_begun(self, part: str) -> bool:
        return bool(find_processes(f"{self.mark}/{part}"))

    def is_clean(self) -> bool:
        folders = [part for part in PARTS if (self.state / part).exists()]
        return not find_processes(self.mark) and not folders


@pytest.fixture
def landlord(tmp_path: Path) -> Iterator[CommandLine]:
    command_line = CommandLine(tmp_path / "state")
    yield command_line
    sweep(command_line.mark, grace=0)


def test_up_again_reuses_what_is_healthy_and_restarts_what_is_not(landlord: CommandLine) -> None:
    printed = landlord.run("up")
    assert str(landlord.record().kubeconfig) in printed
    first = landlord.pids()
    kubectl = Kubectl(landlord.record().kubeconfig)
    kubectl.api.create_namespace("kept")

    landlord.run("up")
    assert landlord.pids() == first

    os.kill(first["worker"], signal.SIGKILL)
    landlord.run("up")
    again = landlord.pids()
    assert again["worker"] != first["worker"]
    assert {again["restate"], again["operator"]} == {first["restate"], first["operator"]}
    kubectl("get", "namespace", "kept")

    assert "landlord is down" in landlord.run("down")
    assert landlord.is_clean()
    assert "landlord was not up" in landlord.run("down")


@pytest.mark.parametrize("part", ["control-plane", "restate", "operator"])
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL, signal.SIGTERM])
def test_an_up_that_is_ended_midway_leaves_nothing(
    landlord: CommandLine, part: str, end: signal.Signals
) -> None:
    with landlord.begin("up") as command:
        eventually(lambda: landlord.has_begun(part), what=f"{part} begins")
        command.send_signal(end)
        command.communicate(timeout=COMMAND_SECONDS)

    assert command.returncode != 0
    eventually(landlord.is_clean, what="everything is ended and removed")


def test_tenants_run_on_each_backend_and_down_removes_even_those_that_were_to_stay(
    landlord: CommandLine, docker_engine: docker.DockerClient, examples: Path, name: str
) -> None:
    landlord.run("up")
    kubectl = Kubectl(landlord.record().kubeconfig)
    tenant = yaml.safe_load((examples / "minimal.yaml").read_text())
    for backend in ("docker", "kubernetes", "memory"):
        tenant["metadata"]["name"] = tenant["spec"]["tenantID"] = f"{name}-{backend}"
        tenant["spec"] |= {
            "compute": {"provider": backend},
            "deletion": {"protected": True, "policy": "Retain"},
        }
        kubectl.api.apply(yaml.safe_dump(tenant))
    kubectl("wait", "--for=condition=Ready", "tenants", "--all", "--timeout=60s", timeout=90)
    assert len(containers_of(docker_engine, f"{name}-docker")) == 1

    assert "not deprovision all Tenants" not in landlord.run("down")
    assert landlord.is_clean()
    assert containers_of(docker_engine, f"{name}-docker") == []


def test_down_removes_what_a_crash_of_everything_left(landlord: CommandLine) -> None:
    landlord.run("up")
    for process in find_processes(landlord.mark):
        if process.name() in ("kube-apiserver", "restate-server"):
            process.kill()

    landlord.run("down")

    assert landlord.is_clean()


def test_a_failing_up_says_why_and_leaves_nothing(landlord: CommandLine, tmp_path: Path) -> None:
    nowhere = tmp_path / "kubeconfig"
    server = {"server": "https://127.0.0.1:1"}
    nowhere.write_text(
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [{"name": "c", "cluster": server}],
                "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
                "users": [{"name": "u", "user": {}}],
                "current-context": "c",
            }
        )
    )

    with landlord.begin("up", "--kubeconfig", str(nowhere)) as command:
        output, _ = command.communicate(timeout=COMMAND_SECONDS)

    assert command.returncode == 1
    assert f"the cluster of {nowhere} does not answer\nFix: " in output
    assert landlord.is_clean()


def test_up_on_a_given_cluster_starts_no_control_plane_and_leaves_its_tenants(
    landlord: CommandLine, kubectl: Kubectl, namespace: str, examples: Path
) -> None:
    tenant = yaml.safe_load((examples / "minimal.yaml").read_text())
    tenant["metadata"]["namespace"] = namespace
    tenant["spec"] |= {"tenantID": namespace, "compute": {"provider": "memory"}}
    landlord.run("up", "--kubeconfig", str(kubectl.kubeconfig))
    assert not landlord.has_begun("control-plane")
    kubectl.api.apply(yaml.safe_dump(tenant))
    kubectl("wait", "--for=condition=Ready", "tenant/minimal", "-n", namespace, "--timeout=60s")

    landlord.run("down")

    assert landlord.is_clean()
    assert kubectl.api.get("tenant", "minimal", namespace=namespace)["metadata"]["name"] == "minimal"

"""The Tiltfile is Starlark and names what is there. What Tilt makes of it takes a cluster and a registry."""

from typing import Any

import pytest
import starlark
from tests.support.manifests import rendered

from dev.paths import CHECKOUT

FUNCTIONS = ("allow_k8s_contexts", "docker_build", "kustomize", "k8s_yaml", "k8s_resource")
Call = tuple[tuple[Any, ...], dict[str, Any]]


@pytest.fixture(scope="module")
def parsed() -> starlark.AstModule:
    return starlark.parse("Tiltfile", (CHECKOUT / "Tiltfile").read_text())


@pytest.fixture(scope="module")
def calls(parsed: starlark.AstModule) -> dict[str, list[Call]]:
    """What it tells Tilt, by Tilt's functions; any other name ends it."""
    calls: dict[str, list[Call]] = {name: [] for name in FUNCTIONS}
    module = starlark.Module()
    for name, said in calls.items():
        module.add_callable(name, lambda *args, said=said, **options: said.append((args, options)))
    starlark.eval(module, parsed, starlark.Globals.standard())
    return calls


def test_a_linter_finds_nothing(parsed: starlark.AstModule) -> None:
    assert [each.problem for each in parsed.lint()] == []


def test_it_builds_the_image_that_the_manifests_run(calls: dict[str, list[Call]]) -> None:
    (((image, context), _),) = calls["docker_build"]
    assert (CHECKOUT / context / "Dockerfile").is_file()
    (((folder,), _),) = calls["kustomize"]
    run = [
        container["image"].partition(":")[0]
        for each in rendered(CHECKOUT / folder)
        if each["kind"] == "Deployment"
        for container in each["spec"]["template"]["spec"]["containers"]
    ]
    assert set(run) == {image}


def test_it_names_workloads_and_ports_that_there_are(calls: dict[str, list[Call]]) -> None:
    (((folder,), _),) = calls["kustomize"]
    ports = {
        each["metadata"]["name"]: {
            str(port["containerPort"])
            for container in each["spec"]["template"]["spec"]["containers"]
            for port in container["ports"]
        }
        for each in rendered(CHECKOUT / folder)
        if each["kind"] in ("Deployment", "StatefulSet")
    }
    for (workload,), options in calls["k8s_resource"]:
        assert set(options["port_forwards"]) <= ports[workload]

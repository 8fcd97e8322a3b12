"""What docs/tenant.md shows is taken by the API server, and its tables know all that a Tenant can say."""

import json
import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from tests.support.specs import memory

from dev.kubectl import Kubectl
from dev.paths import CHECKOUT
from landlord.api import conditions
from landlord.api.names import API_VERSION, KIND
from landlord.controller.decide import news

GUIDE = (CHECKOUT / "docs" / "tenant.md").read_text()
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
PATCH = re.compile(r"kubectl patch tenant acme --type=merge -p '(.*)'")
REASON = re.compile(r"\b[A-Z][a-z]+[A-Za-z]*\b")
EVENT = re.compile(r"(?:Normal|Warning), ([A-Z]\w+)")
Object = dict[str, Any]


def blocks(language: str) -> list[str]:
    return [text for kind, text in BLOCK.findall(GUIDE) if kind == language]


def patches() -> list[str]:
    return [patch for text in blocks("sh") for patch in PATCH.findall(text)]


def whole(snippet: str) -> Object:
    """A Tenant with what the snippet shows, which may be of its spec or of its one container."""
    shown: Object = yaml.safe_load(snippet)
    container = {"name": "web", "image": "web:1", "ports": [{"name": "http", "containerPort": 8080}]}
    spec: Object = {"workload": {"containers": [container]}} | shown.get("spec", {})
    if "env" in shown:
        container["env"] = shown["env"]
    assert shown.keys() <= {"apiVersion", "kind", "metadata", "spec", "env"}, shown
    return {"apiVersion": API_VERSION, "kind": KIND, "metadata": {"name": "shown"}, "spec": spec}


@pytest.mark.parametrize("snippet", blocks("yaml"))
def test_each_manifest_in_the_guide_is_accepted(kubectl: Kubectl, namespace: str, snippet: str) -> None:
    manifest = yaml.safe_dump(whole(snippet))
    options = ("--server-side", "--dry-run=server", "--validate=strict", "-n", namespace, "-f", "-")
    kubectl("apply", *options, stdin=manifest)


@pytest.fixture(scope="module")
def acme(kubectl: Kubectl) -> Iterator[str]:
    """The namespace of a Tenant acme that nobody looks after."""
    namespace = f"guide-{uuid.uuid4().hex[:8]}"
    kubectl.api.create_namespace(namespace)
    tenant = {"apiVersion": API_VERSION, "kind": KIND, "spec": memory()}
    kubectl.api.apply(yaml.safe_dump(tenant | {"metadata": {"name": "acme", "namespace": namespace}}))
    yield namespace
    kubectl.api.delete("namespace", namespace)


@pytest.mark.parametrize("patch", patches())
def test_each_patch_in_the_guide_is_accepted(kubectl: Kubectl, acme: str, patch: str) -> None:
    options = ("--type=merge", "--dry-run=server", "-n", acme, "-p", patch)
    shown = json.loads(kubectl("patch", "tenant", "acme", *options, "-o", "json"))
    assert json.loads(patch)["spec"].keys() - {"lifetime"} <= shown["spec"].keys(), "no field is unknown"


@pytest.mark.parametrize(
    ("said", "heading"),
    [
        (
            REASON.findall(str(conditions.__doc__).partition("|---")[2]),
            "What the conditions mean, and what to do",
        ),
        (EVENT.findall(str(news.__doc__)), "Events"),
    ],
    ids=["conditions", "events"],
)
def test_the_tables_of_the_guide_know_every_reason(said: list[str], heading: str) -> None:
    section = GUIDE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    assert section
    assert said
    assert [reason for reason in said if reason not in section] == []


def test_the_guide_leads_only_to_sections_that_it_has() -> None:
    headings = re.findall(r"^#+ (.*)$", GUIDE, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}
    assert set(re.findall(r"\]\(#([^)]*)\)", GUIDE)) - anchors == set()

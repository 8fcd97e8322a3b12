"""The API server accepts what the docs show, and the docs list every reason that a Tenant can report."""

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
from landlord.api.condition_reference import ROWS
from landlord.api.names import API_VERSION, KIND
from landlord.controller.decide import news

PAGES = [
    CHECKOUT / "README.md",
    *sorted(CHECKOUT.glob("docs/guides/*.md")),
    *sorted(CHECKOUT.glob("docs/backends/*.md")),
]
GUIDES = {str(page.relative_to(CHECKOUT)): page.read_text() for page in PAGES}
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
PATCH = re.compile(r"kubectl patch tenant acme --type=merge -p '(.*)'")
EVENT = re.compile(r"(?:Normal|Warning), ([A-Z]\w+)")
Object = dict[str, Any]


def blocks(language: str) -> list[tuple[str, str]]:
    """Each block in that language, with the page it is on."""
    return [
        (name, text)
        for name, page in GUIDES.items()
        for kind, text in BLOCK.findall(page)
        if kind == language
    ]


def patches() -> list[str]:
    return [patch for _, text in blocks("sh") for patch in PATCH.findall(text)]


def whole(snippet: str) -> Object:
    """A Tenant with what the snippet shows, which may be of its spec or of its one container."""
    shown: Object = yaml.safe_load(snippet)
    container = {"name": "web", "image": "web:1", "ports": [{"name": "http", "containerPort": 8080}]}
    spec: Object = {"workload": {"containers": [container]}} | shown.get("spec", {})
    if "env" in shown:
        container["env"] = shown["env"]
    assert shown.keys() <= {"apiVersion", "kind", "metadata", "spec", "env"}, shown
    return {"apiVersion": API_VERSION, "kind": KIND, "metadata": {"name": "shown"}, "spec": spec}


@pytest.mark.parametrize("snippet", [pytest.param(text, id=page) for page, text in blocks("yaml")])
def test_each_manifest_in_the_guides_is_accepted(kubectl: Kubectl, namespace: str, snippet: str) -> None:
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
def test_each_patch_in_the_guides_is_accepted(kubectl: Kubectl, acme: str, patch: str) -> None:
    options = ("--type=merge", "--dry-run=server", "-n", acme, "-p", patch)
    shown = json.loads(kubectl("patch", "tenant", "acme", *options, "-o", "json"))
    assert json.loads(patch)["spec"].keys() - {"lifetime"} <= shown["spec"].keys(), "no field is unknown"


@pytest.mark.parametrize(
    ("reasons", "page"),
    [
        ([reason for row in ROWS for reason in row.reasons], "docs/reference/conditions.md"),
        (EVENT.findall(str(news.__doc__)), "docs/guides/events.md"),
    ],
    ids=["conditions", "events"],
)
def test_the_tables_of_the_docs_have_every_reason(reasons: list[str], page: str) -> None:
    assert reasons
    text = (CHECKOUT / page).read_text()
    assert [reason for reason in reasons if reason not in text] == []

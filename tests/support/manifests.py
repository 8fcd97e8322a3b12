"""The manifests as kustomize renders them, and what their RBAC grants."""

import subprocess
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from dev.paths import CHECKOUT
from dev.tools import KUBECTL, program
from landlord.controller.decide.rights import Right

Manifest = dict[str, Any]
Rule = dict[str, Any]

BASE = CHECKOUT / "manifests" / "base"
RESTATE_PODS = CHECKOUT / "manifests" / "restate-pods"
NAMESPACE = "landlord-system"


@cache
def rendered(folder: Path = BASE) -> Sequence[Manifest]:
    """All objects of a kustomization."""
    result = subprocess.run(
        [program(KUBECTL), "kustomize", folder], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    return list(yaml.safe_load_all(result.stdout))


def find(kind: str, name: str, folder: Path = BASE) -> Manifest:
    """One object; of a ConfigMap the name without its hash."""
    (found,) = [
        each
        for each in rendered(folder)
        if each["kind"] == kind and each["metadata"]["name"] in (name, f"{name}{_hash_of(each)}")
    ]
    return found


def rules(kind: str, name: str, folder: Path = BASE) -> Sequence[Rule]:
    """The rules of a Role or ClusterRole."""
    found: Sequence[Rule] = find(kind, name, folder)["rules"]
    return found


def granted(rules: Iterable[Rule], namespace: str | None = None) -> set[Right]:
    """Every right that rules give in a namespace, or in all of them."""
    return {
        Right(verb, resource, namespace, group=group, name=name)
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for name in rule.get("resourceNames", [""])
        for verb in rule["verbs"]
    }


def granted_to(account: str) -> set[Right]:
    """Every right that a ServiceAccount of manifests/base is bound to."""
    subject = {"kind": "ServiceAccount", "name": account, "namespace": NAMESPACE}
    bindings = [each for each in rendered() if subject in each.get("subjects", ())]
    roles = [(each["roleRef"], each["metadata"].get("namespace")) for each in bindings]
    return {
        right for role, namespace in roles for right in granted(rules(role["kind"], role["name"]), namespace)
    }


def settings(program: str) -> dict[str, str]:
    """What the ConfigMap of a program sets."""
    found: dict[str, str] = find("ConfigMap", f"landlord-{program}")["data"]
    return found


def _hash_of(manifest: Manifest) -> str:
    return f"-{manifest['metadata']['name'].rpartition('-')[2]}" if manifest["kind"] == "ConfigMap" else ""

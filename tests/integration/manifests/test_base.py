"""What manifests/base says, without a cluster."""

import os
import re
import textwrap
from pathlib import Path

import pytest
from pydantic_settings import BaseSettings
from tests.support.manifests import (
    BASE,
    NAMESPACE,
    RESTATE_PODS,
    find,
    granted,
    granted_to,
    rendered,
    rules,
    settings,
)

from dev.paths import CHECKOUT
from landlord import __version__
from landlord.api import names
from landlord.controller.decide.rights import list_rights
from landlord.settings import PREFIX, OperatorSettings, WorkerSettings

PROGRAMS: dict[str, type[BaseSettings]] = {"operator": OperatorSettings, "worker": WorkerSettings}


def test_the_operator_may_do_what_it_needs_and_nothing_else() -> None:
    needed = list_rights(OperatorSettings(leader_election=True, namespace=NAMESPACE))
    assert granted_to("landlord-operator") == set(needed)


def test_the_operator_may_watch_restate_s_pods_where_they_are_and_nothing_else() -> None:
    without = OperatorSettings(leader_election=False)
    watching = without.model_copy(update={"restate_namespace": "restate", "restate_pod_selector": "app=it"})
    granted_there = granted(rules("Role", "landlord-operator", RESTATE_PODS), "restate")
    assert granted_there == set(list_rights(watching)) - set(list_rights(without))


def test_the_worker_changes_nothing_in_a_namespace_but_what_a_tenant_is_made_of() -> None:
    for rule in rules("ClusterRole", "landlord-worker"):
        assert (
            rule["verbs"] == ["list"]
            or rule["resources"] == ["namespaces"]
            # The names of pods are generated. They are the pods of a Deployment that the worker has made.
            or (rule["resources"], rule["verbs"]) == (["pods"], ["delete"])
            or rule["resourceNames"] == [names.OBJECT_NAME]
        ), rule


@pytest.mark.parametrize("program", PROGRAMS)
def test_what_is_set_is_a_setting_of_the_program(program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in settings(program).items():
        assert name.removeprefix(PREFIX).lower() in PROGRAMS[program].model_fields, name
        monkeypatch.setenv(name, value)
    PROGRAMS[program]()


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_image_is_of_the_version_of_the_manifests(program: str) -> None:
    (container,) = find("Deployment", f"landlord-{program}")["spec"]["template"]["spec"]["containers"]
    assert container["image"] == f"landlord:{__version__}"


def test_the_worker_is_found_where_the_operator_has_it_registered() -> None:
    service = find("Service", "landlord-worker")
    (port,) = service["spec"]["ports"]
    name, namespace = service["metadata"]["name"], service["metadata"]["namespace"]
    assert settings("operator")["LANDLORD_WORKER_URL"] == f"http://{name}.{namespace}.svc:{port['port']}"


def test_no_pod_of_a_tenant_reaches_landlord() -> None:
    policy = find("NetworkPolicy", "landlord-no-tenants")["spec"]
    ((peer,),) = (rule["from"] for rule in policy["ingress"])
    assert peer == {
        "namespaceSelector": {
            "matchExpressions": [{"key": names.LABEL_MANAGED_BY, "operator": "DoesNotExist"}]
        }
    }
    for program in PROGRAMS:
        pod = find("Deployment", f"landlord-{program}")["spec"]["template"]["metadata"]
        assert policy["podSelector"]["matchLabels"].items() <= pod["labels"].items()


def test_the_crd_is_the_generated_one() -> None:
    (crd,) = [each for each in rendered(BASE) if each["kind"] == "CustomResourceDefinition"]
    assert crd["metadata"]["name"] == names.CRD_NAME


def test_the_overlay_of_the_guide_sets_what_it_says(tmp_path: Path) -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", (CHECKOUT / "docs" / "install.md").read_text(), re.DOTALL)
    (overlay,) = [textwrap.dedent(block) for block in blocks if "kind: Kustomization" in block]
    base = os.path.relpath(BASE, tmp_path)
    (tmp_path / "kustomization.yaml").write_text(overlay.replace("../landlord/manifests/base", base))
    for program in PROGRAMS:
        pod = find("Deployment", f"landlord-{program}", tmp_path)["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        assert container["image"] == "registry.example.com/landlord:0.1.0"
        (settings_of,) = (each["configMapRef"]["name"] for each in container["envFrom"])
        assert settings_of == find("ConfigMap", f"landlord-{program}", tmp_path)["metadata"]["name"]
    keys = find("ConfigMap", "landlord-worker", tmp_path)["data"]["LANDLORD_RESTATE_IDENTITY_KEYS"]
    assert keys.startswith("publickeyv1_")

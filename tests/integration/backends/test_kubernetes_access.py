"""A cluster that can't be reached or refuses the worker is told as such, and comes back by itself."""

import shutil
from pathlib import Path

import pytest
import yaml
from tests.contract.harness import run
from tests.integration.backends.namespaces import Namespaces
from tests.support.rbac import account

from dev.cluster import ControlPlane
from landlord import kubernetes_config
from landlord.api.request import Desired
from landlord.backends.kubernetes.backend import KubernetesBackend
from landlord.errors import Retryable, StepError


async def failure(backend: KubernetesBackend, desired: Desired) -> StepError:
    with pytest.raises(StepError) as raised:
        await run(backend.apply(desired))
    return raised.value


async def test_without_a_configuration_steps_fail_until_there_is_one(
    namespaces: Namespaces, control_plane: ControlPlane, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "kubeconfig"
    monkeypatch.setenv("KUBECONFIG", str(path))
    backend = KubernetesBackend()
    desired = namespaces.new()
    told = await failure(backend, desired)
    assert isinstance(told, Retryable)
    assert told.code == "NotConfigured"
    assert f"{path}: no such file" in told.message
    shutil.copy(control_plane.kubeconfig, path)
    await run(backend.apply(desired)[:1])
    await backend.close()


async def test_credentials_that_are_refused_are_read_again_from_their_file(
    namespaces: Namespaces, control_plane: ControlPlane, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "kubeconfig"
    config = yaml.safe_load(control_plane.kubeconfig.read_text())
    outdated = config | {
        "users": [{"name": user["name"], "user": {"token": "no"}} for user in config["users"]]
    }
    path.write_text(yaml.safe_dump(outdated))
    monkeypatch.setenv("KUBECONFIG", str(path))
    monkeypatch.setattr(kubernetes_config, "RELOAD_SECONDS", 0.0)
    backend = KubernetesBackend()
    desired = namespaces.new()
    assert (await failure(backend, desired)).code == "Unauthorized"
    shutil.copy(control_plane.kubeconfig, path)
    await run(backend.apply(desired)[:1])
    await backend.close()


async def test_a_right_that_is_missing_is_named(
    namespaces: Namespaces, control_plane: ControlPlane, monkeypatch: pytest.MonkeyPatch, namespace: str
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(account(control_plane, namespace, "powerless", ())))
    backend = KubernetesBackend()
    told = await failure(backend, namespaces.new())
    assert isinstance(told, Retryable)
    assert told.code == "Forbidden"
    assert 'cannot get resource "namespaces"' in told.message
    await backend.close()


async def test_an_api_server_that_is_away_is_waited_for(
    namespaces: Namespaces, control_plane: ControlPlane, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = yaml.safe_load(control_plane.kubeconfig.read_text())
    config["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:1"
    path = tmp_path / "kubeconfig"
    path.write_text(yaml.safe_dump(config))
    monkeypatch.setenv("KUBECONFIG", str(path))
    backend = KubernetesBackend()
    told = await failure(backend, namespaces.new())
    assert isinstance(told, Retryable)
    assert told.code == "ApiServerUnavailable"
    assert "https://127.0.0.1:1 does not answer" in told.message
    await backend.close()

"""The engine is the one that the docker command would use, or is refused with the reason."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from landlord.backends.docker import endpoint
from landlord.backends.docker.endpoint import EngineAddress, find_endpoint
from landlord.errors import Retryable

ROOTLESS = "unix:///run/user/1000/docker.sock"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder with the contexts `rootless`, `remote`, `empty` and `damaged`."""
    for variable in (
        "DOCKER_HOST",
        "DOCKER_CONTEXT",
        "DOCKER_CONFIG",
        "DOCKER_TLS_VERIFY",
        "DOCKER_CERT_PATH",
    ):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    use(tmp_path, None)
    for name, endpoints in {
        "rootless": {"docker": {"Host": ROOTLESS, "SkipTLSVerify": False}},
        "remote": {"docker": {"Host": "ssh://me@engine.example.com", "SkipTLSVerify": False}},
        "empty": {"kubernetes": {"Host": "https://10.0.0.1"}},
        "damaged": None,
    }.items():
        folder = tmp_path / ".docker" / "contexts" / "meta" / hashlib.sha256(name.encode()).hexdigest()
        folder.mkdir(parents=True)
        content = {"Name": name, "Metadata": {}, "Endpoints": endpoints}
        (folder / "meta.json").write_text("{" if endpoints is None else json.dumps(content))
    return tmp_path


def use(home: Path, context: str | None) -> None:
    """Do what `docker context use` does."""
    (home / ".docker").mkdir(exist_ok=True)
    content: dict[str, Any] = {"auths": {}} | ({"currentContext": context} if context else {})
    (home / ".docker" / "config.json").write_text(json.dumps(content))


def test_without_any_choice_it_is_the_local_socket() -> None:
    assert find_endpoint() == EngineAddress("unix:///var/run/docker.sock")


@pytest.mark.parametrize(
    ("environment", "current", "url", "chosen_by"),
    [
        ({}, "rootless", ROOTLESS, "docker context use"),
        ({"DOCKER_CONTEXT": "rootless"}, None, ROOTLESS, "DOCKER_CONTEXT"),
        ({"DOCKER_CONTEXT": "rootless"}, "remote", ROOTLESS, "DOCKER_CONTEXT"),
        (
            {"DOCKER_HOST": "tcp://10.0.0.1:2376", "DOCKER_CONTEXT": "nope"},
            "nope",
            "tcp://10.0.0.1:2376",
            "HOST",
        ),
        ({"DOCKER_CONTEXT": "default"}, "rootless", "unix:///var/run/docker.sock", ""),
    ],
)
def test_what_was_chosen_is_found_as_the_docker_command_finds_it(
    environment: dict[str, str],
    current: str | None,
    url: str,
    chosen_by: str,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    use(home, current)
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    found = find_endpoint()
    assert found.url == url
    assert found.chosen_by.endswith(chosen_by)


@pytest.mark.parametrize(
    ("context", "reason"),
    [
        ("nope", "the Docker context nope, chosen by DOCKER_CONTEXT, does not exist"),
        ("empty", "has no endpoint of a Docker engine"),
        ("damaged", "can't be read"),
        (
            "remote",
            "landlord can't reach a Docker engine by ssh, as at ssh://me@engine.example.com (the",
        ),
    ],
)
def test_what_cant_be_used_is_refused_instead_of_using_the_local_socket(
    context: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_CONTEXT", context)
    with pytest.raises(Retryable) as refused:
        endpoint.connect(1, connections=1)
    assert refused.value.code == "EngineUnavailable"
    assert reason in refused.value.message
    assert refused.value.fix


def test_an_engine_that_is_away_is_named_with_who_chose_it(home: Path) -> None:
    use(home, "rootless")
    with pytest.raises(FileNotFoundError):
        endpoint.connect(1, connections=1)
    assert f"{ROOTLESS} (the Docker context rootless" in endpoint.explain_unavailable("gone").message

"""A machine without a Docker engine."""

import gc
from pathlib import Path

import pytest

from dev.docker import find_engine
from dev.failure import LocalFailure
from dev.record import Record
from dev.stack import Stack
from landlord.backends.docker import endpoint


@pytest.mark.parametrize("variable", ["DOCKER_HOST", "DOCKER_CONTEXT"])
def test_an_environment_uses_no_other_backend_than_the_engine_that_was_chosen(
    variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setenv(variable, "unix:///no/such/docker.sock")
    record = Record(kubeconfig=tmp_path / "kubeconfig", own_cluster=True)
    with pytest.raises(LocalFailure, match=f"/no/such/docker.sock.*{variable}"):
        Stack(tmp_path)._choose_backend(record)


def test_an_environment_says_why_it_uses_the_memory_backend(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for variable in ("DOCKER_HOST", "DOCKER_CONTEXT"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(endpoint, "LOCAL", f"unix://{tmp_path}/nobody.sock")
    record = Record(kubeconfig=tmp_path / "kubeconfig", own_cluster=True)
    Stack(tmp_path)._choose_backend(record)
    assert record.backend == "memory"
    printed = capsys.readouterr()
    assert f"{tmp_path}/nobody.sock does not answer: No such file" in printed.out + printed.err


@pytest.mark.parametrize("host", ["unix://{}/nobody.sock", "tcp://127.0.0.1:1", "nonsense"])
def test_no_engine_is_none_and_leaves_nothing_open(
    host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", host.format(tmp_path))
    assert find_engine() is None
    gc.collect()  # what is left open is told then, and a warning fails the test

"""A machine without a Docker engine."""

import gc
from pathlib import Path

import pytest

from dev.docker import find_engine


@pytest.mark.parametrize("host", ["unix://{}/nobody.sock", "tcp://127.0.0.1:1", "nonsense"])
def test_no_engine_is_none_and_leaves_nothing_open(
    host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", host.format(tmp_path))
    assert find_engine() is None
    gc.collect()  # what is left open is told then, and a warning fails the test

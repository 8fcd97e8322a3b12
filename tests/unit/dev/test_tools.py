from pathlib import Path

import pytest

from dev import tools
from dev.paths import CHECKOUT


def test_the_key_depends_on_everything_that_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    module = tools.GoModule("web", {"web": "."})
    key = module.key()

    assert module.key() == key
    assert tools.GoModule("web", {"web": "."}, "-X main.version=2").key() != key
    assert tools.GoModule("web", {"web": "."}, tags=("small",)).key() != key
    monkeypatch.setattr(tools, "go_version", lambda: "0.0.0")
    assert module.key() != key


def test_a_given_folder_is_used_before_anything_is_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = tmp_path / "etcd"
    given.write_text("#!/bin/sh\n")
    given.chmod(0o755)
    monkeypatch.setenv("LANDLORD_TOOLS_DIR", str(tmp_path))

    assert tools.program.__wrapped__("etcd") == given


def test_lock_files_name_no_hosts() -> None:
    assert "resolved" not in (CHECKOUT / "tools" / "restate" / "package-lock.json").read_text()

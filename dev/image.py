"""Trim and check the packages of landlord's image. The Dockerfile runs this with the image's own Python.

The kubernetes package has a generated class for each kind and each API group, once for threads and once for
asyncio. They are most of what is installed. The package loads each class on its first use, and landlord uses
none, because `landlord.kubernetes_api` works on plain JSON.
"""

import compileall
import importlib
import os
import pkgutil
import py_compile
import subprocess
import sys
import sysconfig
from pathlib import Path

_GENERATED = tuple(
    f"kubernetes/{client}/{kind}" for client in ("client", "aio/client") for kind in ("api", "models")
)
_COMMANDS = (("operator", "--help"), ("worker", "--help"), ("backends",))


def main() -> None:
    """Trim, compile and check the packages of this interpreter."""
    packages = Path(sysconfig.get_path("purelib"))
    import_landlord()
    removed = remove_generated(packages)
    compile_all(packages)
    check(Path(sysconfig.get_path("scripts")))
    print(f"removed {len(removed)} generated modules of the kubernetes package")


def import_landlord() -> None:
    """Import every module of landlord, and so everything that one of them imports at its top."""
    package = importlib.import_module("landlord")
    for module in pkgutil.walk_packages(package.__path__, "landlord."):
        if not module.name.endswith(".__main__"):
            importlib.import_module(module.name)


def remove_generated(packages: Path) -> list[str]:
    """Remove the generated modules that this process has not imported. Returns their names."""
    removed = []
    for folder in _GENERATED:
        unused = [file for file in sorted((packages / folder).glob("*.py")) if not _is_used(file, packages)]
        if not unused:
            sys.exit(
                f"{packages / folder} has no generated modules to remove.\n"
                "Fix: look where this version of the kubernetes package keeps them, and correct dev/image.py."
            )
        for file in unused:
            file.unlink()
            removed.append(_module(file, packages))
    return removed


def compile_all(packages: Path) -> None:
    """Compile all modules, because the programs can't write bytecode. An image's sources never change."""
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    compileall.compile_dir(packages, force=True, quiet=1, invalidation_mode=mode)


def check(scripts: Path) -> None:
    """Start the programs and import every module of landlord, each in a new process."""
    environment = os.environ | {"LANDLORD_BACKENDS": "memory"}  # `backends` fails if one does not answer
    commands = [[scripts / "landlord", *arguments] for arguments in _COMMANDS]
    for command in ([sys.executable, "-P", __file__, "import"], *commands):
        subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)  # noqa: S603


def _is_used(file: Path, packages: Path) -> bool:
    return file.name == "__init__.py" or _module(file, packages) in sys.modules


def _module(file: Path, packages: Path) -> str:
    return ".".join(file.relative_to(packages).with_suffix("").parts)


if __name__ == "__main__":
    import_landlord() if sys.argv[1:] == ["import"] else main()

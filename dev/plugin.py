"""A backend that a worker finds as a plug-in although it is not installed."""

from pathlib import Path

from dev.paths import CHECKOUT
from landlord.backends.contract import Backend
from landlord.backends.loading import GROUP


def write_plugin(folder: Path, backend: type[Backend]) -> dict[str, str]:
    """Write the metadata of a plug-in into `folder`. Returns the environment variables that a worker needs.

    The class can be in any module of the checkout, such as a test.
    """
    info = folder / f"{backend.name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {backend.name}\nVersion: 1.0\n")
    entry = f"{backend.name} = {backend.__module__}:{backend.__qualname__}"
    (info / "entry_points.txt").write_text(f"[{GROUP}]\n{entry}\n")
    return {"PYTHONPATH": f"{folder}:{CHECKOUT}"}

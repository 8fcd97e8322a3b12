"""A backend that a worker finds as a plug-in, though nothing was installed."""

from pathlib import Path

from dev.paths import CHECKOUT
from landlord.backends.contract import Backend
from landlord.backends.loading import GROUP


def plugged_in(folder: Path, backend: type[Backend]) -> dict[str, str]:
    """Write what an installer would write into `folder`; returns the variables that a worker needs for it.

    The class may be in any module of the checkout, such as one of its tests or of its bench.
    """
    info = folder / f"{backend.name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {backend.name}\nVersion: 1.0\n")
    entry = f"{backend.name} = {backend.__module__}:{backend.__qualname__}"
    (info / "entry_points.txt").write_text(f"[{GROUP}]\n{entry}\n")
    return {"PYTHONPATH": f"{folder}:{CHECKOUT}"}

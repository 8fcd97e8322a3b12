"""Where the local environment keeps its things."""

import hashlib
import os
from pathlib import Path

from dev.failure import LocalFailure

CHECKOUT = Path(__file__).resolve().parents[1]


def checkout(*parts: str) -> Path:
    """A path inside the checkout. The local environment needs one: tools, CRD and examples live there."""
    path = CHECKOUT.joinpath(*parts)
    if not path.exists():
        raise LocalFailure(
            f"{path} is missing: run this from a checkout of landlord, not from an installed package"
        )
    return path


def on_path() -> dict[str, str]:
    """The variable by which a child finds this package, which is not installed, wherever it runs."""
    others = os.environ.get("PYTHONPATH")
    return {"PYTHONPATH": f"{CHECKOUT}{os.pathsep}{others}" if others else str(CHECKOUT)}


def state_dir() -> Path:
    """The folder of all that one environment owns: LANDLORD_STATE_DIR, else .landlord in the checkout."""
    given = os.environ.get("LANDLORD_STATE_DIR")
    return Path(given).resolve() if given else CHECKOUT / ".landlord"


def cache_dir() -> Path:
    """The folder of built and fetched tools, shared by all checkouts of one person."""
    given = os.environ.get("LANDLORD_CACHE")
    if given:
        return Path(given).resolve()
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "landlord"


def short_hash(*parts: str | bytes) -> str:
    """Twelve hex digits that differ when any part differs."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8))
        digest.update(data)
    return digest.hexdigest()[:12]

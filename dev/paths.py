"""The folders of the local environment."""

import hashlib
import os
from pathlib import Path

from dev.failure import LocalFailure

CHECKOUT = Path(__file__).resolve().parents[1]


def checkout(*parts: str) -> Path:
    """A path inside the checkout, which has the tools, the CRD and the examples."""
    path = CHECKOUT.joinpath(*parts)
    if not path.exists():
        raise LocalFailure(f"{path} does not exist", fix="run this from a complete checkout of landlord")
    return path


def on_path() -> dict[str, str]:
    """The environment variable that lets a child import this package, which is not installed."""
    others = os.environ.get("PYTHONPATH")
    return {"PYTHONPATH": f"{CHECKOUT}{os.pathsep}{others}" if others else str(CHECKOUT)}


def state_dir() -> Path:
    """The folder of one environment: LANDLORD_STATE_DIR, by default .landlord in the checkout."""
    given = os.environ.get("LANDLORD_STATE_DIR")
    return Path(given).resolve() if given else CHECKOUT / ".landlord"


def cache_dir() -> Path:
    """The folder of built and downloaded programs, which all checkouts of one user share."""
    given = os.environ.get("LANDLORD_CACHE")
    if given:
        return Path(given).resolve()
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "landlord"


def short_hash(*parts: str | bytes) -> str:
    """A hash of the parts, as twelve hexadecimal digits."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8))
        digest.update(data)
    return digest.hexdigest()[:12]

"""Finds the installed backends by their `landlord.backends` entry points and loads the enabled ones."""

from collections import Counter
from collections.abc import Collection
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from pydantic import BaseModel

from landlord.backends.contract import Backend
from landlord.errors import SettingsError

GROUP = "landlord.backends"
SETTING = "LANDLORD_BACKENDS"


def load_backends(enabled: Collection[str] | None = None) -> dict[str, Backend]:
    """Load the enabled backends by name; all installed ones for None.

    Raises SettingsError if one of them is not installed, is installed twice, or can't be loaded.
    """
    return load_from(entry_points(group=GROUP), enabled)


def load_from(installed: Collection[EntryPoint], enabled: Collection[str] | None) -> dict[str, Backend]:
    """Load the enabled backends from these entry points."""
    return {point.name: load(point) for point in choose(installed, enabled)}


def find_plug_ins() -> set[str]:
    """Find the names of the installed backends that are not part of landlord."""
    return {point.name for point in entry_points(group=GROUP) if find_distribution(point) != "landlord"}


def choose(installed: Collection[EntryPoint], enabled: Collection[str] | None) -> list[EntryPoint]:
    """Choose the enabled entry points, sorted by name."""
    names = sorted({point.name for point in installed})
    wanted = names if enabled is None else sorted(set(enabled))
    listing = ", ".join(names) or "none"
    if not wanted:
        raise SettingsError(
            f"{SETTING} enables no backend; installed: {listing}", f"name an installed backend in {SETTING}"
        )
    if unknown := [name for name in wanted if name not in names]:
        raise SettingsError(
            f"{SETTING} names {', '.join(map(repr, unknown))}, which is not installed; installed: {listing}",
            f"correct {SETTING}, or install the backend beside landlord",
        )
    chosen = sorted((point for point in installed if point.name in wanted), key=lambda point: point.name)
    for name, count in Counter(point.name for point in chosen).items():
        if count > 1:
            owners = ", ".join(sorted(find_distribution(point) for point in chosen if point.name == name))
            raise SettingsError(
                f"the backend {name!r} is installed more than once, by {owners}",
                f"uninstall all but one, or leave {name!r} out of {SETTING}",
            )
    return chosen


def load(point: EntryPoint) -> Backend:
    """Load the backend behind an entry point. Raises SettingsError if that fails or it is not a backend."""
    subject = f"the backend {point.name!r} ({point.value}) of {find_distribution(point)}"
    try:
        kind = point.load()
        missing = _list_missing_parts(kind)
        backend: Backend | None = None if missing else kind()
    except Exception as error:  # a plug-in may raise anything; the program ends, and names it
        raise SettingsError(
            f"{subject} can't be loaded: {type(error).__name__}: {error}",
            f"repair it, or leave it out of {SETTING}",
        ) from error
    if backend is None:
        raise SettingsError(
            f"{subject} lacks {', '.join(missing)} of landlord.backends.contract.Backend",
            f"complete it, or leave it out of {SETTING}",
        )
    if backend.name != point.name:
        raise SettingsError(
            f"the entry point {point.name!r} of {find_distribution(point)} leads to a backend that is named "
            f"{backend.name!r}; both names must be the same"
        )
    return backend


def find_distribution(point: EntryPoint) -> str:
    """Find the name of the distribution that installed an entry point."""
    return point.dist.name if point.dist else "an unknown distribution"


def _list_missing_parts(kind: Any) -> list[str]:
    parts = [*Backend.__annotations__, *(part for part in vars(Backend) if not part.startswith("_"))]
    missing = [part for part in parts if not hasattr(kind, part)]
    config = getattr(kind, "Config", BaseModel)
    if not (isinstance(config, type) and issubclass(config, BaseModel)):
        missing.append("Config, a pydantic model")
    return missing

"""`landlord backends`: which backends are installed, which are enabled, and whether they work."""

import asyncio
import json
import time
from collections.abc import Collection
from importlib.metadata import EntryPoint, entry_points
from threading import Thread
from typing import Any

from pydantic import Field

from landlord.api.base import Model
from landlord.backends.contract import Backend
from landlord.backends.loading import GROUP, SETTING, choose, find_distribution, load
from landlord.errors import LandlordError, SettingsError

PATIENCE_SECONDS = 10.0


class Installed(Model):
    """One installed backend."""

    name: str
    distribution: str
    version: str
    enabled: bool
    healthy: bool | None = None
    """Whether it loads and its tenants can be listed; None if it is not enabled, so it was not asked."""
    message: str
    tenants: int | None = None
    """Number of tenants on the backend."""
    config_schema: dict[str, Any] = Field(default_factory=dict)
    """JSON Schema of `spec.compute.config`; empty if it does not load."""

    @property
    def well(self) -> bool:
        """Whether it needs no attention."""
        return self.healthy is not False


def check_backends(enabled: Collection[str] | None, patience: float = PATIENCE_SECONDS) -> list[Installed]:
    """Check all installed backends, and report those that are enabled but not installed. None enables all."""
    return check_entry_points(entry_points(group=GROUP), enabled, patience)


def check_entry_points(
    points: Collection[EntryPoint], enabled: Collection[str] | None, patience: float = PATIENCE_SECONDS
) -> list[Installed]:
    """Check the backends of the given entry points; see `check_backends`."""
    checks = [_Check(point, points, enabled) for point in points]
    absent = [_missing(name) for name in set(enabled or ()) - {point.name for point in points}]
    for each in checks:
        each.start()
    deadline = time.monotonic() + patience
    for each in checks:
        each.join(max(0.0, deadline - time.monotonic()))
    found = [*absent, *(each.report(patience) for each in checks)]
    return sorted(found, key=lambda each: (each.name, each.distribution))


def find(found: Collection[Installed], name: str) -> Installed:
    """Return the backend of this name. Raises SettingsError if there is none."""
    for each in found:
        if each.name == name:
            return each
    listing = ", ".join(each.name for each in found) or "none"
    raise SettingsError(
        f"backend {name!r} is not installed here; installed: {listing}\n"
        "Fix: install its package, or run this command in the worker's environment."
    )


class _Check(Thread):
    """Checks one backend in its own thread, so a plug-in that hangs or exits does not hold up the others."""

    def __init__(
        self, point: EntryPoint, points: Collection[EntryPoint], enabled: Collection[str] | None
    ) -> None:
        super().__init__(daemon=True)
        self._point = point
        self._points = points
        self._enabled = enabled is None or point.name in enabled
        self._stage = "load"
        self._schema: dict[str, Any] = {}
        self._tenants: int | None = None
        self._problem = ""

    def run(self) -> None:
        try:
            choose(self._points, [self._point.name])  # raises if it is installed more than once
            backend = load(self._point)
            self._schema = backend.Config.model_json_schema()
            self._stage = "list its tenants"
            if self._enabled:
                self._tenants = asyncio.run(_count(backend))
        except LandlordError as error:
            self._problem = str(error)
        except BaseException as error:  # including SystemExit; the report shows it
            self._problem = f"{type(error).__name__}: {error}"

    def report(self, patience: float) -> Installed:
        """Return what is known by now."""
        problem = self._problem
        if self.is_alive():
            problem = f"did not {self._stage} within {patience:g} s"
        return Installed(
            name=self._point.name,
            distribution=find_distribution(self._point),
            version=self._point.dist.version if self._point.dist else "unknown",
            enabled=self._enabled,
            healthy=not problem if self._enabled else None,
            message=problem or ("its tenants can be listed" if self._enabled else "loads"),
            tenants=self._tenants,
            config_schema=self._schema,
        )


async def _count(backend: Backend) -> int:
    try:
        return len(await backend.survey())
    finally:
        await backend.close()


def _missing(name: str) -> Installed:
    message = f"not installed\nFix: install its package, or remove it from {SETTING}."
    return Installed(
        name=name, distribution="none", version="none", enabled=True, healthy=False, message=message
    )


def render(found: Collection[Installed]) -> str:
    """Render a table for a person: one line for each backend."""
    rows = [("NAME", "ENABLED", "TENANTS", "FROM", "HEALTH"), *map(_row, found)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _row(one: Installed) -> tuple[str, ...]:
    tenants = "-" if one.tenants is None else str(one.tenants)
    return (
        one.name,
        "yes" if one.enabled else "no",
        tenants,
        f"{one.distribution} {one.version}",
        _health(one),
    )


def _health(one: Installed) -> str:
    line = " ".join(one.message.replace("\nFix:", ". Fix:").split())
    return {True: "healthy", False: f"PROBLEM: {line}", None: f"not enabled; {line}"}[one.healthy]


def render_one(one: Installed) -> str:
    """Render one backend for a person, with the schema of its config."""
    schema = json.dumps(one.config_schema, indent=2) if one.config_schema else "unknown"
    return f"{render([one])}\n\nspec.compute.config, as JSON Schema:\n{schema}"

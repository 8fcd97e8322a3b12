"""Hashes the services that the worker offers. A registration is current if it has the same hash."""

import hashlib
import json
from collections.abc import Iterable
from importlib.metadata import entry_points

from restate.discovery import compute_discovery_json
from restate.endpoint import Endpoint

from landlord import __version__
from landlord.backends.loading import GROUP

MANIFEST_VERSION = 4


def revision_of(endpoint: Endpoint, backends: Iterable[str]) -> str:
    """Return 12 hex digits that change with services, handlers, types, landlord or a backend's package.

    They are the same for the same code, in any process and at any start.
    """
    offered = {
        "discovery": json.loads(compute_discovery_json(endpoint, MANIFEST_VERSION, "bidi")),
        "version": __version__,
        "backends": {name: _read_versions(name) for name in backends},
    }
    canonical = json.dumps(offered, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:12]


def _read_versions(backend: str) -> list[str]:
    points = entry_points(group=GROUP, name=backend)
    return sorted(f"{point.dist.name} {point.dist.version}" for point in points if point.dist)

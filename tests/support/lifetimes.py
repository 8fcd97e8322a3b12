"""Lifetimes of Tenants."""

from datetime import UTC, datetime

from tests.support.system import Tenant

LONG = "720h"
"""Longer than any test."""


def in_seconds(tenant: Tenant, seconds: float) -> str:
    """An expireAfter with which the Tenant expires so many seconds from now."""
    age = datetime.now(UTC) - datetime.fromisoformat(tenant["metadata"]["creationTimestamp"])
    return f"{int((age.total_seconds() + seconds) * 1000)}ms"

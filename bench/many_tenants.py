"""A backend that reports thousands of tenants that do not exist, to measure what their survey costs."""

import os
from collections.abc import Mapping

from landlord.backends.contract import Observation
from landlord.backends.memory import MemoryBackend

MANY_TENANTS = "MANY_TENANTS"
"""The environment variable with their number."""


class ManyTenantsBackend(MemoryBackend):
    """For each tenant that it has, its surveys also contain MANY_TENANTS copies."""

    name = "many"

    async def survey(self) -> Mapping[str, Observation]:
        """The real tenants and the copies."""
        real = await super().survey()
        number = int(os.environ[MANY_TENANTS])
        return {**real, **{name_of(each): seen for seen in real.values() for each in range(number)}}


def name_of(number: int) -> str:
    """The tenantID of a copy."""
    return f"many-{number:05}"

"""A backend with thousands of tenants that were never made: for what it costs to look at them."""

import os
from collections.abc import Mapping

from landlord.backends.contract import Observation
from landlord.backends.memory import MemoryBackend

MANY_TENANTS = "MANY_TENANTS"
"""Names the variable that says how many."""


class ManyTenantsBackend(MemoryBackend):
    """Sees as many more tenants as MANY_TENANTS says beside each that it has, all just like that one."""

    name = "many"

    async def survey(self) -> Mapping[str, Observation]:
        """All of them."""
        real = await super().survey()
        number = int(os.environ[MANY_TENANTS])
        return {**real, **{name_of(each): seen for seen in real.values() for each in range(number)}}


def name_of(number: int) -> str:
    """The tenantID of one of them."""
    return f"many-{number:05}"

"""The states that a tenant can be wanted in, and for how long: `spec.desiredState`, `spec.lifetime`."""

from datetime import timedelta
from typing import Annotated, Literal

import durationpy
from pydantic import Field, StringConstraints

from landlord.api.base import Model
from landlord.api.schema import cel

State = Literal["Active", "Suspended", "Archived"]
"""Active: it runs. Suspended: nothing of it runs, and all of it is kept, to go on as it was. Archived: only
what holds its data is kept."""


class Lifetime(Model):
    """How long the tenant is wanted as `desiredState` says, and what becomes of it then."""

    expire_after: Annotated[str, StringConstraints(max_length=32)] = Field(
        json_schema_extra=cel(
            "self.matches('^([0-9]+(ms|s|m|h))+$') && "
            "duration(self) >= duration('1s') && duration(self) <= duration('87600h')",
            "expireAfter is a duration from 1s to ten years (87600h), such as 12h or 720h",
        )
    )
    """Time from the Tenant's creation to its expiry, such as 720h. To extend the lifetime, raise it; a tenant
    that was suspended or archived by its expiry is brought back."""
    on_expiry: Literal["Suspend", "Archive", "Delete"] = "Suspend"
    """Suspend or Archive: as `desiredState` Suspended or Archived does. Delete: the Tenant is deleted, as
    `kubectl delete` does, and `spec.deletion` holds."""

    @property
    def duration(self) -> timedelta:
        """`expire_after` as a time."""
        duration: timedelta = durationpy.from_str(self.expire_after)
        return duration

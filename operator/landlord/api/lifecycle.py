"""Which state a tenant is to be in, and for how long: `spec.desiredState` and `spec.lifetime`."""

from datetime import timedelta
from typing import Annotated, Literal

import durationpy
from pydantic import Field, StringConstraints

from landlord.api.base import Model
from landlord.api.schema import cel

State = Literal["Active", "Suspended", "Archived"]
"""Active: the tenant runs. Suspended: it is stopped, and all of its objects are kept. Archived: only the
objects that hold its data are kept."""


class Lifetime(Model):
    """How long the tenant stays in its desired state, and what happens then."""

    expire_after: Annotated[str, StringConstraints(max_length=32)] = Field(
        json_schema_extra=cel(
            "self.matches('^([0-9]+(ms|s|m|h))+$') && "
            "duration(self) >= duration('1s') && duration(self) <= duration('87600h')",
            "expireAfter must be a duration from 1s to ten years (87600h), such as 12h or 720h",
        )
    )
    """Time from the Tenant's creation to its expiry, such as 720h. Raise it to extend the lifetime; a tenant
    that its expiry suspended or archived then becomes Active again."""
    on_expiry: Literal["Suspend", "Archive", "Delete"] = "Suspend"
    """What happens at expiry. Suspend and Archive act like `desiredState` Suspended and Archived. Delete acts
    like `kubectl delete`, subject to `spec.deletion`. Defaults to Suspend."""

    @property
    def duration(self) -> timedelta:
        """`expire_after` as a timedelta."""
        duration: timedelta = durationpy.from_str(self.expire_after)
        return duration

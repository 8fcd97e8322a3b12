"""What happens when a Tenant is deleted: `spec.deletion`."""

from datetime import timedelta
from typing import Annotated, Literal

import durationpy
from pydantic import ConfigDict, Field, StringConstraints

from landlord.api.base import Model
from landlord.api.schema import cel


class Deletion(Model):
    """What happens when the Tenant is deleted. It can be changed after the deletion was asked for, too."""

    model_config = ConfigDict(
        json_schema_extra=cel(
            "!has(self.protected) || !self.protected || !has(self.force) || !self.force",
            "deletion.force has no meaning while deletion.protected is true: set one of them to false",
        )
    )

    policy: Literal["Delete", "Archive", "Retain"] = "Delete"
    """Delete: what was made for the tenant is removed, with its data. Archive: all but what holds its data is
    removed. Retain: all of it is left running. An Event and the operator's log say what is left and where. A
    Tenant with the same tenantID takes it over."""
    protected: bool = False
    """The Tenant can't be deleted. The API server refuses it if it has the policy of manifests/protection;
    else the object says Terminating, and what runs is left alone until this is false."""
    grace_period: Annotated[str, StringConstraints(max_length=32)] = Field(
        default="0s",
        json_schema_extra=cel(
            "self.matches('^([0-9]+(ms|s|m|h))+$') && duration(self) <= duration('8760h')",
            "gracePeriod is a duration up to a year (8760h), such as 30m or 72h",
        ),
    )
    """How long after the deletion was asked for nothing is removed yet, such as 72h. To cut it short,
    shorten it."""

    force: bool = False
    """Let the Tenant go when deprovisioning has failed, as its backend is gone for good. What may be left of
    it is in a Warning Event and in the operator's log."""

    @property
    def grace(self) -> timedelta:
        """The grace period as a time."""
        grace: timedelta = durationpy.from_str(self.grace_period)
        return grace

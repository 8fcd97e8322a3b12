"""What happens when a Tenant is deleted: `spec.deletion`."""

from datetime import timedelta
from typing import Annotated, Literal

import durationpy
from pydantic import ConfigDict, Field, StringConstraints

from landlord.api.base import Model
from landlord.api.schema import cel


class Deletion(Model):
    """What happens when the Tenant is deleted. Can also be changed while the Tenant is being deleted."""

    model_config = ConfigDict(
        json_schema_extra=cel(
            "!has(self.protected) || !self.protected || !has(self.force) || !self.force",
            "deletion.force has no effect while deletion.protected is true: set one of them to false",
        )
    )

    policy: Literal["Delete", "Archive", "Retain"] = "Delete"
    """What happens to the tenant's objects on the backend. Delete: they are deleted, with their data.
    Archive: only the objects that hold data are kept. Retain: all of them are kept and continue to run. Kept
    objects are listed in an Event and in the operator's log; a Tenant with the same tenantID takes them over.
    Defaults to Delete."""
    protected: bool = False
    """Whether the Tenant is protected from deletion. With the policy in manifests/protection, the API server
    rejects the deletion. Without it, the Tenant stays Terminating and its objects are left unchanged until
    this is false. Defaults to false."""
    grace_period: Annotated[str, StringConstraints(max_length=32)] = Field(
        default="0s",
        json_schema_extra=cel(
            "self.matches('^([0-9]+(ms|s|m|h))+$') && duration(self) <= duration('8760h')",
            "gracePeriod must be a duration of at most a year (8760h), such as 30m or 72h",
        ),
    )
    """How long to wait after the deletion request before anything is deleted, such as 72h. Can be shortened
    while it runs. Defaults to 0s."""

    force: bool = False
    """Whether to remove the Tenant even if deprovisioning failed, because its backend is permanently gone. A
    Warning Event and the operator's log list the objects that may remain. Defaults to false."""

    @property
    def grace(self) -> timedelta:
        """The grace period as a timedelta."""
        grace: timedelta = durationpy.from_str(self.grace_period)
        return grace

"""What happens when a Tenant is deleted: `spec.deletion`."""

from landlord.api.base import Model


class Deletion(Model):
    """What happens when the Tenant is deleted. It can be changed after the deletion was asked for, too."""

    protected: bool = False
    """The Tenant can't be deleted. The API server refuses it if it has the policy of manifests/protection;
    else the object says Terminating, and what runs is left alone until this is false."""

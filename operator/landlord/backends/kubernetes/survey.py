"""What the cluster's lists say about all tenants. No I/O.

Of each object only what counts is kept: those of 10,000 tenants would take hundreds of megabytes.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from landlord.api import names
from landlord.api.schema import JsonObject
from landlord.backends import Observation
from landlord.backends.kubernetes import rollout, spec


@dataclass(frozen=True)
class Place:
    """A tenant's namespace."""

    tenant_id: str
    going: bool


class Survey:
    """Takes the namespaces first and then the Deployments, so that a tenant made meanwhile lacks neither."""

    def __init__(self) -> None:
        self._places: dict[str, Place] = {}
        self._running: dict[str, Observation] = {}

    def add_namespace(self, found: JsonObject) -> None:
        """A namespace of some tenant; its metadata will do."""
        metadata = found["metadata"]
        if tenant_id := spec.labels_of(found).get(names.LABEL_TENANT):
            self._places[metadata["name"]] = Place(tenant_id, "deletionTimestamp" in metadata)

    def add_deployment(self, found: JsonObject) -> None:
        """A Deployment of landlord's."""
        place = self._places.get(found["metadata"]["namespace"])
        if place is None or found["metadata"]["name"] != spec.NAME or not spec.owned(found, place.tenant_id):
            return
        waiting = "the namespace is being deleted" if place.going else rollout.waiting_for(found)
        applied = spec.labels_of(found).get(names.LABEL_SPEC_HASH)
        self._running[place.tenant_id] = Observation(
            waiting is None, applied, waiting or "all replicas are available"
        )

    def observations(self) -> Mapping[str, Observation]:
        """Each tenant that has a namespace, by its tenantID."""
        nothing = Observation(healthy=False, spec_hash=None, reason="there is no Deployment")
        return {
            place.tenant_id: self._running.get(place.tenant_id, nothing) for place in self._places.values()
        }

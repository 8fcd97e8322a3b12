"""The Tenants as last observed, filled by the watch and by the answers to landlord's own writes.

Each is kept as the JSON that it arrived as (about 2 KB), because parsed models would take five times the
memory for 10,000 settled Tenants, which landlord reads only when something happens.
"""

import json
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from landlord.api import names
from landlord.api.conditions import READY
from landlord.api.schema import JsonObject
from landlord.api.tenant import Key, Tenant
from landlord.controller.decide.comparison import LastReported, read_last_reported

UNSET = ""


@dataclass(frozen=True, slots=True)
class _CachedTenant:
    raw: bytes
    uid: str
    version: int
    tenant_id: str
    claim_rank: tuple[bool, str, str]
    """The lower rank wins if two Tenants have one tenantID: the Tenant that work was started for before the
    other, then the older one, then the one with the lower uid, because ages are whole seconds."""
    phase: str
    provider: str
    unready_since: str
    """RFC 3339 in UTC; empty while Ready."""
    last_reported: LastReported | None


class CachedVersion(NamedTuple):
    """A Tenant that is stored, and its resourceVersion."""

    key: Key
    version: int


class Cache:
    """Tenants by key. Not thread-safe: used on the operator's event loop only."""

    def __init__(self) -> None:
        self._entries: dict[Key, _CachedTenant] = {}
        self._claims: defaultdict[str, set[Key]] = defaultdict(set)
        self.unsettled: set[Key] = set()
        """Tenants that wait for something; the reconciler maintains it."""

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, key: Key) -> bool:
        return key in self._entries

    def list_keys(self) -> list[Key]:
        """List all keys, as a copy."""
        return list(self._entries)

    def map_versions(self) -> dict[str, CachedVersion]:
        """Map the uid of each Tenant to its key and its resourceVersion."""
        return {entry.uid: CachedVersion(key, entry.version) for key, entry in self._entries.items()}

    def accept_any(self, key: Key, uid: str) -> None:
        """Let the next version of this Tenant replace the stored one, even if it is older."""
        entry = self._entries.get(key)
        if entry and entry.uid == uid:
            self._entries[key] = replace(entry, version=0)

    def get(self, key: Key) -> Tenant | None:
        """Return the Tenant, parsed; None if it no longer exists."""
        entry = self._entries.get(key)
        return Tenant.model_validate(json.loads(entry.raw)) if entry else None

    def get_condition(self, key: Key, kind: str) -> tuple[str, str, str] | None:
        """Return status, reason and message of one condition, without the cost of parsing the Tenant."""
        entry = self._entries.get(key)
        listed = json.loads(entry.raw)["status"].get("conditions", ()) if entry else ()
        return next((_read_condition(condition) for condition in listed if condition["type"] == kind), None)

    def put(self, body: JsonObject) -> list[Key]:
        """Store an object, unless a newer version or namesake of it is stored already.

        Returns the Tenants that were waiting for the tenantID of a namesake that is gone.
        """
        metadata = body["metadata"]
        key = Key(metadata["namespace"], metadata["name"])
        spec, status = body.get("spec") or {}, body.get("status") or {}
        known = self._entries.get(key)
        version = int(metadata["resourceVersion"])
        if known and not _is_newer(metadata, version, known):
            return []
        waiting: list[Key] = []
        if known and known.uid != metadata["uid"]:
            waiting, known = self.drop(key, known.uid), None
        has_claim = "workflow" in status or (known is not None and not known.claim_rank[0])
        entry = _CachedTenant(
            raw=_serialize(body),
            uid=metadata["uid"],
            version=version,
            tenant_id=spec.get("tenantID") or metadata["name"],
            claim_rank=(not has_claim, metadata["creationTimestamp"], metadata["uid"]),
            phase=status.get("phase") or "Pending",
            provider=status.get("provider", UNSET),
            unready_since=_find_unready_since(body),
            last_reported=read_last_reported(body),
        )
        self._entries[key] = entry
        self._claims[entry.tenant_id].add(key)
        return waiting

    def refresh(self, body: JsonObject) -> None:
        """Store the answer to a write of our own, unless the object is gone by now."""
        metadata = body["metadata"]
        known = self._entries.get(Key(metadata["namespace"], metadata["name"]))
        if known and known.uid == metadata["uid"]:
            self.put(body)

    def claim(self, key: Key) -> None:
        """Give the Tenant its tenantID for good, because work is started for it."""
        entry = self._entries.get(key)
        if entry:
            self._entries[key] = replace(entry, claim_rank=(False, *entry.claim_rank[1:]))

    def drop(self, key: Key, uid: str) -> list[Key]:
        """Drop a Tenant, and no namesake of it; returns the Tenants that were waiting for its tenantID."""
        entry = self._entries.get(key)
        if entry is None or entry.uid != uid:
            return []
        del self._entries[key]
        self.unsettled.discard(key)
        waiting = self._claims[entry.tenant_id]
        waiting.discard(key)
        if not waiting:
            del self._claims[entry.tenant_id]
        return list(waiting)

    def find_owner(self, key: Key) -> Key | None:
        """Find the older Tenant that has this Tenant's tenantID; None if this one has it, or is gone."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        claims = self._claims[entry.tenant_id]
        first = min(claims, key=lambda claim: self._entries[claim].claim_rank)
        return None if first == key else first

    def get_last_reported(self, key: Key) -> LastReported | None:
        """Return what the Tenant reports, as far as a survey can contradict it."""
        entry = self._entries.get(key)
        return entry.last_reported if entry else None

    def group_last_reported(self) -> dict[str, dict[Key, LastReported]]:
        """Group the same of all Tenants by the backend that they run on."""
        found: defaultdict[str, dict[Key, LastReported]] = defaultdict(dict)
        for key, entry in self._entries.items():
            if entry.last_reported:
                found[entry.last_reported.provider][key] = entry.last_reported
        return found

    def count_tenants(self) -> dict[tuple[str, str], int]:
        """Count the Tenants by (phase, provider)."""
        counts: defaultdict[tuple[str, str], int] = defaultdict(int)
        for entry in self._entries.values():
            counts[entry.phase, entry.provider] += 1
        return counts

    def find_unready_since(self) -> dict[str, datetime]:
        """Find, for each phase, since when one of its Tenants has not been Ready."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for entry in self._entries.values():
            if entry.unready_since:
                found[entry.phase].append(entry.unready_since)
        return {phase: datetime.fromisoformat(min(times)) for phase, times in found.items()}


def _is_newer(metadata: JsonObject, version: int, known: _CachedTenant) -> bool:
    """Whether an object is newer than the one that is stored under its name.

    The watch keeps the order of one object's events, but not that of two objects with one name. An API server
    that was restored from a backup counts its versions from a lower one on, so a later creation counts, too.
    """
    if metadata["uid"] == known.uid:
        return version >= known.version
    return version > known.version or metadata["creationTimestamp"] > known.claim_rank[1]


def _read_condition(condition: JsonObject) -> tuple[str, str, str]:
    return condition["status"], condition["reason"], condition["message"]


def _find_unready_since(body: JsonObject) -> str:
    conditions = (body.get("status") or {}).get("conditions", ())
    ready = next((condition for condition in conditions if condition["type"] == READY), None)
    if ready is None:
        since: str = body["metadata"]["creationTimestamp"]
    else:
        since = UNSET if ready["status"] == "True" else ready["lastTransitionTime"]
    return since


def _serialize(body: JsonObject) -> bytes:
    """Serialize the parts that a plan reads."""
    metadata = {
        k: v for k, v in body["metadata"].items() if k not in ("managedFields", "annotations", "labels")
    }
    if requested_at := (body["metadata"].get("annotations") or {}).get(names.ANNOTATION_RETRY):
        metadata["annotations"] = {names.ANNOTATION_RETRY: requested_at}
    slim = {"metadata": metadata, "spec": body.get("spec"), "status": body.get("status") or {}}
    return json.dumps(slim, separators=(",", ":")).encode()

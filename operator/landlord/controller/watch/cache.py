"""The Tenants as last seen, filled by the watch and by the answers to our own writes.

Each is kept as the JSON it came as (about 2 KB): parsed models would cost five times the memory of 10,000
settled Tenants, for objects that are looked at only when something happens.
"""

import json
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import datetime

from landlord.api.conditions import READY
from landlord.api.schema import JsonObject
from landlord.api.tenant import Key, Tenant
from landlord.controller.decide.comparison import Standing, standing

UNSET = ""


@dataclass(frozen=True, slots=True)
class _Entry:
    raw: bytes
    uid: str
    version: int
    tenant_id: str
    rank: tuple[bool, str, str]
    """Of two Tenants with one tenantID the one with the lower rank has it: the one that work was started for
    before the other, then the older, then by uid, because ages are whole seconds."""
    phase: str
    provider: str
    unready_since: str
    """RFC 3339 in UTC; empty while Ready."""
    standing: Standing | None


class Cache:
    """Tenants by key. Not thread-safe: used on the operator's event loop only."""

    def __init__(self) -> None:
        self._entries: dict[Key, _Entry] = {}
        self._claims: defaultdict[str, set[Key]] = defaultdict(set)
        self.unsettled: set[Key] = set()
        """Tenants that wait for something; kept by the reconciler."""

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, key: Key) -> bool:
        return key in self._entries

    def all_keys(self) -> list[Key]:
        """All keys, as a copy."""
        return list(self._entries)

    def uids(self) -> dict[str, Key]:
        """All Tenants, by their uids."""
        return {entry.uid: key for key, entry in self._entries.items()}

    def get(self, key: Key) -> Tenant | None:
        """The Tenant, parsed; None if it is gone."""
        entry = self._entries.get(key)
        return Tenant.model_validate(json.loads(entry.raw)) if entry else None

    def condition(self, key: Key, kind: str) -> tuple[str, str, str] | None:
        """Status, reason and message of one condition, without the cost of parsing the Tenant."""
        entry = self._entries.get(key)
        listed = json.loads(entry.raw)["status"].get("conditions", ()) if entry else ()
        return next((_said(condition) for condition in listed if condition["type"] == kind), None)

    def put(self, body: JsonObject) -> list[Key]:
        """Take in an object, unless a newer version or namesake of it is here already.

        Returns those that had to wait for the tenantID of a namesake that is gone.
        """
        metadata = body["metadata"]
        key = Key(metadata["namespace"], metadata["name"])
        spec, status = body.get("spec") or {}, body.get("status") or {}
        known = self._entries.get(key)
        version = int(metadata["resourceVersion"])
        if known and not _replaces(metadata, version, known):
            return []
        heirs: list[Key] = []
        if known and known.uid != metadata["uid"]:
            heirs, known = self.drop(key, known.uid), None
        claimed = "workflow" in status or (known is not None and not known.rank[0])
        entry = _Entry(
            raw=_slim(body),
            uid=metadata["uid"],
            version=version,
            tenant_id=spec.get("tenantID") or metadata["name"],
            rank=(not claimed, metadata["creationTimestamp"], metadata["uid"]),
            phase=status.get("phase") or "Pending",
            provider=status.get("provider", UNSET),
            unready_since=_unready_since(body),
            standing=standing(body),
        )
        self._entries[key] = entry
        self._claims[entry.tenant_id].add(key)
        return heirs

    def refresh(self, body: JsonObject) -> None:
        """Take in the answer to a write of our own, unless the object is gone by now."""
        metadata = body["metadata"]
        known = self._entries.get(Key(metadata["namespace"], metadata["name"]))
        if known and known.uid == metadata["uid"]:
            self.put(body)

    def claim(self, key: Key) -> None:
        """Note that work is started for the Tenant: from now on its tenantID is its own."""
        entry = self._entries.get(key)
        if entry:
            self._entries[key] = replace(entry, rank=(False, *entry.rank[1:]))

    def drop(self, key: Key, uid: str) -> list[Key]:
        """Forget a Tenant, and no namesake of it; returns those that had to wait for its tenantID."""
        entry = self._entries.get(key)
        if entry is None or entry.uid != uid:
            return []
        del self._entries[key]
        self.unsettled.discard(key)
        heirs = self._claims[entry.tenant_id]
        heirs.discard(key)
        if not heirs:
            del self._claims[entry.tenant_id]
        return list(heirs)

    def owner(self, key: Key) -> Key | None:
        """The older Tenant that has this Tenant's tenantID; None if it is its own, or it is gone."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        claims = self._claims[entry.tenant_id]
        first = min(claims, key=lambda claim: self._entries[claim].rank)
        return None if first == key else first

    def standing(self, key: Key) -> Standing | None:
        """What the Tenant says that a survey can be compared with."""
        entry = self._entries.get(key)
        return entry.standing if entry else None

    def standings(self) -> dict[str, dict[Key, Standing]]:
        """The same of all Tenants, by the backend that they run on."""
        found: defaultdict[str, dict[Key, Standing]] = defaultdict(dict)
        for key, entry in self._entries.items():
            if entry.standing:
                found[entry.standing.provider][key] = entry.standing
        return found

    def census(self) -> dict[tuple[str, str], int]:
        """How many Tenants there are by (phase, provider)."""
        counts: defaultdict[tuple[str, str], int] = defaultdict(int)
        for entry in self._entries.values():
            counts[entry.phase, entry.provider] += 1
        return counts

    def unready_since(self) -> dict[str, datetime]:
        """By phase: since when one of its Tenants, the one for the longest, is not Ready."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for entry in self._entries.values():
            if entry.unready_since:
                found[entry.phase].append(entry.unready_since)
        return {phase: datetime.fromisoformat(min(times)) for phase, times in found.items()}


def _replaces(metadata: JsonObject, version: int, known: _Entry) -> bool:
    """Whether an object is newer than the one that is known by its name.

    The watch keeps the order of one object's events, and not that of two with one name. An API server that
    was restored from a backup counts its versions from lower on, so a later creation counts, too.
    """
    if metadata["uid"] == known.uid:
        return version >= known.version
    return version > known.version or metadata["creationTimestamp"] > known.rank[1]


def _said(condition: JsonObject) -> tuple[str, str, str]:
    return condition["status"], condition["reason"], condition["message"]


def _unready_since(body: JsonObject) -> str:
    conditions = (body.get("status") or {}).get("conditions", ())
    ready = next((condition for condition in conditions if condition["type"] == READY), None)
    if ready is None:
        since: str = body["metadata"]["creationTimestamp"]
    else:
        since = UNSET if ready["status"] == "True" else ready["lastTransitionTime"]
    return since


def _slim(body: JsonObject) -> bytes:
    """The parts that a plan reads, as JSON."""
    metadata = {
        k: v for k, v in body["metadata"].items() if k not in ("managedFields", "annotations", "labels")
    }
    slim = {"metadata": metadata, "spec": body.get("spec"), "status": body.get("status") or {}}
    return json.dumps(slim, separators=(",", ":")).encode()

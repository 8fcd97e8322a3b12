"""Counts deletions, and reads what the CRD says about them: the breaker decides by both.

All of it comes from objects: deletionTimestamps, the conditions of deletions on hold, and the CRD. It lacks
only the deletions that were carried out before this process began to watch.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from landlord.api import names
from landlord.api.conditions import DELETION_HELD
from landlord.api.schema import JsonObject
from landlord.api.tenant import Key
from landlord.controller.decide.breaker import RELEASE, Deletions, Limits
from landlord.controller.kube import KubeClient
from landlord.kubernetes_api import KubeError
from landlord.settings import OperatorSettings

log = logging.getLogger(__name__)

POLL_SECONDS = 3.0
"""How soon landlord notices that a person has confirmed the deletions on hold."""

MOST_REMEMBERED = 10_000
"""Deletions that were carried out; far more than any sensible limit."""


@dataclass(frozen=True)
class CrdState:
    """What the CRD says about deletions."""

    is_terminating: bool
    released: datetime | None


def read_crd_state(metadata: JsonObject) -> CrdState:
    """Read the CRD's metadata. A confirmation that can't be read confirms nothing."""
    text, released = (metadata.get("annotations") or {}).get(names.ANNOTATION_RELEASED), None
    if text:
        try:
            released = datetime.fromisoformat(text)
        except ValueError:
            note = "%s on the CRD is %r, which is not a time, so it releases nothing; run %s"
            log.warning(note, names.ANNOTATION_RELEASED, text, RELEASE)
    if released is not None and released.tzinfo is None:
        released = released.replace(tzinfo=UTC)
    return CrdState("deletionTimestamp" in metadata, released)


def read_limits(settings: OperatorSettings) -> Limits:
    """Read how many deletions landlord takes to be intended."""
    window = timedelta(seconds=settings.mass_deletion_seconds)
    return Limits(settings.mass_deletion_count, settings.mass_deletion_share, window)


class DeletionLedger:
    """The deletions that the watch has observed. Those that keep everything do not count."""

    def __init__(self, window: timedelta) -> None:
        self._window = window
        self._present: dict[str, datetime] = {}
        """By uid, like the next: one Tenant's events may come between those of a namesake."""
        self._held: dict[str, tuple[Key, datetime]] = {}
        self._gone: deque[datetime] = deque(maxlen=MOST_REMEMBERED)

    def update(self, kind: str | None, key: Key, body: JsonObject) -> None:
        """Apply one event of the watch."""
        metadata, deletion = body["metadata"], (body.get("spec") or {}).get("deletion") or {}
        uid = metadata["uid"]
        self._held.pop(uid, None)
        before = self._present.pop(uid, None)
        if kind == "DELETED":
            if before is not None:
                self._gone.append(before)
            return
        if "deletionTimestamp" not in metadata or deletion.get("policy") == "Retain":
            return
        self._present[uid] = deleted_at = datetime.fromisoformat(metadata["deletionTimestamp"])
        listed = (body.get("status") or {}).get("conditions", ())
        if any((each["type"], each["reason"]) == (DELETION_HELD, "MassDeletionHold") for each in listed):
            if not self._held:
                log.warning("landlord holds deletions of Tenants; if they are intended, run %s", RELEASE)
            self._held[uid] = key, deleted_at

    def list_held(self) -> list[Key]:
        """List the Tenants that report that their deletion is on hold."""
        return [key for key, _ in self._held.values()]

    def summarize(self, limits: Limits, tenants: int, crd: CrdState, now: datetime) -> Deletions:
        """Summarize all deletions, of so many Tenants that exist now."""
        since = now - self._window
        while self._gone and self._gone[0] <= since:
            self._gone.popleft()
        existed = tenants + len(self._gone)
        times = sorted((*self._present.values(), *self._gone))
        return Deletions(
            allowed=limits.count_allowed(existed),
            window=self._window,
            tenants=existed,
            times=tuple(at for at in times if crd.released is None or at > crd.released),
            is_any_held=any(crd.released is None or at > crd.released for _, at in self._held.values()),
            is_crd_terminating=crd.is_terminating,
            released=crd.released,
        )


class MassDeletion:
    """Watches over deletions. `wake` is called with each Tenant on hold when the CRD says something new."""

    def __init__(
        self,
        kube: KubeClient,
        limits: Limits,
        count_tenants: Callable[[], int],
        wake: Callable[[Key], None],
    ) -> None:
        self._kube = kube
        self._limits = limits
        self._count_tenants = count_tenants
        self._wake = wake
        self._asking = asyncio.Lock()
        self._asked_at = float("-inf")
        self._crd = CrdState(is_terminating=False, released=None)
        self.ledger = DeletionLedger(limits.window)

    async def observe(self, now: datetime) -> Deletions:
        """Observe all deletions, and the CRD no earlier than this call. Raises KubeError."""
        return self.ledger.summarize(self._limits, self._count_tenants(), await self._read_crd(), now)

    async def run(self) -> None:
        """Notice a confirmation, until cancelled."""
        latest = None
        while True:
            await asyncio.sleep(POLL_SECONDS)
            if not self.ledger.list_held():
                continue
            try:
                crd = await self._read_crd()
            except KubeError as error:
                log.warning("landlord can't read from the CRD whether deletions are released: %s", error)
                continue
            if crd != latest:
                latest = crd
                for key in self.ledger.list_held():
                    self._wake(key)

    async def _read_crd(self) -> CrdState:
        # One request answers all callers that came before it was sent. A later caller needs another one,
        # because the CRD may have been deleted in between, and the Tenant with it.
        called_at = asyncio.get_running_loop().time()
        async with self._asking:
            if self._asked_at < called_at:
                asked_at = asyncio.get_running_loop().time()
                self._crd = read_crd_state(await self._kube.read_crd_metadata())
                self._asked_at = asked_at
        return self._crd

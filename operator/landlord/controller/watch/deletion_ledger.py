"""Keeps count of deletions, and asks the CRD about them: what the breaker decides by.

All of it is derived from objects: deletionTimestamps, the conditions of those that are held, and the CRD.
Only the deletions that were carried out before this process began to watch are not known to it.
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
"""How soon it is noticed that a person has released what is held."""

MOST_REMEMBERED = 10_000
"""Deletions that were carried out; far more than a limit can sensibly be."""


@dataclass(frozen=True)
class CrdState:
    """What the CRD says of deletions."""

    terminating: bool
    released: datetime | None


def crd_state(metadata: JsonObject) -> CrdState:
    """Read the CRD's metadata. A release that can't be read is none."""
    text, released = (metadata.get("annotations") or {}).get(names.ANNOTATION_RELEASED), None
    if text:
        try:
            released = datetime.fromisoformat(text)
        except ValueError:
            note = "%s on the CRD is %r, which is no time, and releases nothing; run %s"
            log.warning(note, names.ANNOTATION_RELEASED, text, RELEASE)
    if released is not None and released.tzinfo is None:
        released = released.replace(tzinfo=UTC)
    return CrdState("deletionTimestamp" in metadata, released)


def limits_of(settings: OperatorSettings) -> Limits:
    """How many deletions are taken to be meant."""
    window = timedelta(seconds=settings.mass_deletion_seconds)
    return Limits(settings.mass_deletion_count, settings.mass_deletion_share, window)


class DeletionLedger:
    """The deletions that the watch has told of. Those that leave everything behind do not count."""

    def __init__(self, window: timedelta) -> None:
        self._window = window
        self._present: dict[str, datetime] = {}
        """By uid, as in the next: one Tenant's news may come amid those of a namesake."""
        self._held: dict[str, tuple[Key, datetime]] = {}
        self._gone: deque[datetime] = deque(maxlen=MOST_REMEMBERED)

    def take(self, kind: str | None, key: Key, body: JsonObject) -> None:
        """Take in what the watch tells of an object."""
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
                log.warning("deletions of Tenants are held; if they are meant: %s", RELEASE)
            self._held[uid] = key, deleted_at

    @property
    def held(self) -> list[Key]:
        """Tenants that say that they are held."""
        return [key for key, _ in self._held.values()]

    def known(self, limits: Limits, there: int, crd: CrdState, now: datetime) -> Deletions:
        """All that is known, of so many Tenants that there are now."""
        since = now - self._window
        while self._gone and self._gone[0] <= since:
            self._gone.popleft()
        tenants = there + len(self._gone)
        times = sorted((*self._present.values(), *self._gone))
        return Deletions(
            allowed=limits.allowed(tenants),
            window=self._window,
            tenants=tenants,
            times=tuple(at for at in times if crd.released is None or at > crd.released),
            held=any(crd.released is None or at > crd.released for _, at in self._held.values()),
            crd_terminating=crd.terminating,
            released=crd.released,
        )


class MassDeletion:
    """Watches over deletions. `wake` hears of the held Tenants when the CRD says something else of them."""

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
        self._crd = CrdState(terminating=False, released=None)
        self.ledger = DeletionLedger(limits.window)

    async def known(self, now: datetime) -> Deletions:
        """All that is known, with the CRD as it is no earlier than this call. Raises KubeError."""
        return self.ledger.known(self._limits, self._count_tenants(), await self._look(), now)

    async def run(self) -> None:
        """Notice a release, until cancelled."""
        told = None
        while True:
            await asyncio.sleep(POLL_SECONDS)
            if not self.ledger.held:
                continue
            try:
                crd = await self._look()
            except KubeError as error:
                log.warning("whether deletions are released can't be seen: %s", error)
                continue
            if crd != told:
                told = crd
                for key in self.ledger.held:
                    self._wake(key)

    async def _look(self) -> CrdState:
        # One request answers all who asked before it was sent; who comes later needs the next one, for the
        # CRD may have been deleted in between, and the Tenant because of it.
        called_at = asyncio.get_running_loop().time()
        async with self._asking:
            if self._asked_at < called_at:
                asked_at = asyncio.get_running_loop().time()
                self._crd = crd_state(await self._kube.crd_metadata())
                self._asked_at = asked_at
        return self._crd

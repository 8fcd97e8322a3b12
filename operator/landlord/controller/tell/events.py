"""Writes Events, beside everything else: one at a time, paced, and never waited for.

An engine that flaps with thousands of Tenants waiting must not cost the API server a storm, and an API server
that refuses Events must not cost anybody a reconcile: what an Event says is in the conditions too.
"""

import asyncio
import logging
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from landlord import metrics
from landlord.api import names
from landlord.api.schema import JsonObject
from landlord.api.tenant import Tenant
from landlord.controller.decide.news import News
from landlord.controller.kube import KubeClient
from landlord.kubernetes_api import KubeError

log = logging.getLogger(__name__)

PACE = 20.0
"""Events per second, at most."""
ROOM = 2000
"""Events that wait to be written, about 1 MB; what comes beyond is dropped."""
QUIET_SECONDS = 300.0
"""For how long the same news about the same object is not told again, unless it ends bad news."""
PASSING_SECONDS = 3.0
"""How long what passes must last to be told: a lost registration is repaired sooner."""
MAX_NOTE = 1024
"""Bytes of a note that the API server takes."""
MAX_NAME = 253

_BEING_TERMINATED = "because it is being terminated"


@dataclass(frozen=True)
class Regarding:
    """The object that an Event is shown with."""

    api_version: str
    kind: str
    namespace: str
    name: str
    uid: str

    @classmethod
    def tenant(cls, tenant: Tenant) -> "Regarding":
        """A Tenant."""
        metadata = tenant.metadata
        return cls(names.API_VERSION, names.KIND, metadata.namespace, metadata.name, metadata.uid)

    @classmethod
    def lease(cls, namespace: str, uid: str) -> "Regarding":
        """The operator's Lease, which stands for landlord as a whole."""
        return cls("coordination.k8s.io/v1", "Lease", namespace, names.LEASE, uid)


def event(regarding: Regarding, news: News, instance: str, at: datetime) -> JsonObject:
    """The Event as events.k8s.io wants it. Named as client-go does it: after its object and the time."""
    suffix = f".{int(at.timestamp() * 1e6):x}"
    return {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {
            "name": regarding.name[: MAX_NAME - len(suffix)].rstrip("-.") + suffix,
            "namespace": regarding.namespace,
        },
        "eventTime": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "type": news.type,
        "reason": news.reason,
        "action": news.action,
        "note": _clipped(" ".join(news.note.split())),
        "regarding": {
            "apiVersion": regarding.api_version,
            "kind": regarding.kind,
            "namespace": regarding.namespace,
            "name": regarding.name,
            "uid": regarding.uid,
        },
        "reportingController": f"{names.GROUP}/operator",
        "reportingInstance": instance,
    }


def _clipped(note: str) -> str:
    raw = note.encode()
    return note if len(raw) <= MAX_NOTE else raw[: MAX_NOTE - 3].decode(errors="ignore") + "…"


@dataclass(frozen=True)
class _Item:
    """An Event that waits to be written: at once, or if it passes, when it is due."""

    regarding: Regarding
    news: News
    at: datetime
    due: float


@dataclass(frozen=True)
class _Told:
    """What has been told about one object: the last of it, and what else minutes ago."""

    last: News
    at: dict[tuple[str, int], float]


class Recorder:
    """Takes news at any time, and writes it as long as `run` runs. `instance` names this process."""

    def __init__(self, kube: KubeClient, instance: str) -> None:
        self._kube = kube
        self._instance = instance
        self._waiting: deque[_Item] = deque()
        self._passing: dict[str, _Item] = {}
        self._wakeup = asyncio.Event()
        self._told: dict[str, _Told] = {}
        self._lost = 0

    def tell(self, regarding: Regarding, news: News | None) -> None:
        """Have it written some time, unless the same was told minutes ago. Never blocks or raises.

        None says that nothing is new but that what passes has passed.
        """
        held = self._passing.get(regarding.uid)
        if held is not None and (news is None or not news.repeats(held.news)):
            del self._passing[regarding.uid]
        if news is None or regarding.uid in self._passing or self._was_told(regarding.uid, news):
            return
        if len(self._waiting) + len(self._passing) >= ROOM:
            metrics.kubernetes_writes.labels("events", "post", "dropped").inc()
            self._lose(f"{ROOM} wait to be written already")
            return
        item = _Item(regarding, news, datetime.now(UTC), asyncio.get_running_loop().time() + PASSING_SECONDS)
        if news.passing:
            self._passing[regarding.uid] = item
        else:
            self._waiting.append(item)
        self._wakeup.set()

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            item = await self._next()
            if not self._was_told(item.regarding.uid, item.news):
                self._note(item.regarding.uid, item.news)
                await self._write(item)
                await asyncio.sleep(1 / PACE)

    async def _next(self) -> _Item:
        while True:
            self._wakeup.clear()
            if self._waiting:
                return self._waiting.popleft()
            oldest = next(iter(self._passing.values()), None)
            if oldest and oldest.due <= asyncio.get_running_loop().time():
                return self._passing.pop(oldest.regarding.uid)
            with suppress(TimeoutError):
                async with asyncio.timeout_at(oldest.due if oldest else None):
                    await self._wakeup.wait()

    async def _write(self, item: _Item) -> None:
        path = f"/apis/events.k8s.io/v1/namespaces/{item.regarding.namespace}/events"
        body = event(item.regarding, item.news, self._instance, item.at)
        try:
            await self._kube.write("events", "POST", path, body)
        except KubeError as error:
            # In a namespace that goes, or is gone, nobody is left to be told.
            if error.status != 404 and _BEING_TERMINATED not in str(error):
                self._lose(str(error))
            return
        if self._lost and not self._waiting and not self._passing:
            log.info("Events are written again", extra={"lost": self._lost})
            self._lost = 0

    def _lose(self, why: str) -> None:
        if not self._lost:
            log.warning("Events are lost, and what they say is only in the Tenants' conditions: %s", why)
        self._lost += 1

    def _was_told(self, uid: str, news: News) -> bool:
        told = self._told.get(uid)
        if told is None or (news.type == "Normal" and told.last.type == "Warning"):
            return False
        at = told.at.get((news.reason, news.generation), float("-inf"))
        return asyncio.get_running_loop().time() - at < QUIET_SECONDS

    def _note(self, uid: str, news: News) -> None:
        now = asyncio.get_running_loop().time()
        old, known = now - QUIET_SECONDS, self._told.pop(uid, None)
        recent = {what: at for what, at in known.at.items() if at >= old} if known else {}
        self._told[uid] = _Told(news, recent | {(news.reason, news.generation): now})
        while max(next(iter(self._told.values())).at.values()) < old:
            del self._told[next(iter(self._told))]

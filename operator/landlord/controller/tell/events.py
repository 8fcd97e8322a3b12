"""Records Events beside everything else: one at a time, at a limited pace, and nothing waits for them.

An engine that flaps while thousands of Tenants wait must not flood the API server, and an API server that
rejects Events must not delay a reconcile, because the conditions report the same.
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
"""Events that may wait to be written, about 1 MB; landlord drops any more."""
QUIET_SECONDS = 300.0
"""For how long landlord does not repeat the same news about the same object, unless it ends bad news."""
TRANSIENT_SECONDS = 3.0
"""How long transient news must last to become an Event: a lost registration is repaired sooner."""
MAX_NOTE = 1024
"""Bytes of a note that the API server accepts."""
MAX_NAME = 253

_BEING_TERMINATED = "because it is being terminated"


@dataclass(frozen=True, kw_only=True)
class Regarding:
    """The object that an Event is about."""

    api_version: str
    kind: str
    namespace: str
    name: str
    uid: str

    @classmethod
    def of_tenant(cls, tenant: Tenant) -> "Regarding":
        """Refer to a Tenant."""
        metadata = tenant.metadata
        return cls(
            api_version=names.API_VERSION,
            kind=names.KIND,
            namespace=metadata.namespace,
            name=metadata.name,
            uid=metadata.uid,
        )

    @classmethod
    def of_lease(cls, namespace: str, uid: str) -> "Regarding":
        """Refer to the operator's Lease, which stands for landlord as a whole."""
        return cls(
            api_version="coordination.k8s.io/v1",
            kind="Lease",
            namespace=namespace,
            name=names.LEASE,
            uid=uid,
        )


def build_event(regarding: Regarding, news: News, instance: str, at: datetime) -> JsonObject:
    """Build the Event for events.k8s.io. Its name is made of its object's and the time, as in client-go."""
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
        "note": _clip(" ".join(news.note.split())),
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


def _clip(note: str) -> str:
    raw = note.encode()
    return note if len(raw) <= MAX_NOTE else raw[: MAX_NOTE - 3].decode(errors="ignore") + "…"


@dataclass(frozen=True)
class _QueuedEvent:
    """An Event that waits to be written: at once, or if it is transient, when it is due."""

    regarding: Regarding
    news: News
    at: datetime
    due: float


@dataclass(frozen=True)
class _RecordedNews:
    """Which Events landlord recorded about one object: the last one, and others of the last minutes."""

    last: News
    at: dict[tuple[str, int], float]


class Recorder:
    """Accepts news at any time, and writes it while `run` runs. `instance` names this process."""

    def __init__(self, kube: KubeClient, instance: str) -> None:
        self._kube = kube
        self._instance = instance
        self._waiting: deque[_QueuedEvent] = deque()
        self._transient: dict[str, _QueuedEvent] = {}
        self._wakeup = asyncio.Event()
        self._recorded: dict[str, _RecordedNews] = {}
        self._dropped = 0

    def record(self, regarding: Regarding, news: News | None) -> None:
        """Queue news, unless the same was recorded minutes ago. Never blocks or raises.

        None means that nothing is new, but that transient news is over.
        """
        pending = self._transient.get(regarding.uid)
        if pending is not None and (news is None or not news.is_repeat_of(pending.news)):
            del self._transient[regarding.uid]
        if news is None or regarding.uid in self._transient or self._is_recorded(regarding.uid, news):
            return
        if len(self._waiting) + len(self._transient) >= ROOM:
            metrics.kubernetes_writes.labels("events", "post", "dropped").inc()
            self._drop(f"{ROOM} are waiting already")
            return
        item = _QueuedEvent(
            regarding, news, datetime.now(UTC), asyncio.get_running_loop().time() + TRANSIENT_SECONDS
        )
        if news.is_transient:
            self._transient[regarding.uid] = item
        else:
            self._waiting.append(item)
        self._wakeup.set()

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            item = await self._next()
            if not self._is_recorded(item.regarding.uid, item.news):
                self._remember(item.regarding.uid, item.news)
                await self._write(item)
                await asyncio.sleep(1 / PACE)

    async def _next(self) -> _QueuedEvent:
        while True:
            self._wakeup.clear()
            if self._waiting:
                return self._waiting.popleft()
            oldest = next(iter(self._transient.values()), None)
            if oldest and oldest.due <= asyncio.get_running_loop().time():
                return self._transient.pop(oldest.regarding.uid)
            with suppress(TimeoutError):
                async with asyncio.timeout_at(oldest.due if oldest else None):
                    await self._wakeup.wait()

    async def _write(self, item: _QueuedEvent) -> None:
        path = f"/apis/events.k8s.io/v1/namespaces/{item.regarding.namespace}/events"
        body = build_event(item.regarding, item.news, self._instance, item.at)
        try:
            await self._kube.write("events", "POST", path, body)
        except KubeError as error:
            # In a namespace that is being deleted, or is gone, nobody reads Events.
            if error.status != 404 and _BEING_TERMINATED not in str(error):
                self._drop(str(error))
            return
        if self._dropped and not self._waiting and not self._transient:
            log.info("landlord records Events again", extra={"lost": self._dropped})
            self._dropped = 0

    def _drop(self, why: str) -> None:
        if not self._dropped:
            log.warning("landlord drops Events, so only the Tenants' conditions report what happens: %s", why)
        self._dropped += 1

    def _is_recorded(self, uid: str, news: News) -> bool:
        recorded = self._recorded.get(uid)
        if recorded is None or (news.type == "Normal" and recorded.last.type == "Warning"):
            return False
        at = recorded.at.get((news.reason, news.generation), float("-inf"))
        return asyncio.get_running_loop().time() - at < QUIET_SECONDS

    def _remember(self, uid: str, news: News) -> None:
        now = asyncio.get_running_loop().time()
        old, known = now - QUIET_SECONDS, self._recorded.pop(uid, None)
        recent = {what: at for what, at in known.at.items() if at >= old} if known else {}
        self._recorded[uid] = _RecordedNews(news, recent | {(news.reason, news.generation): now})
        while max(next(iter(self._recorded.values())).at.values()) < old:
            del self._recorded[next(iter(self._recorded))]

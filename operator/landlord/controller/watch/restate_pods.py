"""Watches the pods and EndpointSlices of Restate, because the registration may change with them.

Level-triggered: it does not matter what changed, only that landlord checks the registration afterwards. When
a watch ends, landlord opens it again, which also counts as a change, because it may have missed one. So it
need not list anything, and keeps no resourceVersion that could become too old.

landlord has its own because kopf has one set of namespaces for everything that it watches, and Restate may be
in another one.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import NamedTuple

from landlord.api.schema import JsonObject
from landlord.backoff import backoff
from landlord.controller.kube import KubeClient
from landlord.controller.watch.gates import Gates
from landlord.errors import SettingsError
from landlord.kubernetes_api import KubeError

log = logging.getLogger(__name__)

GATE = "restatePods"
STEADY_SECONDS = 15.0
"""A watch that lasted for so long was not a failure."""
MOST_FAILURES = 7
"""More failures in a row do not lengthen the wait, which is 13 s by then."""


class WatchedKind(NamedTuple):
    """A kind of object that landlord watches."""

    resource: str
    prefix: str
    advice: str
    """What to do if no object has the labels."""


KINDS = (
    WatchedKind("pods", "/api/v1", "check LANDLORD_RESTATE_NAMESPACE and LANDLORD_RESTATE_POD_SELECTOR"),
    WatchedKind(
        "endpointslices",
        "/apis/discovery.k8s.io/v1",
        "they have the labels of their Service, so label that like the pods",
    ),
)


class RestatePods:
    """Calls `on_change` whenever an object with the labels changes in the namespace, or may have."""

    def __init__(
        self,
        *,
        kube: KubeClient,
        namespace: str,
        selector: str,
        gates: Gates,
        on_change: Callable[[], None],
    ) -> None:
        self._kube = kube
        self._namespace = namespace
        self._selector = selector
        self._gates = gates
        self._on_change = on_change
        gates.set(GATE, False, "not watched yet; only the leader watches")
        self._problems = {kind: f"{kind.resource} are not watched yet" for kind in KINDS}
        self._is_watching: bool | None = None

    async def check_selector(self) -> None:
        """Check that the API server can read the selector. Raises SettingsError if not."""
        try:
            async with self._watching(KINDS[0]):
                return
        except KubeError as error:
            if error.status == 400:
                raise SettingsError(
                    f"LANDLORD_RESTATE_POD_SELECTOR: must be a label selector such as app=restate: {error}"
                ) from error
            log.debug("landlord could not check the selector: %s", error)

    async def run(self) -> None:
        """Watch until cancelled, whatever fails."""
        async with asyncio.TaskGroup() as tasks:
            for kind in KINDS:
                tasks.create_task(self._follow(kind))

    async def _follow(self, kind: WatchedKind) -> None:
        failures = 0
        while True:
            started = time.monotonic()
            try:
                async with self._watching(kind) as events:
                    await self._listen(kind, events)
            except KubeError as error:
                self._report(kind, f"landlord can't watch {kind.resource}: {error}")
            steady = time.monotonic() - started > STEADY_SECONDS
            failures = 1 if steady else min(failures + 1, MOST_FAILURES)
            await asyncio.sleep(backoff(failures))

    def _watching(self, kind: WatchedKind) -> AbstractAsyncContextManager[AsyncIterator[JsonObject]]:
        path = f"{kind.prefix}/namespaces/{self._namespace}/{kind.resource}"
        return self._kube.watching(path, self._selector)

    async def _listen(self, kind: WatchedKind, events: AsyncIterator[JsonObject]) -> None:
        self._on_change()
        there: set[str] = set()
        async for event in events:
            if event["type"] == "BOOKMARK":
                # By the first one the API server has sent everything that exists.
                if not there:
                    self._report(kind, f"no {kind.resource} {self._describe_scope()}: {kind.advice}")
                continue
            self._on_change()
            name = event["object"]["metadata"]["name"]
            if event["type"] == "DELETED":
                there.discard(name)
            else:
                there.add(name)
                self._report(kind, "")

    def _report(self, kind: WatchedKind, problem: str) -> None:
        self._problems[kind] = problem
        problems = "; ".join(filter(None, self._problems.values()))
        watching = f"watching pods and endpointslices {self._describe_scope()}"
        self._gates.set(GATE, not problems, problems or watching)
        if problem and self._is_watching is not False:
            self._is_watching = False
            log.warning("%s; landlord still checks the registration every few seconds", problem)
        elif not problems and self._is_watching is not True:
            self._is_watching = True
            log.info(watching)

    def _describe_scope(self) -> str:
        return f"with {self._selector} in namespace {self._namespace}"

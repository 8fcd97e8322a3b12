"""Watches the pods and EndpointSlices of Restate, as a hint that its registration may have changed.

Level-triggered: what has changed does not matter, only that the registration is looked at afterwards. A watch
that ends is opened again, and as something may have been missed in between, that too counts as a change. So
nothing has to be listed, and no resourceVersion is kept that could grow too old.

Own code because kopf has one set of namespaces for all that it watches, and Restate may be elsewhere.
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
"""A watch that stood for so long was not a failure."""
MOST_FAILURES = 7
"""More of them in a row do not lengthen the wait, which is 13 s by then."""


class Kind(NamedTuple):
    """Something that is watched."""

    resource: str
    prefix: str
    advice: str
    """What to do if nothing has the labels."""


KINDS = (
    Kind("pods", "/api/v1", "check LANDLORD_RESTATE_NAMESPACE and LANDLORD_RESTATE_POD_SELECTOR"),
    Kind(
        "endpointslices",
        "/apis/discovery.k8s.io/v1",
        "they have the labels of their Service: label that like the pods",
    ),
)


class RestatePods:
    """Calls `changed` whenever something with the labels changes in the namespace, or may have."""

    def __init__(
        self, kube: KubeClient, namespace: str, selector: str, gates: Gates, changed: Callable[[], None]
    ) -> None:
        self._kube = kube
        self._namespace = namespace
        self._selector = selector
        self._gates = gates
        self._changed = changed
        gates.set(GATE, False, "not watched yet; only the leader watches")
        self._problems = {kind: f"{kind.resource} are not watched yet" for kind in KINDS}
        self._well: bool | None = None

    async def check_selector(self) -> None:
        """Raises SettingsError if the API server can't read the selector."""
        try:
            async with self._watch(KINDS[0]):
                return
        except KubeError as error:
            if error.status == 400:
                raise SettingsError(
                    f"LANDLORD_RESTATE_POD_SELECTOR: should be a label selector such as app=restate: {error}"
                ) from error
            log.debug("the selector could not be checked: %s", error)

    async def run(self) -> None:
        """Watch until cancelled, whatever fails."""
        async with asyncio.TaskGroup() as tasks:
            for kind in KINDS:
                tasks.create_task(self._follow(kind))

    async def _follow(self, kind: Kind) -> None:
        failures = 0
        while True:
            started = time.monotonic()
            try:
                async with self._watch(kind) as events:
                    await self._listen(kind, events)
            except KubeError as error:
                self._tell(kind, f"{kind.resource} can't be watched: {error}")
            steady = time.monotonic() - started > STEADY_SECONDS
            failures = 1 if steady else min(failures + 1, MOST_FAILURES)
            await asyncio.sleep(backoff(failures))

    def _watch(self, kind: Kind) -> AbstractAsyncContextManager[AsyncIterator[JsonObject]]:
        path = f"{kind.prefix}/namespaces/{self._namespace}/{kind.resource}"
        return self._kube.watch(path, self._selector)

    async def _listen(self, kind: Kind, events: AsyncIterator[JsonObject]) -> None:
        self._changed()
        there: set[str] = set()
        async for event in events:
            if event["type"] == "BOOKMARK":
                # By its first one the API server has told all that there is.
                if not there:
                    self._tell(kind, f"no {kind.resource} {self._where()}: {kind.advice}")
                continue
            self._changed()
            name = event["object"]["metadata"]["name"]
            if event["type"] == "DELETED":
                there.discard(name)
            else:
                there.add(name)
                self._tell(kind, "")

    def _tell(self, kind: Kind, problem: str) -> None:
        self._problems[kind] = problem
        problems = "; ".join(filter(None, self._problems.values()))
        watching = f"watching pods and endpointslices {self._where()}"
        self._gates.set(GATE, not problems, problems or watching)
        if problem and self._well is not False:
            self._well = False
            log.warning("%s; the registration is still checked every few seconds", problem)
        elif not problems and self._well is not True:
            self._well = True
            log.info(watching)

    def _where(self) -> str:
        return f"with {self._selector} in namespace {self._namespace}"

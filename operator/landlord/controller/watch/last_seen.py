"""When the API server last sent something about Tenants: what tells a watch that is quiet from one that is
blind.

The API server sends a bookmark about once a minute over each watch, even if nothing changes. The first one
may take longer than the 70 s after which kopf opens a silent watch again: 129 s were measured in an idle
cluster. So a watch that is opened again counts as a sign, too, but only once until something comes over it.
"""

import time
from collections.abc import Sequence

from landlord import metrics
from landlord.controller.decide.rights import list_scopes
from landlord.controller.kube import build_tenants_path

BLIND_SECONDS = 120.0
"""Silence after which landlord says that it does not see Tenants: two bookmarks are missing by then."""


class LastSeen:
    """Kept by the watch's thread and read by the operator's. Each namespace to watch has its own watch."""

    def __init__(self, namespaces: Sequence[str]) -> None:
        paths = [build_tenants_path(namespace) for namespace in list_scopes(namespaces)]
        now = time.monotonic()
        self._watched = dict.fromkeys(paths, now)
        self._answered = dict.fromkeys(paths, now)
        self._has_watched: set[str] = set()
        self._was_reopened: set[str] = set()
        """Those of which nothing has come since."""
        self._problem = ""
        metrics.watch_last_seen.set(time.time())

    def note_answer(self, path: str, *, watch: bool) -> None:
        """Note that the API server has just granted a list of Tenants or opened a watch on them."""
        if path not in self._answered:
            return
        self._answered[path] = time.monotonic()
        if not watch:
            return
        if path not in self._has_watched:
            self._has_watched.add(path)
            self.note_event(path)
        elif path not in self._was_reopened:
            self.note_event(path)
            self._was_reopened.add(path)

    def note_event(self, path: str) -> None:
        """Note that an event or bookmark has just come over a watch."""
        if path not in self._watched:
            return
        now = time.monotonic()
        self._was_reopened.discard(path)
        self._answered[path] = self._watched[path] = now
        self._problem = ""
        metrics.watch_last_seen.set(time.time() - (now - min(self._watched.values())))

    def note_problem(self, problem: str) -> None:
        """Note why the API server sends nothing."""
        self._problem = problem

    def begin(self) -> None:
        """Count the silence of lists from now on, because a watch has just been started."""
        self._answered = dict.fromkeys(self._answered, time.monotonic())

    @property
    def silence(self) -> float:
        """Seconds for which one of the watches or its lists has been silent."""
        return time.monotonic() - min(self._answered.values())

    def report(self) -> tuple[bool, str]:
        """Report whether landlord sees Tenants, and how it knows, as a gate does."""
        if self._watched.keys() - self._has_watched:
            return False, self._problem or "the watch on Tenants has not started yet"
        blind = time.monotonic() - min(self._watched.values())
        if blind <= BLIND_SECONDS:
            return True, "watching Tenants"
        because = f": {self._problem}" if self._problem else ""
        return False, f"landlord has not seen any change of Tenants for {blind:.0f} s{because}"

"""The real parts that one test session starts; all are gone when it ends, however it ends."""

import itertools
from pathlib import Path

from dev.cluster import ControlPlane
from dev.guard import discard
from dev.net import free_ports
from dev.process import mark_of
from dev.restate import RestatePorts, RestateServer

PART = "session"


class Session:
    """Makes parts in folders of their own."""

    def __init__(self, state: Path) -> None:
        self.mark = f"{mark_of(state)}/{PART}"
        self._state = state
        self._numbers = itertools.count()

    def folder(self, name: str) -> Path:
        """A new folder."""
        folder = self._state / PART / f"{name}-{next(self._numbers)}"
        folder.mkdir(parents=True)
        return folder

    def control_plane(self) -> ControlPlane:
        """A control plane with an audit log, not started."""
        folder = self.folder("cluster")
        # A mark of its own, or the end of one would be the end of all.
        return ControlPlane(folder / "kwok", mark=f"{self.mark}/{folder.name}", audit=True)

    def restate(self, *, partitions: int = 1) -> RestateServer:
        """A Restate server on free ports, not started."""
        ports = RestatePorts(*free_ports(3))
        return RestateServer(self.folder("restate"), ports, mark=self.mark, partitions=partitions)

    def end(self) -> None:
        """End all that was started."""
        discard(self._state, PART)

"""The real parts that a test run starts; all are gone when it ends, however it ends.

A run may be spread over several processes. Each makes parts of its own, and all share one control plane,
which the first that needs it starts. `make test-up` keeps one running for runs of a single process.
"""

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.support.forks import Nursery

from dev.cluster import ControlPlane
from dev.guard import discard, guarding
from dev.lock import locking
from dev.net import free_ports
from dev.paths import CHECKOUT, state_dir
from dev.process import mark_of
from dev.restate import RestatePorts, RestateServer

PART = "session"
STATE = "LANDLORD_TEST_STATE"
"""Names the folder of the run for the processes that it is spread over."""
STANDING = "tests"
"""The part of the local environment that `make test-up` starts."""

_START_SECONDS = 300.0
CRD = CHECKOUT / "crds" / "tenants.yaml"


@contextmanager
def whole_run() -> Iterator[None]:
    """Ends with all that any process of the run has started, also when this process is killed."""
    with TemporaryDirectory(prefix="landlord-tests-") as folder:
        state = Path(folder).resolve()
        with guarding(state) as guard:
            guard.watch(PART)
            os.environ[STATE] = folder
            yield
            discard(state, PART)


class Session:
    """Makes parts in folders of its own. `process` tells the processes of a run apart."""

    def __init__(self, process: str) -> None:
        self._state = Path(os.environ[STATE]).resolve()
        self._mark = f"{mark_of(self._state)}/{PART}"
        self._process = process
        self._numbers = itertools.count()
        self.mark = f"{self._mark}/{process}"
        self.nursery = Nursery(self.mark)

    def folder(self, name: str) -> Path:
        """A new folder."""
        folder = self._state / PART / self._process / f"{name}-{next(self._numbers)}"
        folder.mkdir(parents=True)
        return folder

    @contextmanager
    def alone(self, what: str) -> Iterator[None]:
        """Hold what all processes of the run share, such as an image that is built once."""
        with locking(self._state / f"{what}.lock", timeout=_START_SECONDS):
            yield

    def shared_control_plane(self, *, standing: bool) -> ControlPlane:
        """The control plane of all processes of the run, with the CRD and an audit log.

        With `standing` it is the one that `make test-up` keeps running, if it does.
        """
        plane = standing_control_plane()
        if not (standing and plane.healthy()):
            name = "control-plane"
            plane = ControlPlane(self._state / PART / name, mark=f"{self._mark}/{name}", audit=True)
        with self.alone("control-plane"):
            if not plane.healthy():
                plane.start()
            plane.kubectl.install_crd(CRD)
        return plane

    def control_plane(self) -> ControlPlane:
        """A control plane with an audit log, not started."""
        folder = self.folder("cluster")
        # A mark of its own, or the end of one would be the end of all.
        return ControlPlane(folder / "kwok", mark=f"{self.mark}/{folder.name}", audit=True)

    def restate(self, *, partitions: int = 1) -> RestateServer:
        """A Restate server on free ports, not started."""
        ports = RestatePorts(*free_ports(3))
        return RestateServer(self.folder("restate"), ports, mark=self.mark, partitions=partitions)


def standing_control_plane() -> ControlPlane:
    """The one that `make test-up` keeps running."""
    state = state_dir()
    return ControlPlane(state / STANDING, mark=f"{mark_of(state)}/{STANDING}", audit=True)

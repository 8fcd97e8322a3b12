"""A lock between processes that the system releases after a crash."""

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from dev.failure import LocalFailure

_POLL_SECONDS = 0.1


@contextmanager
def locking(path: Path, *, timeout: float, waiting: Callable[[], None] = lambda: None) -> Iterator[int]:
    """Hold the lock file `path` while the body runs.

    Yields the file descriptor. A child that inherits it keeps the lock if this process is killed. `waiting`
    is called once if another process holds the lock.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + timeout
    reported = False
    with path.open("a") as handle:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not reported:
                    waiting()
                    reported = True
                if time.monotonic() > deadline:
                    raise LocalFailure(
                        f"another process has held the lock {path} for {timeout:.0f} s",
                        fix="wait until it ends, or stop it",
                    ) from None
                time.sleep(_POLL_SECONDS)
        yield handle.fileno()

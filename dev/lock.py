"""A lock between processes that a crash can't leave behind."""

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from dev.failure import LocalFailure

_POLL_SECONDS = 0.1


@contextmanager
def locked(path: Path, *, timeout: float, waiting: Callable[[], None] = lambda: None) -> Iterator[int]:
    """Hold the lock file `path`; the system releases it when the holder ends, however it ends.

    Yields the file descriptor, for a child that must keep the lock if its parent dies. `waiting` is called
    once if someone else holds the lock.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + timeout
    told = False
    with path.open("a") as handle:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not told:
                    waiting()
                    told = True
                if time.monotonic() > deadline:
                    raise LocalFailure(f"another process has held {path} for {timeout:.0f} s") from None
                time.sleep(_POLL_SECONDS)
        yield handle.fileno()

"""A cache of folders. Each is built once and completely, and is found by a hash of its inputs."""

import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from dev.failure import LocalFailure
from dev.lock import locking
from dev.progress import say

_LOCK_SECONDS = 3600.0

Make = Callable[[Path, int], None]


class BuildCache:
    """A folder of entries `<name>-<key>`, safe against crashes and concurrent processes."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def entry(self, name: str, key: str, make: Make) -> Path:
        """The folder of an entry. If there is none, `make(folder, lock)` fills a folder that becomes it.

        `lock` is the descriptor of the cache's lock, which children that may outlive this process inherit.
        """
        entry = self.root / f"{name}-{key}"
        if entry.is_dir():
            return entry
        with locking(self.root / ".lock", timeout=_LOCK_SECONDS, waiting=self._say_waiting) as lock:
            if entry.is_dir():
                return entry
            unfinished = self.root / f".making-{name}-{os.getpid()}"
            for left_over in self.root.glob(".making-*"):  # whoever made them had the lock
                shutil.rmtree(left_over)
            unfinished.mkdir()
            try:
                make(unfinished, lock)
                unfinished.rename(entry)
            finally:
                shutil.rmtree(unfinished, ignore_errors=True)
        return entry

    def discard(self, name: str) -> None:
        """Remove the folder `name`, which all makers share, unless one of them is running."""
        with suppress(LocalFailure), locking(self.root / ".lock", timeout=0):
            shutil.rmtree(self.root / name, ignore_errors=True)

    def _say_waiting(self) -> None:
        say(f"waiting for another process that is building into {self.root}")

"""Folders that are made once, whole or not at all, and found again by what defines them."""

import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from dev.failure import LocalFailure
from dev.lock import locked
from dev.progress import say

_LOCK_SECONDS = 3600.0

Make = Callable[[Path, int], None]


class Cache:
    """A folder of entries `<name>-<key>`, safe against crashes and against several processes at once."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def entry(self, name: str, key: str, make: Make) -> Path:
        """The finished entry; when missing, `make(folder, lock)` fills a folder that then takes its place.

        `lock` is the descriptor of the cache's lock, for children that may outlive this process.
        """
        entry = self.root / f"{name}-{key}"
        if entry.is_dir():
            return entry
        with locked(self.root / ".lock", timeout=_LOCK_SECONDS, waiting=self._say_waiting) as lock:
            if entry.is_dir():
                return entry
            unfinished = self.root / f".making-{name}-{os.getpid()}"
            for left_over in self.root.glob(".making-*"):  # the lock is ours, so whoever made these is gone
                shutil.rmtree(left_over)
            unfinished.mkdir()
            try:
                make(unfinished, lock)
                unfinished.rename(entry)
            finally:
                shutil.rmtree(unfinished, ignore_errors=True)
        return entry

    def discard(self, name: str) -> None:
        """Remove the folder `name` that makers share, unless one is at work: it may need it."""
        with suppress(LocalFailure), locked(self.root / ".lock", timeout=0):
            shutil.rmtree(self.root / name, ignore_errors=True)

    def _say_waiting(self) -> None:
        say(f"another process is filling {self.root}; waiting for it")
